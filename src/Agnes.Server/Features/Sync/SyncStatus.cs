using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync;

/// <summary><c>GET /api/sync/status</c>: whether a run is waiting or under way. For scripts that upgrade the host, so without credentials.</summary>
internal static class SyncStatus
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state)
    {
        var unfinished = await state.ReadAsync<long>(JobSql.AnyUnfinished, new { kind = SyncJob.KindName }, context.RequestAborted);
        return JsonBody.Of(new SyncLock(unfinished[0] > 0), SyncJson.Default.SyncLock);
    }
}
