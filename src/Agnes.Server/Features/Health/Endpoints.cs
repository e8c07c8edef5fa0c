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
        health.MapGet("", ShowHealth.Handle).Produces<HealthView>().Public();
        health.MapGet("/live", ShowHealth.Live).Produces<ReadinessView>().Public();
        health.MapGet("/ready", ShowHealth.Ready).Produces<ReadinessView>().Produces<ReadinessView>(StatusCodes.Status503ServiceUnavailable)
            .Public();
        health.MapGet("/detailed", ShowDetailedHealth.Handle).Produces<DetailedHealth>().SignedIn();
        routes.MapGet("/api/version", ShowVersion.Handle).Produces<VersionView>().Public().WithTags("health");
    }
}
