using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Connectors.Answers;
using Agnes.Connectors.BigQuery;
using Agnes.Engine.Parts;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Protocol;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;
using Agnes.Sql.BigQuery;

namespace Agnes.Server.Features.Sources.BigQuery;

/// <summary>BigQuery, whose tables stay where they are or are taken by a query.</summary>
internal sealed partial class BigQueryKind : SourceKind
{
    private const string LocationDefault = "us";
    private const int KeyBytesMax = 64 << 10;

    /// <summary>What questions depend on, of all that is set.</summary>
    private static readonly string[] Asked = ["project", "billing_project", "location", "bq_max_scan_bytes", "query_timeout_ms"];

    /// <summary>Of the environment: the default connection's project, for its tables and for its jobs.</summary>
    private const string ProjectVariable = "BIGQUERY_PROJECT";

    /// <summary>Schema of the other installation since which queries name tables in BigQuery's own way.</summary>
    private const int QuotedQueriesUntil = 24;

    public override string Name => "bigquery";

    public override string Title => "BigQuery";

    public override string MainAs => Name;

    public override string SqlFlavor => "bigquery";

    public override bool MaterializesWhole => true;

    public override IReadOnlyList<string> Modes => [TableRules.ModeRemote, TableRules.ModeMaterialized];

    public override string Connector => AnswersConnector.ConnectorName;

    public override bool IsAsked => true;

    public override SqlDialect Dialect => SqlDialect.BigQuery;

    public override IReadOnlyDictionary<string, string> WhereHints { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["date_literal"] = "DATE '2026-01-31'",
        ["timestamp_literal"] = "TIMESTAMP '2026-01-31 00:00:00 UTC'",
        ["interval_subtract"] = "DATE_SUB(CURRENT_DATE(), INTERVAL 7 DAY)",
        ["regex"] = "REGEXP_CONTAINS(name, r'^a')",
        ["cast"] = "CAST(id AS STRING)",
    };

    /// <summary>A table's full name begins with its project.</summary>
    public override string? NotServed(TableRow row, Connection? connection, IServiceProvider services) =>
        connection is null || CatalogOf(SettingsOf(connection, services)) is not null ? null
            : "BigQuery is not configured on this server: it has no project.";

    public override IReadOnlyList<SourceSetting> Settings =>
    [
        new("project") { IsRead = true, Hint = "An import reads it, to name tables in full." },
        new("location"),
        new("billing_project") { PlaceholderFrom = "project" },
        new(MaterializeLimit.Name, "int") { Default = MaterializeLimit.Default, Hint = "0 disables.", IsShown = true, IsRead = true },
        new("bq_max_scan_bytes", "int") { Default = 5_368_709_120, Hint = "0 disables.", IsShown = true },
        new("query_timeout_ms", "int") { Default = 600_000 },
        new("session_pool_size", "int") { Default = 4 },
    ];

    public override IReadOnlyList<SourceSetting> ConnectionSettings =>
    [
        new("project") { IsRequired = true, Hint = "The project that its tables are in." },
        new("billing_project") { Hint = "Where jobs run, and who pays for them, where that is another project." },
        new("location") { Hint = "Where jobs run, such as EU; else where BigQuery finds the tables." },
        new("key", "secret") { Hint = "The JSON key of a service account that may only read; else the machine's own credentials." },
        new("bq_max_scan_bytes", "int") { Default = BigQuerySettings.ScanBytesDefault, Hint = "What one question may read; 0: no bound." },
        new("query_timeout_ms", "int") { Default = BigQuerySettings.MillisecondsDefault, Hint = "After which BigQuery ends a job." },
        MaterializeLimit.Setting,
    ];

