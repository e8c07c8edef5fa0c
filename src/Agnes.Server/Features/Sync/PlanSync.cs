using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Sync;

/// <summary>
/// <c>POST /api/sync/plan</c>: what a run over the named tables, or over all, would do. The body is that of <c>/api/sync/trigger</c>. Sources are asked what
/// they have; nothing is brought, and nothing is written.
/// </summary>
internal static class PlanSync
{
    public const int PerMinuteMax = 20;

    public static async Task<IResult> HandleAsync(HttpContext context, RateLimits limits, SyncForecasts forecasts)
    {
        var named = await TriggerSync.ReadAsync(context);
        limits.Take(context, context.Caller().UserId);
        var (targets, unknown) = named is null ? (null, []) : TriggerSync.Resolve(context.Snapshot(), named);
        var ids = targets?.Select(target => target.Id).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var tables = await forecasts.OfAsync(context.Snapshot(), ids, context.RequestAborted);
        return JsonBody.Of(new JsonObject
        {
            ["tables"] = new JsonArray([.. tables]),
            ["unknown"] = new JsonArray([.. unknown.Select(name => (JsonNode)JsonValue.Create(name))]),
        });
    }
}
