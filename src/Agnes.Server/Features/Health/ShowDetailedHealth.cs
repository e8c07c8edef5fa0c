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
        var build = ShowVersion.Describe(checkup);
        var answer = new DetailedHealth(
            words.Contains("error") ? "unhealthy" : words.Contains("warning") ? "degraded" : "healthy",
            build.Version, build.Channel, build.ImageTag, build.CommitSha, build.SchemaVersion, build.DeployedAt,
            Timestamps.Offset(time.GetUtcNow()), services);
        return JsonBody.Of(answer, HealthJson.Default.DetailedHealth);
    }
}

/// <param name="Services">By name, each an object with a <c>status</c> (ok, warning or error) and, for admins, what it is made of.</param>
internal sealed record DetailedHealth(
    string Status, string Version, string Channel, string ImageTag, string CommitSha, int SchemaVersion, string DeployedAt,
    string Timestamp,
    JsonObject Services);
