using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.Sources.Jira;

internal static class JiraServices
{
    /// <summary>In the order in which they are shown.</summary>
    public static IReadOnlyList<string> JobKinds { get; } = [BackfillJob.KindName, SlaPollJob.KindName, ConsistencyJob.KindName];

    public static void AddJira(this IServiceCollection services)
    {
        services.AddSingleton<JiraSettings>();
        services.AddSingleton<JiraFiles>();
        services.AddSingleton<JiraAnswers>();
        services.AddSingleton<JiraTally>();
        services.AddSingleton<JiraFetches>();
        services.AddSingleton<IPeriodic>(provider => provider.GetRequiredService<JiraFetches>());
        services.AddSingleton<IssueRows>();
        services.AddSingleton<IJobHandler, BackfillJob>();
        services.AddSingleton<IJobHandler, SlaPollJob>();
        services.AddSingleton<IJobHandler, ConsistencyJob>();
        services.AddSingleton(provider => Schedule(provider, SlaPollJob.KindName, "", SlaPollJob.Every, settings => settings.Levels is null
            ? null : SlaPollJob.Request(isOfUnknown: false, isDryRun: false, JobSchedules.Trigger, null)));
        services.AddSingleton(provider => Schedule(provider, ConsistencyJob.KindName, "", ConsistencyJob.Every, settings =>
            Check(settings, ConsistencyJob.DaysDefault)));
        services.AddSingleton(provider => Schedule(
            provider, ConsistencyJob.KindName, "deep", ConsistencyJob.EveryDeep, settings => Check(settings, ConsistencyJob.DaysDeep)));
    }

    /// <summary>Nothing is started until what Jira sends is taken, and it can be asked.</summary>
    private static JobSchedule Schedule(
        IServiceProvider services, string kind, string subject, TimeSpan every, Func<JiraSettings, JobRequest?> request)
    {
        var settings = services.GetRequiredService<JiraSettings>();
        return new JobSchedule(kind, every, every, _ => settings.Source is null ? null : request(settings)) { Subject = subject };
    }

    private static JobRequest? Check(JiraSettings settings, int days) =>
        settings.Site is null ? null : ConsistencyJob.Request(days, isFixing: true, isDryRun: false, JobSchedules.Trigger, null);
}
