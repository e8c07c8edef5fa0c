using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync;

/// <summary><c>POST /api/sync/runs/{id}/cancel</c>: asks a run to end; tables that are done stay done.</summary>
internal static class CancelRun
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, JobRunner jobs, string id)
    {
        if (await ShowRun.FindAsync(state, id, context.RequestAborted) is null) return Problem.NotFound("Run not found");
        var caller = context.Caller();
        var asked = await jobs.CancelAsync(id, context.RequestAborted, write => write.Audit(caller.UserId, "sync_cancel", id, result: "ok"));
        return asked
            ? JsonBody.Of(new CancelledRun(id, "cancelling"), SyncJson.Default.CancelledRun, StatusCodes.Status202Accepted)
            : Problem.Detail(StatusCodes.Status409Conflict, "The run has ended already.");
    }
}
