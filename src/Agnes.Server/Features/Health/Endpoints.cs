using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Health;

/// <summary>Whether the server is well, for people, scripts and orchestrators.</summary>
internal static class HealthFeature
{
    public static void AddHealth(this IServiceCollection services) => services.AddSingleton<Checkup>();

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.ServiceProvider.GetRequiredService<Checkup>(); // made now: it knows since when the server runs
        var health = routes.MapGroup("/api/health").WithTags("health");
        health.MapGet("", ShowHealth.Handle).Public();
        health.MapGet("/live", ShowHealth.Live).Public();
        health.MapGet("/ready", ShowHealth.Ready).Public();
        health.MapGet("/detailed", ShowDetailedHealth.Handle).SignedIn();
        routes.MapGet("/api/version", ShowVersion.Handle).Public().WithTags("health");
    }
}
