using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Metrics;

/// <summary><c>GET /api/admin/metrics/export</c>: <c>{"files":[{"path":"revenue/mrr.yml","content":"…"}],"count"}</c>.</summary>
internal static class ExportMetrics
{
    public static async Task<IResult> HandleAsync(HttpContext context, Definitions definitions)
    {
        // An id that no rule of ours let in (an older import) must not become a path.
        var files = (await definitions.OfAsync(context)).Metrics.Where(metric => MetricRules.IsId(metric.Id))
            .Select(metric => new MetricFile($"{metric.Id}.yml", MetricYaml.Write(metric))).ToList();
        return JsonBody.Of(new MetricFiles(files, files.Count), MetricAnswersJson.Default.MetricFiles);
    }
}
