using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync;

/// <summary><c>GET /api/sync/runs/{id}/log?after=&amp;limit=</c></summary>
internal static class ShowRunLog
{
    private const int LimitDefault = 1_000;
    private const int LimitMax = 10_000;

    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, string id, string? after = null, string? limit = null)
    {
        var from = QueryNumber.Read("after", after, 0, 0, int.MaxValue);
        var count = QueryNumber.Read("limit", limit, LimitDefault, 1, LimitMax);
        if (await ShowRun.FindAsync(state, id, context.RequestAborted) is null) return Problem.NotFound("Run not found");
        await state.FlushAsync(context.RequestAborted);
        var lines = await state.ReadAsync<JobLogLine>(JobSql.Log, new { id, after = (long)from, limit = count }, context.RequestAborted);
        return JsonBody.Of(
            new RunLog([.. lines.Select(line => new RunLogLine(line.Seq, Timestamps.Naive(line.Ts), line.Line))]), SyncJson.Default.RunLog);
    }
}
