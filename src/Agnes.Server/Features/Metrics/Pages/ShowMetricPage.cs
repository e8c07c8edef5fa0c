using Agnes.Server.Features.Catalog.Pages;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Metrics.Pages;

/// <summary><c>GET /business-metrics/{category/name}</c></summary>
internal static class ShowMetricPage
{
    public static async Task<IResult> HandleAsync(HttpContext context, Definitions definitions, string id)
    {
        var (snapshot, caller) = (context.Snapshot(), context.Caller());
        if ((await definitions.OfAsync(context)).Metric(id) is not { Row: var metric } definition)
            return Problem.NotFound($"There is no metric '{id}' over tables that you may read. Look for it among the metrics, or ask an admin.");
        var table = metric.TableName is { } name && NamedTable.ByName(snapshot, name) is { } found && Access.CanRead(snapshot, caller, found) ? found : null;
        return Page.Show<MetricPage>(new MetricModel(
            metric.Id, metric.DisplayName, metric.Description, [.. Facts(metric), .. caller.IsAdmin ? [("Seen by", Readers(definition))] : Array.Empty<(string, string)>()], metric.TableName, table is null ? null : CatalogEntry.Address(table.Id ?? table.Name),
            MetricJson.Strings(metric.Dimensions), MetricJson.Strings(metric.Synonyms), MetricJson.Strings(metric.Notes), [.. metric.Statements().Select(statement => (Label(statement.Key), statement.Sql))], caller.IsAdmin));
    }

    private static IEnumerable<(string, string)> Facts(MetricRow metric)
    {
        (string, string?)[] all =
        [
            ("Id", metric.Id), ("Type", metric.Type), ("Unit", metric.Unit), ("Grain", metric.Grain), ("Time column", metric.TimeColumn), ("Expression", metric.Expression),
            ("Filters", string.Join(" AND ", MetricJson.Strings(metric.Filters))), ("Checked against", metric.Validation), ("Comes from", metric.Source),
        ];
        foreach (var (label, text) in all)
        {
            if (!string.IsNullOrEmpty(text)) yield return (label, text);
        }
    }

    private static string Readers(Definition<MetricRow> definition) => definition switch
    {
        { IsOpen: false } => "admins only: what it reads is not known (see the metric check)",
        { Tables: [] } => "everybody",
        _ => $"who may read {string.Join(", ", definition.Tables.Select(table => table.Name).Order(StringComparer.Ordinal))}: its SQL reads them, or its text has their names",
    };

    private static string Label(string key) => key == "sql" ? "The definition" : key["sql_".Length..].Replace('_', ' ');
}
