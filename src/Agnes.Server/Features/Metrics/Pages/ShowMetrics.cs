using Agnes.Server.Platform.Access;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Metrics.Pages;

/// <summary><c>GET /business-metrics</c></summary>
internal static class ShowMetrics
{
    public static async Task<IResult> HandleAsync(HttpContext context, Definitions definitions)
    {
        var query = ListQuery.From(context.Request, "", []);
        var visible = await definitions.OfAsync(context);
        var metrics = visible.Metrics.ToList();
        return Page.Show<MetricsPage>(new MetricsModel(
            query,
            [.. metrics.Where(metric => Matches(query, metric.Id, metric.DisplayName, metric.Description, metric.Synonyms, metric.TableName))
                .Select(metric => new MetricEntry(metric.Id, metric.DisplayName, metric.Category, metric.Description, metric.Unit, metric.Grain))
                .GroupBy(entry => entry.Category, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal)],
            [.. visible.Queries.Where(row => Matches(query, row.Id, row.Question, row.Description)).Select(row => new QuestionEntry(row.Id, row.Question, row.ReadParameters(), row.IsCanonical))],
            metrics.Count,
            context.Caller().IsAdmin));
    }

    /// <summary>Every word has to be somewhere.</summary>
    private static bool Matches(ListQuery query, params string?[] texts) =>
        query.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries).All(word => texts.Any(text => text is not null && text.Contains(word, StringComparison.OrdinalIgnoreCase)));
}
