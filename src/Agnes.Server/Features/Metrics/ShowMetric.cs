using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Metrics;

/// <summary><c>GET /api/metrics/{category/name}</c></summary>
internal static class ShowMetric
{
    public static async Task<IResult> HandleAsync(HttpContext context, Definitions definitions, string id) =>
        (await definitions.OfAsync(context)).Metric(id) is { } metric ? JsonBody.Of(metric.Row.ToJson()) : NotFound(id);

    /// <summary>The same for a hidden and for a never-existing one.</summary>
    public static IResult NotFound(string id) => Problem.NotFound($"Metric '{id}' not found");
}
