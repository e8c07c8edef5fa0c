using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metrics;

/// <summary><c>GET /api/admin/metrics/validate</c>: each definition's statements are bound to the tables as they are now.</summary>
internal static class ValidateMetrics
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, MetricCheck check)
    {
        var metrics = new JsonArray();
        var failed = 0;
        foreach (var metric in await state.ReadAsync<MetricRow>(MetricStore.AllSql, null, context.RequestAborted))
        {
            var faults = new List<string>();
            if (metric.TableName is { } table && NamedTable.ByName(context.Snapshot(), table) is null) faults.Add($"{metric.Id}: table '{table}' is not registered");
            await check.ReadAsync(Asker.Of(context), metric, faults, faults, context.RequestAborted);
            if (faults.Count > 0) failed++;
            metrics.Add(new JsonObject
            {
                ["id"] = metric.Id,
                ["status"] = faults.Count == 0 ? "ok" : "warning",
                ["messages"] = new JsonArray([.. faults.Select(fault => (JsonNode)fault[(metric.Id.Length + 2)..])]),
            });
        }
        return JsonBody.Of(new JsonObject { ["metrics"] = metrics, ["count"] = metrics.Count, ["failed"] = failed });
    }
}
