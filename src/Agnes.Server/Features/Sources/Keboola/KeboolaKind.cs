using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Connectors.Keboola;
using Agnes.Engine.Extracts;
using Agnes.Engine.Outbound;
using Agnes.Engine.Parts;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Keboola;

/// <summary>A Keboola project.</summary>
internal sealed partial class KeboolaKind : SourceKind
{
    private const string TokenName = "KEBOOLA_STORAGE_TOKEN";
    private const string AddressName = "KEBOOLA_STACK_URL";

    /// <summary>Schema of the other installation until which a local table meant a materialized one.</summary>
    private const int LocalUntil = 26;

    public override string Name => "keboola";

    public override string Title => "Keboola";

    public override string MainAs => Name;

    public override bool MaterializesWhole => true;

    public override string Connector => KeboolaSettings.Kind;

    public override bool NeedsSetUp => true;

    public override string HowToSetUp => KeboolaStack.HowToSetUp;

    public override bool IsListed => true;

    public override bool Pulls(string? mode) => mode != TableRules.ModeRemote;

    public override bool IsSetUp(ServerOptions options, SecretStore secrets) => KeboolaStack.Find(options, secrets) is not null;

    public override IReadOnlyList<string> Modes => [TableRules.ModeLocal, TableRules.ModeRemote, TableRules.ModeMaterialized];

    public override IColumnTarget ColumnTarget { get; } = new KeboolaColumns();

    public override IReadOnlyList<SourceSetting> Settings =>
    [
        new("stack_url")
        {
            Hint = "https address of the stack.",
            IsDestination = true,
            IsRead = true,
            Variables = ["KBC_STACK_URL", AddressName],
        },
        new("storage_token", "secret")
        {
            Hint = "Goes to a stack that the same hand set.",
            IsRead = true,
            IsOffered = false,
            Variables = ["KBC_STORAGE_TOKEN", TokenName],
        },
        new("project_id"),
        new("token_env") { Default = TokenName, NoSecret = "it names a variable" },
    ];

    public override IReadOnlyList<SourceSetting> ConnectionSettings =>
    [
        new(KeboolaSettings.StackOption) { IsRequired = true, IsDestination = true, Hint = "https address of the stack." },
        new(KeboolaSettings.TokenOption, "secret") { Hint = "A Storage token that may read the buckets whose tables are registered." },
    ];

    public override void AddOptions(IDictionary<string, string> given, Connection connection, ServerOptions options, SecretStore secrets)
    {
        if (connection.Name == Name) KeboolaStack.Find(options, secrets)?.AddTo(given);
        KeboolaOptions.Add(given, options);
    }

    public override TableConfig ConfigOf(TableRow row)
    {
        var settings = PullSettings.Of(row);
        settings["source_query"] = row.SourceQuery;
        return base.ConfigOf(row) with { Settings = settings.Element() };
    }

    /// <summary>What the other installation's forms wrote for a whole table is no filter.</summary>
    public override TableRow Complete(TableRow row) =>
        row.SourceQuery is { } query && WholeTable().IsMatch(query) ? row with { SourceQuery = null } : row;

    public override RuleViolation? LookAt(TableRow row, Connection? connection, DataFolder folder)
    {
        if (PullSettings.UnknownOf(row, Title, [KeboolaConnector.ReconcileSetting]) is { } unknown) return unknown;
        if (row.QueryMode == TableRules.ModeRemote || string.IsNullOrEmpty(row.Bucket)) return null;
        var field = row.QueryMode == TableRules.ModeMaterialized ? "source_query" : "settings";
        return KeboolaConnector.SettingsFault(ConfigOf(row)) is { } fault ? new RuleViolation(field, fault) : null;
    }

    public override string NoteOn(TableRow row, Connection? connection, DataFolder folder) => row.QueryMode == TableRules.ModeRemote
        ? "A table of Keboola that stays there is not asked by this server: use query_mode local or materialized."
        : connection is null ? HowToSetUp : "Not looked at: no row is asked for before the next sync.";

    public override string? ConnectionFault(IReadOnlyDictionary<string, string> settings, ServerOptions options) =>
        KeboolaSettings.StackFault(settings[KeboolaSettings.StackOption], options.AllowedPrivateHosts);

    public override async Task<IReadOnlyList<ListedTable>> ListAsync(
        IReadOnlyDictionary<string, string> options, IServiceProvider services, CancellationToken stop)
    {
        try
        {
            using var storage = new StorageClient(
                KeboolaSettings.From(options), services.GetRequiredService<OutboundGuard>(), services.GetRequiredService<TimeProvider>());
            return [.. (await storage.TablesAsync(stop)).Select(Listed)];
        }
        catch (Exception failure) when (failure is StorageException or FormatException)
        {
            throw new RemoteException(RemoteFault.System, failure.Message, failure);
        }
    }

    private static ListedTable Listed(StorageTable table) => new(
        table.Id, table.Name, table.BucketId, table.BucketName, table.Columns, table.Rows, table.Bytes, table.PrimaryKey, table.LastChange,
        table.LastImport);

    public override SourceSetUp SetUp(Func<string, string?> given, IServiceProvider services)
    {
        var (token, address, project) = (given("keboola_token"), given("keboola_url")?.TrimEnd('/'), given("keboola_project_id"));
        var section = new JsonObject { ["stack_url"] = address, ["token_env"] = TokenName };
        if (project is not null) section["project_id"] = project;
        return new("verified")
        {
            Fault = token is null || address is null ? "keboola needs keboola_token and keboola_url."
                : project is not null && !project.All(char.IsAsciiLetterOrDigit) ? "keboola_project_id must be letters and digits."
                : null,
            Verify = stop => FaultAsync(address!, token!, services, stop),
            Section = section,
            Secrets = [(TokenName, token!), (AddressName, address!)],
        };
    }

    /// <summary>Ids of its tables begin with their stage and bucket.</summary>
    public override bool Recognises(TableRow row) => BucketShape().IsMatch(row.Bucket ?? row.Id);

    public override ImportedTable Modernised(TableRow row, int version, Func<string, string?> find) =>
        version < LocalUntil && row.QueryMode == TableRules.ModeLocal
            ? new(row with { QueryMode = TableRules.ModeMaterialized }, Changed: "query mode local became materialized")
            : new(row);

    private static async Task<string?> FaultAsync(string address, string token, IServiceProvider services, CancellationToken stop)
    {
        if (SecretStore.Fault(TokenName, token) is not null) return "keboola_token is no Storage token: it holds a line end or is too long.";
        if (await services.GetRequiredService<OutboundGuard>().FaultAsync("keboola_url", address, stop) is { } unsafeAddress) return unsafeAddress;
        return await KeboolaCheck.FaultAsync(services.GetRequiredService<IHttpClientFactory>(), new Uri(address), token, stop);
    }

    [GeneratedRegex("""\A\s*SELECT \* FROM kbc\."[^"]+"\."[^"]+"\s*;?\s*\z""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex WholeTable();

    [GeneratedRegex(@"\A(?:in|out)\.c-[^.]+(?:\.|\z)")]
    private static partial Regex BucketShape();
}
