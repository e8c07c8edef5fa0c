using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metadata;

/// <summary><c>POST /api/admin/run-bq-metadata-refresh</c>: the job goes on where its asker does not wait.</summary>
internal static class RunRefresh
{
    private const string Trigger = "api";
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LookEveryMax = TimeSpan.FromSeconds(1);

    /// <summary>After which the asker is told to look later.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(10);

    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, JobRunner jobs)
    {
        var stop = context.RequestAborted;
        var caller = context.Caller();
        var started = await jobs.StartAsync(
            MetadataJobs.Request(Trigger, caller.Email), stop,
            (write, id) => write.Audit(caller.UserId, "metadata.refresh", null, new JsonObject { ["run_id"] = id }, "ok"));
        return started switch
        {
            JobStart.Started run => await EndAsync(state, run.Id, stop),
            JobStart.Busy busy => await BusyAsync(state, busy.Id, stop),
            _ => Problem.Detail(StatusCodes.Status503ServiceUnavailable, "Too many jobs are waiting. Try again in a few minutes."),
        };
    }

    private static async Task<IResult> EndAsync(StateDb state, string id, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(WaitMax);
        var every = LookEvery;
        try
        {
            while (await FindAsync(state, id, deadline.Token) is var job)
            {
                if (job is null) return Problem.NotFound("The run is no longer known.");
                if (job.FinishedAt is { } finished) return Answer(job, finished);
                await Task.Delay(every, deadline.Token);
                every = every * 2 < LookEveryMax ? every * 2 : LookEveryMax;
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Its end is shown with what is known of the tables.
        }

        return Problem.Detail(
            StatusCodes.Status504GatewayTimeout,
            $"The run {id} goes on. See what is known so far: GET /api/v2/metadata-cache/status");
    }

    private static IResult Answer(JobRow job, DateTime finished)
    {
        if (job.Result is null)
            return Problem.Detail(StatusCodes.Status500InternalServerError, job.Error ?? "The run was ended before it was done.");
        var counts = JsonNode.Parse(job.Result)!;
        var started = job.StartedAt ?? job.CreatedAt;
        return JsonBody.Of(new JsonObject
        {
            ["run_id"] = job.Id,
            ["started_at"] = Timestamps.Naive(started),
            ["total"] = counts["total"]!.DeepClone(),
            ["succeeded"] = counts["succeeded"]!.DeepClone(),
            ["no_data"] = counts["no_data"]!.DeepClone(),
            ["failed"] = counts["failed"]!.DeepClone(),
            ["duration_ms"] = (long)(finished - started).TotalMilliseconds,
        });
    }

    private static async Task<IResult> BusyAsync(StateDb state, string id, CancellationToken stop)
    {
        var running = await FindAsync(state, id, stop);
        return Problem.Detail(StatusCodes.Status409Conflict, new JsonObject
        {
            ["reason"] = "already_running",
            ["run_id"] = id,
            ["started_at"] = running is null ? null : Timestamps.Naive(running.StartedAt ?? running.CreatedAt),
            ["hint"] = "Sources are being asked already. Wait for the end of that run, or look on: GET /api/admin/cache-warmup/stream",
        });
    }

    private static async Task<JobRow?> FindAsync(StateDb state, string id, CancellationToken stop) =>
        (await state.ReadAsync<JobRow>(JobSql.ById, new { id }, stop)).FirstOrDefault();
}

/// <summary>For the description: written by <see cref="RunRefresh"/>, the counts as the job left them.</summary>
internal sealed record RefreshRun(string RunId, string StartedAt, int Total, int Succeeded, int NoData, int Failed, long DurationMs);
