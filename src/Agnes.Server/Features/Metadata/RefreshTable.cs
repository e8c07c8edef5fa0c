using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Metadata;

/// <summary><c>POST /api/v2/metadata-cache/refresh?table=</c>: its asker waits for the source.</summary>
internal static class RefreshTable
{
    public static async Task<IResult> HandleAsync(HttpContext context, MetadataRefresh refresh, string? table = null)
    {
        if (context.Snapshot().Table(table ?? "") is not { } row) return Problem.NotFound($"Unknown table_id: {table}");
        if (!refresh.IsAsked(row))
            return Problem.Detail(
                StatusCodes.Status400BadRequest, $"Table '{row.Id}' does not stay at a source that this server asks: its rows lie here.");
        var done = await refresh.RefreshAsync(row, context.RequestAborted);
        var answer = new JsonObject { ["table_id"] = row.Id, ["status"] = done.Error is null ? "ok" : done.IsNoData ? "no_data" : "error" };
        if (done.Known is { } known)
        {
            answer["rows"] = known.Rows;
            answer["size_bytes"] = known.SizeBytes;
            answer["entity_type"] = known.EntityType;
        }

        if (done.Error is { } error) answer["error"] = error;
        return JsonBody.Of(answer);
    }
}

/// <summary>For the description: written by <see cref="RefreshTable"/>. What the source did not say is left out.</summary>
/// <param name="Status"><c>ok</c>, <c>no_data</c> or <c>error</c>.</param>
internal sealed record RefreshedTable(
    string TableId, string Status, long? Rows = null, long? SizeBytes = null, string? EntityType = null, string? Error = null);
