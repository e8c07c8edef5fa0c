using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metrics;

/// <summary><c>DELETE /api/admin/metrics/{category/name}</c></summary>
internal static class DeleteMetric
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, string id)
    {
        var by = context.Caller().UserId;
        var existed = await state.WriteAsync(write => MetricStore.DeleteAsync(write, id, by), context.RequestAborted);
        return existed ? JsonBody.Of(new DeletedMetric("deleted", id), MetricAnswersJson.Default.DeletedMetric) : ShowMetric.NotFound(id);
    }
}
