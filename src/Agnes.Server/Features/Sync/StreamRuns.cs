using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Serving;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync;

/// <summary>
/// <c>GET /api/sync/runs/stream</c> and <c>/api/sync/runs/{id}/stream</c>: what happens, as it happens. A stream that starts without a known event id
/// first tells how things stand.
/// </summary>
internal static class StreamRuns
{
    private const int RunsShown = 1;

    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, JobEvents events, TimeProvider time, string? id = null)
    {
        if (id is not null && await ShowRun.FindAsync(state, id, context.RequestAborted) is null) return Problem.NotFound("Run not found");
        var after = context.Request.Headers["Last-Event-ID"].ToString();
        using var watch = events.Watch(SyncJob.KindName, id, after.Length == 0 ? null : after);
        if (watch is null) return Problem.Detail(StatusCodes.Status503ServiceUnavailable, "Too many streams are open; poll /api/sync/runs instead.");

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        await using var stream = EventsAsync(watch, state, events, id, ended.Token).GetAsyncEnumerator(ended.Token);
        await EventStream.WriteAsync(context, stream, time, ended);
        return Results.Empty;
    }

    private static async IAsyncEnumerable<StreamEvent> EventsAsync(JobWatch watch, StateDb state, JobEvents events, string? id, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (!watch.Complete)
        {
            foreach (var standing in await StandingAsync(state, id, cancellation)) yield return standing;
        }
        foreach (var missed in watch.Missed) yield return Of(events, missed);
        await foreach (var happened in watch.Events.ReadAllAsync(cancellation))
        {
            yield return Of(events, happened);
            if (id is not null && happened.Name == "run_done") yield break;
        }
    }

    private static StreamEvent Of(JobEvents events, JobEvent happened) => new(events.IdOf(happened), happened.Name, happened.Data);

    /// <summary>The asked or the newest run as events, from what is stored.</summary>
    private static async Task<List<StreamEvent>> StandingAsync(StateDb state, string? id, CancellationToken cancellation)
    {
        await state.FlushAsync(cancellation);
        var runs = id is null
            ? await state.ReadAsync<JobRow>(JobSql.Newest, new { kind = SyncJob.KindName, limit = RunsShown }, cancellation)
            : await state.ReadAsync<JobRow>(JobSql.ById, new { id }, cancellation);
        var standing = new List<StreamEvent>();
        foreach (var run in runs)
        {
            if (run.StartedAt is null) continue;
            standing.Add(new(null, "run_started", new JsonObject { ["run_id"] = run.Id, ["kind"] = run.Kind, ["trigger"] = run.Trigger, ["attempt"] = run.Attempts }.ToJsonString()));
            foreach (var step in await state.ReadAsync<JobStepRow>(JobSql.Steps, new { id = run.Id }, cancellation))
            {
                var data = RunJson.Of(step);
                data["run_id"] = run.Id;
                standing.Add(new(null, step.Status switch { "running" => "table_started", "failed" => "table_failed", _ => "table_done" }, data.ToJsonString()));
            }
            if (run.FinishedAt is null) continue;
            var done = new JsonObject { ["run_id"] = run.Id, ["status"] = run.Status, ["result"] = run.Result is null ? null : JsonNode.Parse(run.Result) };
            if (run.Error is not null) done["error"] = run.Error;
            standing.Add(new(null, "run_done", done.ToJsonString()));
        }
        return standing;
    }
}
