using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Health;

/// <summary><c>GET /api/health/detailed?include=schema</c>. What names tables or sources is for admins; others see how it stands.</summary>
internal static class ShowDetailedHealth
{
    public static IResult Handle(HttpContext context, Checkup checkup, TimeProvider time, string? include = null)
    {
        var services = checkup.Services(withSchema: include == "schema");
        var words = services.Select(service => service.Value!["status"]!.GetValue<string>()).ToList();
        if (!context.Caller().IsAdmin) HideNames(services);

        var answer = new JsonObject { ["status"] = words.Contains("error") ? "unhealthy" : words.Contains("warning") ? "degraded" : "healthy" };
        foreach (var (key, value) in ShowVersion.Describe(checkup)) answer[key] = value?.DeepClone();
        answer["timestamp"] = Timestamps.Offset(time.GetUtcNow());
        answer["services"] = services;
        return JsonBody.Of(answer);
    }

    /// <summary>Also counts: how much there is that one may not see is nobody's business.</summary>
    private static void HideNames(JsonObject services)
    {
        services["data"] = new JsonObject { ["status"] = services["data"]!["status"]!.DeepClone() };
        services["users"] = new JsonObject { ["status"] = "ok" };
        services["walls"] = new JsonObject { ["status"] = services["walls"]!["status"]!.DeepClone() };
        services["sources"] = new JsonObject { ["status"] = services["sources"]!["status"]!.DeepClone() };
    }
}
