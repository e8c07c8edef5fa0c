using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.Metadata;

/// <summary><c>POST /api/admin/cache-warmup/run</c></summary>
internal static class RunWarmUp
{
    public static async Task<IResult> HandleAsync(HttpContext context, JobRunner jobs, MetadataRefresh refresh)
    {
        var started = await StartAsync(context, jobs, refresh);
        return started switch
        {
            JobStart.Started run => Answer(run.Id, "started"),
            JobStart.Busy busy => Answer(busy.Id, "already_running"),
            _ => Problem.Detail(StatusCodes.Status503ServiceUnavailable, "Too many jobs are waiting. Try again in a few minutes."),
        };
    }

    private static Task<JobStart> StartAsync(HttpContext context, JobRunner jobs, MetadataRefresh refresh)
    {
        var caller = context.Caller();
        var tables = refresh.TablesOf(context.Snapshot()).Select(row => row.Id);
        return jobs.StartAsync(
            WarmUpJob.Request(WarmUpJob.Manual, tables, caller.Email), context.RequestAborted,
            (write, id) => write.Audit(caller.UserId, "metadata.warm_up", null, new JsonObject { ["run_id"] = id }, "ok"));
    }

    private static IResult Answer(string id, string status) =>
        JsonBody.Of(new StartedWarmUp(id, status), MetadataViewsJson.Default.StartedWarmUp);
}

/// <param name="Status"><c>started</c> or <c>already_running</c>.</param>
internal sealed record StartedWarmUp(string RunId, string Status);
