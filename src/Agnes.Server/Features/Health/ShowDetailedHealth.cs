using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Health;

/// <summary><c>GET /api/health/detailed?include=schema</c>. Names, counts and bytes are for admins; others see how it stands with what they may read.</summary>
internal static class ShowDetailedHealth
{
    public static IResult Handle(HttpContext context, Checkup checkup, TimeProvider time, string? include = null)
    {
        var caller = context.Caller();
        var withSchema = include == "schema";
        var services = caller.IsAdmin ? checkup.Services(withSchema) : checkup.ServicesOf(context.Snapshot(), caller, withSchema);
        var words = services.Select(service => service.Value!["status"]!.GetValue<string>()).ToList();

        var answer = new JsonObject { ["status"] = words.Contains("error") ? "unhealthy" : words.Contains("warning") ? "degraded" : "healthy" };
        foreach (var (key, value) in ShowVersion.Describe(checkup)) answer[key] = value?.DeepClone();
        answer["timestamp"] = Timestamps.Offset(time.GetUtcNow());
        answer["services"] = services;
        return JsonBody.Of(answer);
    }
}
