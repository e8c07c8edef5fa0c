using Agnes.Connectors.Databases;
using Agnes.Connectors.Postgres;
using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Protocol;
using Agnes.Server.Features.Sources.Connections;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Postgres;

/// <summary>
/// A PostgreSQL. Its tables are pulled, or stay where they are: then it is asked, and answers by itself what is about its tables alone.
/// </summary>
internal sealed class PostgresKind : SourceKind
{
    private const string SchemaDefault = "public";

    public override string Name => PostgresSettings.Kind;

    public override string Title => "PostgreSQL";

    public override IReadOnlyList<string> Aliases => ["postgresql"];

    public override IReadOnlyList<string> Modes => [TableRules.ModeLocal, TableRules.ModeRemote, TableRules.ModeMaterialized];

    public override string Connector => PostgresSettings.Kind;

    public override bool TakesAnswers => true;

    public override bool IsAsked => true;

    /// <summary>Each connection is a database; there is none by default.</summary>
    public override bool HasDefault => false;

    public override IReadOnlyList<SourceSetting> ConnectionSettings =>
    [
        new("host") { IsRequired = true, Hint = "Name or address of the machine.", IsDestination = true },
        new("port", "int") { Default = 5432 },
        new("database") { IsRequired = true },
        new("user") { IsRequired = true, Hint = "A role that may only read the tables that are registered." },
        new("password", "secret"),
        new("ssl_mode") { Hint = "verify-full (unless it is this machine), verify-ca, require or disable." },
        new("ssl_root_certificate") { Hint = "Whom to trust, in PEM, where it is none of the system's authorities.",
            NoSecret = "a certificate is public" },
        new("role") { Hint = "Taken on before each question (SET ROLE)." },
        new("statement_timeout", "int") { Default = 300, Hint = "Seconds after which the database itself ends a question." },
        new("allow_powerful_role", "bool") { Default = false,
            Hint = "Take a role that is a superuser, or that reads files or runs programs there." },
        MaterializeLimit.Setting,
    ];

    public override IRemoteTables Ask(Connection connection, IReadOnlyDictionary<string, string> options, IServiceProvider services) =>
        services.GetRequiredService<RemoteBrokers>().Open(Name, connection.Name, options);

    /// <summary>As it is pulled from: with a session of its own, so that what is signed in to with is taken anew.</summary>
    public override Task<ConnectionCheck?> CheckAsync(
        Connection connection, IReadOnlyDictionary<string, string> options, IServiceProvider services, CancellationToken stop) =>
        ConnectorCheck.RunAsync(connection, options, services, stop);

    public override void AddOptions(IDictionary<string, string> given, Connection connection, ServerOptions options, SecretStore secrets)
    {
        if (options.AllowedPrivateHosts.Count > 0) given[DatabaseConnector.AllowedHostsOption] = string.Join(',', options.AllowedPrivateHosts);
    }

    public override TableConfig ConfigOf(TableRow row) => base.ConfigOf(row) with { Settings = PullSettings.Of(row).Element() };

    public override TableRow Complete(TableRow row) => row.QueryMode == TableRules.ModeMaterialized ? row : row with
    {
        Bucket = string.IsNullOrEmpty(row.Bucket) ? SchemaDefault : row.Bucket,
        SourceTable = string.IsNullOrEmpty(row.SourceTable) ? row.Name : row.SourceTable,
    };

    public override RuleViolation? Check(TableRow row)
    {
        foreach (var (field, value) in new[] { ("bucket", row.Bucket), ("source_table", row.SourceTable) })
            if (value is not null && value.Contains('\0', StringComparison.Ordinal)) return new(field, $"{field} is no name of PostgreSQL");
        return null;
    }

    public override RuleViolation? LookAt(TableRow row, Connection? connection, DataFolder folder)
    {
        if (connection is null) return new RuleViolation("connection", "A table of a PostgreSQL names its connection: agnes admin connection list");
        if (row.QueryMode != TableRules.ModeLocal) return base.LookAt(row, connection, folder);
        return PullSettings.UnknownOf(row, Title, DatabaseConnector.OwnSettings)
            ?? (DatabaseConnector.SettingsFault(ConfigOf(row)) is { } fault ? new RuleViolation("settings", fault) : null);
    }

    public override string RelationOf(string schema, string table) => base.RelationOf(schema.Length == 0 ? SchemaDefault : schema, table);

    public override string NoteOn(TableRow row, Connection? connection, DataFolder folder) => row.QueryMode switch
    {
        TableRules.ModeMaterialized => "The database has been asked whether it would answer the query; no row was asked for.",
        TableRules.ModeRemote => "Not looked at: its columns are asked for when the table is first used.",
        _ => "The database has been asked for the table's columns; no row was asked for.",
    };

    public override string? ConnectionFault(IReadOnlyDictionary<string, string> settings, ServerOptions options) =>
        PostgresSettings.Fault(settings) ?? MaterializeLimit.Fault(settings.GetValueOrDefault(MaterializeLimit.Name));
}
