using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Metrics.Pages;

/// <summary>Definitions and checked questions in a browser.</summary>
internal static class MetricPages
{
    public const string MetricsPath = "/business-metrics";
    public const string QuestionsPath = "/verified-queries";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("").ExcludeFromDescription().SignedIn().MayBeSimulated();
        pages.MapGet(MetricsPath, ShowMetrics.HandleAsync);
        pages.MapGet($"{MetricsPath}/{{**id}}", ShowMetricPage.HandleAsync);
        pages.MapGet(QuestionsPath, () => Results.Redirect($"{MetricsPath}#questions"));
        pages.MapGet($"{QuestionsPath}/{{**id}}", ShowQuestion.HandleAsync);
        routes.MapGet("/admin/metric-check", ShowMetricCheck.HandleAsync).ExcludeFromDescription().Admin();
    }

    /// <summary>The slash of an id belongs to the path; everything else is escaped.</summary>
    public static string Address(string path, string id) => $"{path}/{string.Join('/', id.Split('/').Select(Uri.EscapeDataString))}";
}
