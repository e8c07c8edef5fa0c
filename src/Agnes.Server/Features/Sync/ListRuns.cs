using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync;

/// <summary><c>GET /api/sync/runs?limit=&amp;before=</c>: the newest runs, page by page.</summary>
internal static class ListRuns
{
    private const int LimitDefault = 50;
    private const int LimitMax = 500;

    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, string? limit = null, string? before = null)
    {
        var count = QueryNumber.Read("limit", limit, LimitDefault, 1, LimitMax);
        var runs = await state.ReadAsync<JobRow>(before is null ? JobSql.Newest : JobSql.NewestBefore, new { kind = SyncJob.KindName, limit = count, before }, context.RequestAborted);
        return JsonBody.Of(new JsonObject
        {
            ["runs"] = new JsonArray([.. runs.Select(run => (JsonNode)RunJson.Of(run))]),
            ["next"] = runs.Count == count ? runs[^1].Id : null,
        });
    }
}
