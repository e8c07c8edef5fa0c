using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Metrics;

/// <summary><c>GET /api/metrics?category=</c>. The cost grows with the number of definitions.</summary>
internal static class ListMetrics
{
    public static async Task<IResult> HandleAsync(HttpContext context, Definitions definitions, string? category = null)
    {
        var metrics = (await definitions.OfAsync(context)).Metrics
            .Where(metric => category is null || metric.Category == category)
            .Select(metric => (JsonNode)metric.ToJson()).ToArray();
        return JsonBody.Of(new JsonObject { ["metrics"] = new JsonArray(metrics), ["count"] = metrics.Length });
    }
}
