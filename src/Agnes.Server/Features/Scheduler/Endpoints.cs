using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Scheduler;

/// <summary>For a scheduler beside the server, which opens no state: where it keeps what it did last, and where admins see it.</summary>
internal static class SchedulerFeature
{
    public static void AddScheduler(this IServiceCollection services) => services.AddSingleton<SchedulerJobs>();

    public static void MapScheduler(this IEndpointRouteBuilder routes)
    {
        var admin = routes.MapGroup("/api/admin/scheduler").WithTags("scheduler").Admin();
        admin.MapGet("/report", ShowReport.HandleAsync).Produces<SchedulerReport>()
            .WithSummary("What a scheduler beside the server did last, a row a job.");
        admin.MapPost("/report", TakeReport.HandleAsync).Produces<StatusAnswer>()
            .WithSummary("A scheduler tells how a job ended: name, started_at, finished_at, status, http_status, error.");
    }
}
