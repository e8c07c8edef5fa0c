using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.Sources.Events;

internal static class EventsServices
{
    public static void AddEvents(this IServiceCollection services)
    {
        services.AddSingleton<EventIntakes>();
        services.AddHostedService(provider => provider.GetRequiredService<EventIntakes>());
        services.AddSingleton<IJobHandler, FoldEventsJob>();
    }
}
