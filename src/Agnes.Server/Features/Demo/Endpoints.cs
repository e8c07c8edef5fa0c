using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Demo;

/// <summary>A server to try out, from nothing, in a minute. It has no endpoints of its own.</summary>
internal static class DemoFeature
{
    public static void AddDemo(this IServiceCollection services, ServerOptions options)
    {
        if (!options.Demo) return;
        services.AddSingleton<DemoSeed>();
        services.AddSingleton<DemoKnowledge>();
        services.AddHostedService<DemoSetup>();
    }
}