    public override IReadOnlyDictionary<string, string> SettingsOf(Connection connection, IServiceProvider services)
    {
        if (connection.Name != Name) return connection.Settings;
        var options = services.GetRequiredService<ServerOptions>();
        var layers = SettingLayers.Open(options, services.GetRequiredService<SecretStore>());
        var set = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in (string[])[.. Asked, MaterializeLimit.Name])
            if (layers.Instance.Text($"data_source.{Name}.{name}") is { } value) set[name] = value;
        if (options.Variables(ProjectVariable) is { Length: > 0 } project) set["project"] = set["billing_project"] = project;
        return set;
    }

    public override string? CatalogOf(IReadOnlyDictionary<string, string> settings) =>
        settings.GetValueOrDefault("project") is { } project && BigQuerySettings.IsProject(project) ? project : null;

    /// <summary>Others may be open to the server's account by accident; which are meant is the operator's word.</summary>
    public override IReadOnlyList<string> CatalogsOf(IReadOnlyDictionary<string, string> settings, ServerOptions options) =>
        CatalogOf(settings) is { } own ? [own, .. options.BigQueryProjects] : [];

    public override string? QueryOfWhole(TableRow row, string? catalog) =>
        catalog is null || string.IsNullOrEmpty(row.Bucket) || string.IsNullOrEmpty(row.SourceTable) ? null
            : $"SELECT * FROM {BigQueryText.Quoted($"{catalog}.{row.Bucket}.{row.SourceTable}")}";

    public override string? SaidWhenRegistered(TableRow row) => row.QueryMode == TableRules.ModeMaterialized
        ? $"'{row.Name}' will have the rows of its query after the next sync: agnes admin sync trigger {row.Id}"
        : null;

    public override string RelationOf(TableRow row, string? catalog)
    {
        var table = $"{row.Bucket}.{(string.IsNullOrEmpty(row.SourceTable) ? row.Name : row.SourceTable)}";
        return catalog is null ? table : $"{catalog}.{table}";
    }

    public override IRemoteTables Ask(Connection connection, IReadOnlyDictionary<string, string> options, IServiceProvider services)
    {
        var server = services.GetRequiredService<ServerOptions>();
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in (string[])[.. Asked, "key"])
            if (options.GetValueOrDefault(name) is { } value) given[name] = value;
        if (!given.ContainsKey("key") && OperatorsKey(server) is { } key) given["key"] = key;
        if (server.BigQueryAddress is { } address)
        {
            given[BigQuerySettings.ServiceOption] = given[BigQuerySettings.MetadataServiceOption] = address.AbsoluteUri;
            given[BigQuerySettings.TokenServiceOption] = new Uri(address, "/token").AbsoluteUri;
        }

        return services.GetRequiredService<RemoteBrokers>().Open(Name, connection.Name, given);
    }

    public override string? ConnectionFault(IReadOnlyDictionary<string, string> settings, ServerOptions options) =>
        BigQuerySettings.Fault(settings) ?? MaterializeLimit.Fault(settings.GetValueOrDefault(MaterializeLimit.Name));

    public override string NoteOn(TableRow row, Connection? connection, DataFolder folder) => row.QueryMode == TableRules.ModeMaterialized
        ? "BigQuery has been asked whether it would answer the query, which costs nothing; no row was asked for."
        : "Not looked at: its columns are asked for when the table is first used.";

    /// <summary>The operator's key file: read here, since the process that asks opens no file but its own.</summary>
    private static string? OperatorsKey(ServerOptions options)
    {
        if (options.Variables("GOOGLE_APPLICATION_CREDENTIALS") is not { Length: > 0 } file) return null;
        try
        {
            return new FileInfo(file).Length > KeyBytesMax
                ? throw new IOException($"It is longer than the {KeyBytesMax >> 10} KiB of any key.")
                : File.ReadAllText(file);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new RemoteException(RemoteFault.System, "The key file of GOOGLE_APPLICATION_CREDENTIALS cannot be read.", unreadable)
            {
                Failure = new RemoteFailure("auth_failed", StatusCodes.Status502BadGateway, new Dictionary<string, string>()),
            };
        }
    }

    public override TableRow Complete(TableRow row) => row with { QueryMode = row.QueryMode == TableRules.ModeMaterialized ? row.QueryMode : TableRules.ModeRemote };

    public override RuleViolation? Check(TableRow row)
    {
        var needsTable = row.QueryMode == TableRules.ModeRemote || row.SourceQuery is null;
        if (needsTable && (string.IsNullOrEmpty(row.Bucket) || string.IsNullOrEmpty(row.SourceTable)))
            return new(null, "BigQuery tables need bucket (dataset) and source_table");
        foreach (var (field, value) in new[] { ("bucket", row.Bucket), ("source_table", row.SourceTable) })
        {
            if (value is null || !needsTable) continue;
            if (value.Contains('*', StringComparison.Ordinal)) return new(field, $"{field} must not contain '*'", StatusCodes.Status400BadRequest);
            if (!Identifiers.IsQuoted(value))
                return new(field, $"{field} '{TableRules.Shorten(value)}' is no valid BigQuery name", StatusCodes.Status400BadRequest);
        }

        return null;
    }

    public override SourceSetUp SetUp(Func<string, string?> given, IServiceProvider services)
    {
        var (project, location) = (given("bigquery_project"), given("bigquery_location"));
        return new("unverified")
        {
            Fault = project is null ? "bigquery needs bigquery_project."
                : !ProjectShape().IsMatch(project) ? "bigquery_project is no project id: lower-case letters, digits and hyphens, 6 to 30."
                : location is not null && !LocationShape().IsMatch(location) ? "bigquery_location is no location, such as us or europe-west1."
                : null,
            Section = new JsonObject { ["project"] = project, ["location"] = location ?? LocationDefault },
        };
    }

    public override bool Recognises(TableRow row) => row is { QueryMode: TableRules.ModeMaterialized, SourceQuery: not null };

    public override ImportedTable Modernised(TableRow row, int version, Func<string, string?> find)
    {
        if (version >= QuotedQueriesUntil || row is not { QueryMode: TableRules.ModeMaterialized, SourceQuery: { } query }) return new(row);
        var project = find("BIGQUERY_PROJECT") ?? find("data_source.bigquery.project");
        var rewritten = QuotedQueries.Rewrite(query, project ?? "?", out var found);
        if (!found) return new(row);
        return project is null
            ? new(row, Left: "its query names tables as bq.\"dataset\".\"table\", and no project is configured to put in front (BIGQUERY_PROJECT): edit the query")
            : new(row with { SourceQuery = rewritten }, Changed: "bq.\"dataset\".\"table\" in its query became `project.dataset.table`");
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9-]{4,28}[a-z0-9]\z", RegexOptions.CultureInvariant)]
    private static partial Regex ProjectShape();

    [GeneratedRegex(@"\A[A-Za-z0-9-]{1,40}\z", RegexOptions.CultureInvariant)]
    private static partial Regex LocationShape();
}
