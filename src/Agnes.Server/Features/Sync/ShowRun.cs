using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync;

/// <summary><c>GET /api/sync/runs/{id}</c>: one run with what it did to each table.</summary>
internal static class ShowRun
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, string id)
    {
        if (await FindAsync(state, id, context.RequestAborted) is not { } job) return Problem.NotFound("Run not found");
        var steps = await state.ReadAsync<JobStepRow>(JobSql.Steps, new { id }, context.RequestAborted);
        var answer = RunJson.Of(job);
        answer["steps"] = new JsonArray([.. steps.Select(step => (JsonNode)RunJson.Of(step))]);
        return JsonBody.Of(answer);
    }

    public static async Task<JobRow?> FindAsync(StateDb state, string id, CancellationToken cancellation)
    {
        var found = await state.ReadAsync<JobRow>(JobSql.ById, new { id }, cancellation);
        return found is [{ Kind: SyncJob.KindName } job] ? job : null;
    }
}
