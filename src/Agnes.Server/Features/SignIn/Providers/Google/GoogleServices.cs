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
        if (!options.Role.RunsJobs()) return;
        services.AddHostedService(provider => ActivatorUtilities.CreateInstance<JobTimer>(provider, GoogleGroupsJob.Request("timer"), GoogleGroupsJob.AfterStart, GoogleGroupsJob.Every));
    }
}
