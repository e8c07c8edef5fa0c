using System.Globalization;
using Agnes.Engine.Query.Remote;
using Npgsql;

namespace Agnes.Connectors.Postgres;

/// <summary>What is set for a connection.</summary>
public sealed record PostgresSettings(string Host, int Port, string Database, string User, string? Password, SslMode Tls)
{
    /// <summary>Of the kind of source.</summary>
    public const string Kind = "postgres";

    private const int PortDefault = 5432;
    private const int SecondsDefault = 300;
    private const int SecondsMax = 3600;

    /// <summary>After which PostgreSQL ends a statement by itself, whatever this side does.</summary>
    public int StatementSeconds { get; init; } = SecondsDefault;

    /// <summary>Taken on before a question; null: it is asked as the user.</summary>
    public string? Role { get; init; }

    /// <summary>Whom to trust, in PEM; null: whom the system trusts.</summary>
    public string? Authority { get; init; }

    /// <summary>The role may be one that reads files or runs programs there.</summary>
    public bool AllowsPowers { get; init; }

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
    public static PostgresSettings From(IReadOnlyDictionary<string, string> options)
    {
        string? Given(string name) => options.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
        string Needed(string name) => Given(name) ?? throw new FormatException($"{name} is not set");
        var host = Needed("host");
        if (host.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or ':' or '[' or ']'))) throw new FormatException(
            "host must be the name or the address of one machine");
        return new PostgresSettings(
            host, Number(Given("port"), "port", PortDefault, ushort.MaxValue), Needed("database"), Needed("user"), Given("password"),
            TlsOf(Given("ssl_mode"), host))
        {
            StatementSeconds = Number(Given("statement_timeout"), "statement_timeout", SecondsDefault, SecondsMax),
            Role = Given("role"),
            Authority = Given("ssl_root_certificate"),
            AllowsPowers = Given("allow_powerful_role") is "true" or "yes",
        };
    }

    private static SslMode TlsOf(string? mode, string host) => mode switch
    {
        null => IsThisMachine(host) ? SslMode.Prefer : SslMode.VerifyFull,
        "verify-full" => SslMode.VerifyFull,
        "verify-ca" => SslMode.VerifyCA,
        "require" => SslMode.Require,
        "disable" => SslMode.Disable,
        _ => throw new FormatException("ssl_mode must be verify-full, verify-ca, require or disable"),
    };

    private static bool IsThisMachine(string host) =>
        host == "localhost" || host is "::1" or "[::1]" || host.StartsWith("127.", StringComparison.Ordinal);

    private static int Number(string? text, string name, int otherwise, int max) =>
        text is null ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= max ? number
        : throw new FormatException($"{name} must be a number from 1 to {max}");
}
