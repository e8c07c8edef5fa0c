using System.Globalization;

namespace Agnes.Connectors.Databases;

/// <summary>Reads what is set for a connection to a database, by the same rules for each.</summary>
internal readonly struct DatabaseOptions(IReadOnlyDictionary<string, string> options)
{
    /// <exception cref="FormatException">It is none, or more than one.</exception>
    public string Host
    {
        get
        {
            var host = Needed("host");
            return host.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or ':' or '[' or ']')
                ? host
                : throw new FormatException("host must be the name or the address of one machine");
        }
    }

    /// <summary>As it is set; else whatever this machine itself offers, and of any other that it proves its name.</summary>
    /// <exception cref="FormatException">It is set to something else.</exception>
    public DatabaseTls Tls => Optional("ssl_mode") switch
    {
        null => IsThisMachine(Host) ? DatabaseTls.Prefer : DatabaseTls.VerifyFull,
        "verify-full" => DatabaseTls.VerifyFull,
        "verify-ca" => DatabaseTls.VerifyAuthority,
        "require" => DatabaseTls.Require,
        "disable" => DatabaseTls.Disable,
        _ => throw new FormatException("ssl_mode must be verify-full, verify-ca, require or disable"),
    };

    /// <returns>What is wrong, or null.</returns>
    public static string? Fault(Action read)
    {
        try
        {
            read();
            return null;
        }
        catch (FormatException fault)
        {
            return fault.Message;
        }
    }

    public string? Optional(string name) => options.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    /// <exception cref="FormatException">It is not set.</exception>
    public string Needed(string name) => Optional(name) ?? throw new FormatException($"{name} is not set");

    /// <exception cref="FormatException">It is set to no whole number from 1 to <paramref name="max"/>.</exception>
    public int Number(string name, int otherwise, int max) =>
        Optional(name) is not { } text ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= max ? number
        : throw new FormatException($"{name} must be a number from 1 to {max}");

    private static bool IsThisMachine(string host) =>
        host == "localhost" || host is "::1" or "[::1]" || host.StartsWith("127.", StringComparison.Ordinal);
}

/// <summary>How much is asked of an encrypted connection.</summary>
public enum DatabaseTls
{
    Disable,

    /// <summary>Encrypted where the server can.</summary>
    Prefer,

    /// <summary>Encrypted, whoever is there.</summary>
    Require,

    /// <summary>By whom an authority knows.</summary>
    VerifyAuthority,

    /// <summary>And by that name.</summary>
    VerifyFull,
}
