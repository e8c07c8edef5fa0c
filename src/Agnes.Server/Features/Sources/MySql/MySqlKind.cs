using Agnes.Connectors.Databases;
using Agnes.Connectors.MySql;
using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Server.Features.Sources.Connections;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.MySql;

/// <summary>A MySQL or a MariaDB, whose tables are pulled.</summary>
internal sealed class MySqlKind : SourceKind
{
    public override string Name => MySqlSettings.Kind;

    public override string Title => "MySQL or MariaDB";

    public override IReadOnlyList<string> Aliases => ["mariadb"];

    public override string Connector => MySqlSettings.Kind;

    /// <summary>Each connection is a server; there is none by default.</summary>
    public override bool HasDefault => false;

    public override IReadOnlyList<SourceSetting> ConnectionSettings =>
    [
        new("host") { IsRequired = true, Hint = "Name or address of the machine.", IsDestination = true },
        new("port", "int") { Default = 3306 },
        new("database") { IsRequired = true, Hint = "Where tables are whose registration names no other." },
        new("user") { IsRequired = true, Hint = "One that may only read the tables that are registered." },
        new("password", "secret"),
        new("ssl_mode") { Hint = "verify-full (unless it is this machine), verify-ca, require or disable." },
        new("ssl_root_certificate") { Hint = "Whom to trust, in PEM, where it is none of the system's authorities.",
            NoSecret = "a certificate is public" },
    ];

    public override Task<ConnectionCheck?> CheckAsync(
        Connection connection, IReadOnlyDictionary<string, string> options, IServiceProvider services, CancellationToken stop) =>
        ConnectorCheck.RunAsync(connection, options, services, stop);

    public override void AddOptions(IDictionary<string, string> given, Connection connection, ServerOptions options, SecretStore secrets)
    {
        if (options.AllowedPrivateHosts.Count > 0) given[DatabaseConnector.AllowedHostsOption] = string.Join(',', options.AllowedPrivateHosts);
    }

    public override TableConfig ConfigOf(TableRow row) => base.ConfigOf(row) with { Settings = PullSettings.Of(row).Element() };

    public override RuleViolation? LookAt(TableRow row, Connection? connection, DataFolder folder)
    {
        if (connection is null) return new RuleViolation("connection", "A table of a MySQL names its connection: agnes admin connection list");
        return PullSettings.UnknownOf(row, Title, DatabaseConnector.OwnSettings)
            ?? (DatabaseConnector.SettingsFault(ConfigOf(row)) is { } fault ? new RuleViolation("settings", fault) : null);
    }

    public override string NoteOn(TableRow row, Connection? connection, DataFolder folder) =>
        "The database has been asked for the table's columns; no row was asked for.";

    public override string? ConnectionFault(IReadOnlyDictionary<string, string> settings, ServerOptions options) => MySqlSettings.Fault(settings);
}
