using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Metrics.Pages;

/// <summary><c>GET /admin/metric-check</c>: runs the check when it is opened.</summary>
internal static class ShowMetricCheck
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, MetricCheck check)
    {
        var results = await ValidateMetrics.CheckAllAsync(context, state, check);
        return Page.Show<MetricCheckPage>(new MetricCheckModel(results.Count, [.. results.Where(result => result.Messages.Count > 0)]));
    }
}
