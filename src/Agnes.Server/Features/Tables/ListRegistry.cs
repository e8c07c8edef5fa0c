using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Registry;

namespace Agnes.Server.Features.Tables;

/// <summary><c>GET /api/admin/registry</c>: all of it, or a page of it with <c>limit</c> and <c>offset</c>.</summary>
internal static class ListRegistry
{
    private const int LimitMax = 100_000;

    public static IResult Handle(HttpContext context, string? limit = null, string? offset = null)
    {
        var snapshot = context.Snapshot();
        var rows = snapshot.TablesById.Values.OrderBy(row => row.Name, StringComparer.Ordinal)
            .Skip(QueryNumber.Read("offset", offset, 0, 0, int.MaxValue))
            .Take(QueryNumber.Read("limit", limit, LimitMax, 1, LimitMax));
        var tables = new JsonArray();
        foreach (var row in rows)
        {
            var table = TableJson.Of(row);
            var state = snapshot.SyncStates.GetValueOrDefault(row.Name);
            table["last_sync_error"] = state is { Status: "error" } ? state.Error : null;
            table["last_sync"] = Timestamps.Naive(state?.LastSync);
            table["schema_drift"] = SchemaDrifts.JsonOf(snapshot, row.Name);
            var pull = snapshot.Pulls.GetValueOrDefault(row.Name);
            table["last_pull"] = Timestamps.Naive(pull?.PulledAt);
            table["sync_failures"] = pull?.Failures ?? 0;
            table["next_try"] = pull is { Failures: > 0 } ? Timestamps.Naive(pull.RetryAt) : null;
            tables.Add(table);
        }
        return JsonBody.Of(new JsonObject { ["tables"] = tables, ["count"] = tables.Count });
    }
}
