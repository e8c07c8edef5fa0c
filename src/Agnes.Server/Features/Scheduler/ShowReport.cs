using System.Text.Json.Serialization;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Scheduler;

/// <summary><c>GET /api/admin/scheduler/report</c>: what was reported last, of each job.</summary>
internal static class ShowReport
{
    public static async Task<IResult> HandleAsync(HttpContext context, SchedulerJobs jobs)
    {
        var rows = await jobs.ListAsync(context.RequestAborted);
        return JsonBody.Of(new SchedulerReport([.. rows.Select(SchedulerJobView.Of)]), SchedulerJson.Default.SchedulerReport);
    }
}

internal sealed record SchedulerReport(IReadOnlyList<SchedulerJobView> Jobs);

internal sealed record SchedulerJobView(
    string Name, string LastStarted, string LastFinished, string LastStatus, int? LastHttpStatus, string? LastError,
    int ConsecutiveFailures)
{
    public static SchedulerJobView Of(SchedulerJobRow row) => new(
        row.Name, Timestamps.Naive(row.LastStarted), Timestamps.Naive(row.LastFinished), row.LastStatus, row.LastHttpStatus, row.LastError,
        row.ConsecutiveFailures);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SchedulerReport))]
internal sealed partial class SchedulerJson : JsonSerializerContext;
