using Agnes.Server.Web;

namespace Agnes.Server.Features.Metrics.Pages;

/// <summary><c>GET /admin/metric-check</c>: runs the check when it is opened.</summary>
internal static class ShowMetricCheck
{
    public static async Task<IResult> HandleAsync(HttpContext context, Definitions definitions, MetricCheck check)
    {
        var results = await ValidateMetrics.CheckAllAsync(context, definitions, check);
        return Page.Show<MetricCheckPage>(new MetricCheckModel(results.Count, [.. results.Where(result => result.Messages.Count > 0)]));
    }
}
