using System.Net;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Keboola;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.ColumnMetadata;

/// <summary><c>POST /api/admin/metadata/{table_id}/push</c>: types and descriptions to Keboola, column by column. What it did not take is said and can be pushed again.</summary>
internal static class PushColumns
{
    private const string Provider = "ai-metadata-enrichment";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, ServerOptions options, SecretStore secrets, IHttpClientFactory clients, string table_id)
    {
        if (NamedTable.Resolve(context.Snapshot(), context.Caller(), table_id) is not { Id: { } id, Row: { } table }) return Problem.NotFound($"Table '{table_id}' not found");
        if (table.SourceType != "keboola") return Problem.Detail(StatusCodes.Status400BadRequest, $"Table '{table_id}' comes from {table.SourceType ?? "no source"}; only Keboola takes metadata back.");
        if (KeboolaStack.Find(options, secrets) is not { } stack)
            return Problem.Detail(StatusCodes.Status500InternalServerError, "Keboola's address and Storage token are not set: KBC_STACK_URL and KBC_STORAGE_TOKEN, or KEBOOLA_STACK_URL and KEBOOLA_STORAGE_TOKEN.");
        var columns = (await ColumnMetadataStore.ListAsync(state, id, context.RequestAborted)).Where(column => column.Basetype is not null || column.Description is not null).ToList();
        if (columns.Count == 0) return JsonBody.Of(new JsonObject { ["status"] = "ok", ["pushed"] = 0, ["message"] = "Nothing is known of its columns yet." });

        var errors = new List<string>();
        var pushed = 0;
        foreach (var column in columns)
        {
            var answer = await stack.SendAsync(clients, HttpMethod.Post, PathOf(table, column), BodyOf(column), Timeout, context.RequestAborted);
            if (Fault(answer) is { } fault) errors.Add($"{column.ColumnName}: {fault}");
            else pushed++;
            if (answer.Status is not null) continue;
            if (columns.Count - pushed - errors.Count is > 0 and var left) errors.Add($"{left} more columns were not tried.");
            break;
        }

        var by = context.Caller().UserId;
        await state.WriteAsync(
            write =>
            {
                write.Audit(by, "column_metadata.pushed", $"table:{id}", new JsonObject { ["pushed"] = pushed, ["failed"] = columns.Count - pushed }, pushed == columns.Count ? "ok" : "error");
                return Task.CompletedTask;
            },
            CancellationToken.None); // it has happened, whoever is still waiting for the answer
        var report = new JsonObject { ["status"] = "ok", ["pushed"] = pushed };
        if (errors.Count > 0) report["errors"] = new JsonArray([.. errors.Select(error => (JsonNode)error)]);
        return JsonBody.Of(report);
    }

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

    private static string PathOf(TableRow table, ColumnMetadataRow column) => $"tables/{Uri.EscapeDataString(SourceId(table))}/columns/{Uri.EscapeDataString(column.ColumnName)}/metadata";

    private static JsonObject BodyOf(ColumnMetadataRow column)
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
