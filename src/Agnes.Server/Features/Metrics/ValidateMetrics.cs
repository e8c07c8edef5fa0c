using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Metrics;

/// <summary><c>GET /api/admin/metrics/validate</c>: each definition's statements are bound to the tables as they are now.</summary>
internal static class ValidateMetrics
{
    public static async Task<IResult> HandleAsync(HttpContext context, Definitions definitions, MetricCheck check)
    {
        var results = await CheckAllAsync(context, definitions, check);
        var metrics = results.Select(result =>
            new ValidatedMetric(result.Id, result.Messages.Count == 0 ? "ok" : "warning", result.Messages));
        return JsonBody.Of(
            new MetricValidation([.. metrics], results.Count, results.Count(result => result.Messages.Count > 0)),
            MetricAnswersJson.Default.MetricValidation);
    }

    /// <returns>Of every definition what is wrong with it.</returns>
    public static async Task<IReadOnlyList<(string Id, IReadOnlyList<string> Messages)>> CheckAllAsync(HttpContext context, Definitions definitions, MetricCheck check)
    {
        var results = new List<(string, IReadOnlyList<string>)>();
        foreach (var metric in (await definitions.OfAsync(context)).Metrics)
        {
            var faults = new List<string>();
            if (metric.TableName is { } table && NamedTable.ByName(context.Snapshot(), table) is null) faults.Add($"{metric.Id}: table '{table}' is not registered");
            await check.ReadAsync(Asker.Of(context), metric, faults, faults, context.RequestAborted);
            results.Add((metric.Id, [.. faults.Select(fault => fault[(metric.Id.Length + 2)..])]));
        }
        return results;
    }
}
