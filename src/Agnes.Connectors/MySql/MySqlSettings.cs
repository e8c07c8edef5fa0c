using System.Globalization;

namespace Agnes.Connectors.MySql;

/// <summary>What is set for a connection to a MySQL or a MariaDB.</summary>
/// <param name="Database">Where tables are looked for whose registration names no other.</param>
public sealed record MySqlSettings(string Host, int Port, string Database, string User, string? Password, MySqlTls Tls)
{
    /// <summary>Of the kind of source, and of its connector.</summary>
    public const string Kind = "mysql";

    private const int PortDefault = 3306;

    /// <summary>Whom to trust, in PEM; null: whom the system trusts.</summary>
    public string? Authority { get; init; }

    /// <returns>What is wrong, or null.</returns>
    public static string? Fault(IReadOnlyDictionary<string, string> options)
    {
        try
        {
            From(options);
            return null;
        }
        catch (FormatException fault)
        {
            return fault.Message;
        }
    }

    /// <exception cref="FormatException">It cannot be so.</exception>
    public static MySqlSettings From(IReadOnlyDictionary<string, string> options)
    {
        string? Given(string name) => options.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
        string Needed(string name) => Given(name) ?? throw new FormatException($"{name} is not set");
        var host = Needed("host");
        if (host.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or ':' or '[' or ']')))
            throw new FormatException("host must be the name or the address of one machine");
        var port = PortDefault;
        if (Given("port") is { } text && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > ushort.MaxValue))
            throw new FormatException("port must be a number from 1 to 65535");
        return new MySqlSettings(host, port, Needed("database"), Needed("user"), Given("password"), TlsOf(Given("ssl_mode"), host))
        {
            Authority = Given("ssl_root_certificate"),
        };
    }

    private static MySqlTls TlsOf(string? mode, string host) => mode switch
    {
        null => IsThisMachine(host) ? MySqlTls.Prefer : MySqlTls.VerifyFull,
        "verify-full" => MySqlTls.VerifyFull,
        "verify-ca" => MySqlTls.VerifyAuthority,
        "require" => MySqlTls.Require,
        "disable" => MySqlTls.Disable,
        _ => throw new FormatException("ssl_mode must be verify-full, verify-ca, require or disable"),
    };

    private static bool IsThisMachine(string host) =>
        host == "localhost" || host is "::1" or "[::1]" || host.StartsWith("127.", StringComparison.Ordinal);
}

/// <summary>How much is asked of an encrypted connection.</summary>
public enum MySqlTls
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
