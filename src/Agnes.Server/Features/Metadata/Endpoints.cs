using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Serving;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metadata;

/// <summary>What sources say of the tables that stay there: asked for by jobs, kept, and shown.</summary>
internal static class MetadataFeature
{
    public static void AddMetadata(this IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton<MetadataCache>();
        services.AddSingleton<IPeriodic>(provider => provider.GetRequiredService<MetadataCache>());
        services.AddSingleton<RemoteColumns>();
        services.AddSingleton<IBelonging, MetadataBelonging>();
        services.AddSingleton<MetadataRefresh>();
        services.AddSingleton<IJobHandler, RefreshJob>();
        services.AddSingleton<IJobHandler, WarmUpJob>();
        services.AddSingleton(provider => RefreshJob.Schedule(
            options, snapshot => provider.GetRequiredService<MetadataRefresh>().TablesOf(snapshot).Count > 0));
        if (options.Role.RunsJobs()) services.AddSingleton<IPeriodic, WarmUp>();
    }

    public static void MapMetadata(this IEndpointRouteBuilder routes)
    {
        var admin = routes.MapGroup("/api/admin").WithTags("metadata").Admin();
        admin.MapPost("/run-bq-metadata-refresh", RunRefresh.HandleAsync).Produces<RefreshRun>()
            .WithSummary("Asks sources about all tables that stay there, and answers when that is done.");
        admin.MapGet("/cache-warmup/status", ShowWarmUp.HandleAsync).Produces<WarmUpAnswer>()
            .WithSummary("How far the last run is that people look on at.");
        admin.MapPost("/cache-warmup/run", RunWarmUp.HandleAsync).Produces<StartedWarmUp>()
            .WithSummary("The same without waiting for the end.");
        admin.MapGet("/cache-warmup/stream", StreamWarmUp.HandleAsync)
            .Produces<string>(contentType: EventStream.ContentType)
            .WithSummary("What happens in such a run, as it happens.");
        var v2 = routes.MapGroup("/api/v2/metadata-cache").WithTags("metadata");
        v2.MapPost("/refresh", RefreshTable.HandleAsync).Produces<RefreshedTable>().Admin()
            .WithSummary("Asks the source about one table: ?table=");
        v2.MapGet("/status", ShowMetadata.HandleAsync).Produces<MetadataStatus>().SignedIn().MayBeSimulated()
            .WithSummary("What sources said of the tables that the caller may read, and when.");
    }
}
