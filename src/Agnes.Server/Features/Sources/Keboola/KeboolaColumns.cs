using System.Net;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Keboola;

/// <summary>Types and descriptions of columns, back to Keboola.</summary>
internal sealed class KeboolaColumns : IColumnTarget
{
    private const string Provider = "ai-metadata-enrichment";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    public string? NotSetUp(IServiceProvider services) => Stack(services) is not null
        ? null
        : "Keboola's address and Storage token are not set: KBC_STACK_URL and KBC_STORAGE_TOKEN, or KEBOOLA_STACK_URL and KEBOOLA_STORAGE_TOKEN.";

    public async Task<PushedColumn> PushAsync(IServiceProvider services, TableRow table, DescribedColumn column, CancellationToken stop)
    {
        if (Stack(services) is not { } stack) return new PushedColumn(NotSetUp(services), WasReached: false);
        var answer = await stack.SendAsync(services.GetRequiredService<IHttpClientFactory>(), HttpMethod.Post, PathOf(table, column), BodyOf(column), Timeout, stop);
        return new PushedColumn(Fault(answer), answer.Status is not null);
    }

    private static KeboolaStack? Stack(IServiceProvider services) => KeboolaStack.Find(services.GetRequiredService<ServerOptions>(), services.GetRequiredService<SecretStore>());

    /// <summary>Without the token, and without what the other side wrote.</summary>
    private static string? Fault(KeboolaAnswer answer) => answer switch
    {
        { Status: HttpStatusCode.OK or HttpStatusCode.Created } => null,
        { Status: HttpStatusCode.NotFound } => "404 Keboola has no such table or column",
        { Status: HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden } => $"{(int)answer.Status} Keboola does not take the token for this",
        { Status: { } status } => $"{(int)status} Keboola did not take it",
        { Refusal: { } refusal } => $"Keboola's address {refusal}",
        _ => "Keboola could not be reached",
    };

    private static string PathOf(TableRow table, DescribedColumn column) => $"tables/{Uri.EscapeDataString(SourceId(table))}/columns/{Uri.EscapeDataString(column.Name)}/metadata";

    private static JsonObject BodyOf(DescribedColumn column)
    {
        var entries = new JsonArray();
        if (column.Basetype is not null) entries.Add((JsonNode)new JsonObject { ["key"] = "KBC.datatype.basetype", ["value"] = column.Basetype });
        if (column.Description is not null) entries.Add((JsonNode)new JsonObject { ["key"] = "KBC.description", ["value"] = column.Description });
        return new JsonObject { ["provider"] = Provider, ["metadata"] = entries };
    }

    /// <summary>Keboola knows a table by bucket and name: <c>in.c-crm.orders</c>.</summary>
    private static string SourceId(TableRow table)
    {
        var name = table.SourceTable ?? table.Name;
        return string.IsNullOrEmpty(table.Bucket) || name.StartsWith(table.Bucket + ".", StringComparison.Ordinal) ? name : $"{table.Bucket}.{name}";
    }
}
