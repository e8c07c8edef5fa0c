using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Sync.Pages;

/// <summary>Runs, for admins to start and follow.</summary>
internal static class SyncPages
{
    private const int RunsPerPage = 30;

    public static void MapSyncPages(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("/admin/sync").ExcludeFromDescription().Admin();
        pages.MapGet("", ShowSyncAsync);
        pages.MapGet("/{id}", ShowRunAsync);
    }

    private static async Task<IResult> ShowSyncAsync(HttpContext context, StateDb state, TimeProvider time, CancellationToken stop)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var before = context.Request.Query["before"].ToString() is { Length: > 0 } id ? id : null;
        var runs = await SyncRuns.NewestAsync(state, RunsPerPage, before, stop);
        var current = before is null ? runs.FirstOrDefault(run => run.IsRunning) : null;
        return Page.Show<SyncPage>(new SyncModel(
            runs,
            current,
            current is null ? [] : await SyncRuns.StepsAsync(state, current.Id, now, stop),
            runs.Count == RunsPerPage ? $"/admin/sync?before={Uri.EscapeDataString(runs[^1].Id)}" : null,
            !context.Snapshot().TablesById.IsEmpty,
            now));
    }

    private static async Task<IResult> ShowRunAsync(string id, StateDb state, TimeProvider time, CancellationToken stop)
    {
        var now = time.GetUtcNow().UtcDateTime;
        if (await ShowRun.FindAsync(state, id, stop) is not { } job) return Problem.NotFound("There is no such run, or it is so old that it was deleted.");
        var steps = await SyncRuns.StepsAsync(state, id, now, stop);
        var (log, omitted) = await SyncRuns.LogAsync(state, id, stop);
        return Page.Show<SyncRunPage>(new SyncRunModel(SyncRuns.Of(job), steps, log, omitted, now));
    }
}
