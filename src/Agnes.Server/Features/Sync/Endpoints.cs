using Agnes.Server.Features.Sync.Alerts;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Serving;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Sync;

/// <summary>Pulling tables from their sources, and looking on.</summary>
internal static class SyncFeature
{
    public static void AddSync(this IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton<IJobHandler, SyncJob>();
        services.AddSingleton<SyncForecasts>();
        services.AddPublicationListener<FollowInputs>();
        services.AddSingleton<PullAlerts>();
        if (options.Alerts.Webhook is not null)
        {
            services.AddOperatorsClient(AlertWebhook.ClientName);
            services.AddSingleton<IOutlet, AlertWebhook>();
        }

        services.AddSingleton(provider =>
        {
            var look = new SyncLook(provider.GetRequiredService<SourceKinds>(), options.SyncEvery);
            return new JobSchedule(SyncJob.KindName, options.SyncEvery, options.SyncEvery, _ => null) { Look = look.Find };
        });
    }

    public static void MapSync(this IEndpointRouteBuilder routes)
    {
        var sync = routes.MapGroup("/api/sync").WithTags("sync");
        sync.MapPost("/trigger", TriggerSync.HandleAsync).Produces<TriggeredAnswer>().Admin().FillsDisk();
        sync.MapPost("/plan", PlanSync.HandleAsync).Produces<SyncPlanAnswer>().Admin().OnlyReads().PerMinute(PlanSync.PerMinuteMax)
            .WithSummary("What a run over the named tables, or over all, would do: nothing is brought.");
        sync.MapGet("/status", SyncStatus.HandleAsync).Produces<SyncLock>().Public();
        sync.MapGet("/runs", ListRuns.HandleAsync).Produces<RunListAnswer>().Admin();
        sync.MapGet("/runs/stream", StreamRuns.HandleAsync).Produces<string>(contentType: EventStream.ContentType).Admin();
        sync.MapGet("/runs/{id}", ShowRun.HandleAsync).Produces<RunAnswer>().Admin();
        sync.MapGet("/runs/{id}/stream", StreamRuns.HandleAsync).Produces<string>(contentType: EventStream.ContentType)
            .Admin();
        sync.MapGet("/runs/{id}/log", ShowRunLog.HandleAsync).Produces<RunLog>().Admin();
        sync.MapPost("/runs/{id}/cancel", CancelRun.HandleAsync).Produces<CancelledRun>(StatusCodes.Status202Accepted).Admin();
    }
}
