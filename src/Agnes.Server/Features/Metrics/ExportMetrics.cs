using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Metrics;

/// <summary><c>GET /api/admin/metrics/export</c>: <c>{"files":[{"path":"revenue/mrr.yml","content":"…"}],"count"}</c>.</summary>
internal static class ExportMetrics
{
    public static async Task<IResult> HandleAsync(HttpContext context, Definitions definitions)
    {
        var files = new JsonArray();
        // An id that no rule of ours let in (an older import) must not become a path.
        foreach (var metric in (await definitions.OfAsync(context)).Metrics.Where(metric => MetricRules.IsId(metric.Id)))
        {
            files.Add(new JsonObject { ["path"] = $"{metric.Id}.yml", ["content"] = MetricYaml.Write(metric) });
        }
        return JsonBody.Of(new JsonObject { ["files"] = files, ["count"] = files.Count });
    }
}
