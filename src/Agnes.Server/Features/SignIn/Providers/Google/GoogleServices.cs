using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.SignIn.Providers.Google;

/// <summary>The groups of Google Workspace, and the job that keeps them.</summary>
internal static class GoogleServices
{
    public static void AddGoogleGroups(this IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton<GoogleGroups>();
        if (options.SignIn.Google is not { SyncsGroups: true }) return;
        services.AddSingleton<IJobHandler, GoogleGroupsJob>();
        services.AddSingleton(new JobSchedule(GoogleGroupsJob.KindName, GoogleGroupsJob.AfterStart, GoogleGroupsJob.Every, _ => GoogleGroupsJob.Request(JobSchedules.Trigger)));
    }
}
