using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Scheduler;

/// <summary><c>GET /api/admin/scheduler/report</c>: what was reported last, of each job.</summary>
internal static class ShowReport
{
    public static async Task<IResult> HandleAsync(HttpContext context, SchedulerJobs jobs) => JsonBody.Of(new JsonObject
    {
        ["jobs"] = new JsonArray([.. (await jobs.ListAsync(context.RequestAborted)).Select(row => (JsonNode)SchedulerJobs.Json(row))]),
    });
}
