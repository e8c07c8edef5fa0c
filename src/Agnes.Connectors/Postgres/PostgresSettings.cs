using Agnes.Connectors.Databases;
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
    public static string? Fault(IReadOnlyDictionary<string, string> options) => DatabaseOptions.Fault(() => From(options));

    /// <exception cref="FormatException">It cannot be so.</exception>
    public static PostgresSettings From(IReadOnlyDictionary<string, string> options)
    {
        var given = new DatabaseOptions(options);
        return new PostgresSettings(
            given.Host, given.Number("port", PortDefault, ushort.MaxValue), given.Needed("database"), given.Needed("user"), given.Optional("password"),
            given.Tls switch
            {
                DatabaseTls.Disable => SslMode.Disable,
                DatabaseTls.Prefer => SslMode.Prefer,
                DatabaseTls.Require => SslMode.Require,
                DatabaseTls.VerifyAuthority => SslMode.VerifyCA,
                _ => SslMode.VerifyFull,
            })
        {
            StatementSeconds = given.Number("statement_timeout", SecondsDefault, SecondsMax),
            Role = given.Optional("role"),
            Authority = given.Optional("ssl_root_certificate"),
            AllowsPowers = given.Optional("allow_powerful_role") is "true" or "yes",
        };
    }
}
