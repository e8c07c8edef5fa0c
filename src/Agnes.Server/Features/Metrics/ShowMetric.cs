using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metrics;

/// <summary><c>GET /api/metrics/{category/name}</c></summary>
internal static class ShowMetric
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, string id) =>
        await MetricStore.FindAsync(state, id, context.RequestAborted) is { } metric && MetricScope.Holds(context.Snapshot(), context.Caller(), metric)
            ? JsonBody.Of(metric.ToJson())
            : NotFound(id);

    /// <summary>The same for a hidden and for a never-existing one.</summary>
    public static IResult NotFound(string id) => Problem.NotFound($"Metric '{id}' not found");
}
