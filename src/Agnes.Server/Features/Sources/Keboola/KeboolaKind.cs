using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Engine.Outbound;
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

    [GeneratedRegex(@"\A(?:in|out)\.c-[^.]+(?:\.|\z)")]
    private static partial Regex BucketShape();
}
