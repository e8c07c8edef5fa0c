using Agnes.Connectors.Databases;

namespace Agnes.Connectors.MySql;

/// <summary>What is set for a connection to a MySQL or a MariaDB.</summary>
/// <param name="Database">Where tables are looked for whose registration names no other.</param>
public sealed record MySqlSettings(string Host, int Port, string Database, string User, string? Password, DatabaseTls Tls)
{
    /// <summary>Of the kind of source, and of its connector.</summary>
    public const string Kind = "mysql";

    private const int PortDefault = 3306;

    /// <summary>Whom to trust, in PEM; null: whom the system trusts.</summary>
    public string? Authority { get; init; }

    /// <returns>What is wrong, or null.</returns>
    public static string? Fault(IReadOnlyDictionary<string, string> options) => DatabaseOptions.Fault(() => From(options));

    /// <exception cref="FormatException">It cannot be so.</exception>
    public static MySqlSettings From(IReadOnlyDictionary<string, string> options)
    {
        var given = new DatabaseOptions(options);
        return new MySqlSettings(
            given.Host, given.Number("port", PortDefault, ushort.MaxValue), given.Needed("database"), given.Needed("user"), given.Optional("password"), given.Tls)
        {
            Authority = given.Optional("ssl_root_certificate"),
        };
    }
}
