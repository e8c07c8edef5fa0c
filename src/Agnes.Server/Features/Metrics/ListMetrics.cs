using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metrics;

/// <summary><c>GET /api/metrics?category=</c>. The cost grows with the number of definitions.</summary>
internal static class ListMetrics
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, string? category = null)
    {
        var metrics = (await VisibleAsync(state, context.Snapshot(), context.Caller(), context.RequestAborted))
            .Where(metric => category is null || metric.Category == category)
            .Select(metric => (JsonNode)metric.ToJson()).ToArray();
        return JsonBody.Of(new JsonObject { ["metrics"] = new JsonArray(metrics), ["count"] = metrics.Length });
    }

    /// <summary>By name.</summary>
    public static async Task<IReadOnlyList<MetricRow>> VisibleAsync(StateDb state, Snapshot snapshot, Caller caller, CancellationToken stop) =>
        [.. (await state.ReadAsync<MetricRow>(MetricStore.AllSql, null, stop)).Where(metric => MetricScope.Holds(snapshot, caller, metric))];
}
