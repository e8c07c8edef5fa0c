using Agnes.Connectors;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Engine.Query.Workers;
using Agnes.Engine.Workers;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Serving;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server;

/// <summary>What tables need of the host: the engine's parts, the jobs, and what keeps publications in order.</summary>
internal static class DataPlane
{
    private static readonly TimeSpan PurgeEvery = TimeSpan.FromHours(1);
    private static readonly TimeSpan RetentionEvery = TimeSpan.FromHours(6);

    public static void AddServices(IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(new DataFolder(options.DataDir));
        services.AddSingleton(provider => new Scratch(provider.GetRequiredService<DataFolder>().Scratch, () => provider.GetRequiredService<DiskReserve>().Of(options.DataDir)) { Owner = Processes.NewId() });
        services.AddSingleton<Processes>();
        services.AddHostedService(provider => provider.GetRequiredService<Processes>()); // before what works with it, so that it ends after
        services.AddSingleton<IPeriodic>(provider => provider.GetRequiredService<Processes>());
        services.AddSingleton(Budget.FromEnvironment(options.Memory, Environment.ProcessorCount));
        services.AddSingleton(ChildWalls.ProgramOf(options));
        services.AddSingleton<PartStore>();
        services.AddSingleton<Publisher>();
        services.AddSingleton<IReadOnlyList<Connector>>(ConnectorList.All);
        services.AddSingleton<ExtractRunner>();
        services.AddSingleton(provider => WorkerPoolOptions.From(
            provider.GetRequiredService<Budget>(), provider.GetRequiredService<WorkerProgram>(), provider.GetRequiredService<Scratch>(), provider.GetRequiredService<DataFolder>().Parts, Environment.ProcessorCount));
        services.AddSingleton<WorkerPool>();
        services.AddSingleton<StatementRunner>();
        services.AddSingleton<RemoteQuota>();
        services.AddSingleton(provider => new RemoteBrokers(BrokersOf(provider, options), TimeProvider.System));
        services.AddSingleton<AskedSources>();
        services.AddSingleton(provider => new Scopes(
            provider.GetRequiredService<PartStore>().PathOf,
            version => Verify(provider.GetRequiredService<PartStore>(), version),
            provider.GetRequiredService<AskedSources>().Of,
            provider.GetRequiredService<AskedSources>().At,
            provider.GetRequiredService<DataFolder>().TailsOf));
        services.AddSingleton<Belongings>();
        services.AddSingleton<TableBelongings>();
        services.AddSingleton<TableRegistry>();
        services.AddSingleton<ScopeBodies>();
        services.AddSingleton<Consolidations>();

        services.AddSingleton<PublishingGate>();
        services.AddSingleton<SourcePublisher>();
        services.AddSingleton<Rollback>();
        services.AddSingleton<TableQueries>();
        services.AddSingleton<SourcePull>();
        services.AddSingleton<ConnectionStore>();
        services.AddSingleton<IJobHandler, PublishJob>();
        services.AddSingleton<IJobHandler, TidyJob>();
        services.AddSingleton<IJobHandler, PurgeJob>();
        services.AddSingleton<IJobHandler, ConsolidateJob>();
        services.AddSingleton<IJobHandler, RetentionJob>();
        services.AddSingleton<IRetained, RetainedAudit>();
        services.AddSingleton<IRetained, RetainedHistory>();
        services.AddSingleton<IRetained, RetainedJobs>();
        services.AddSingleton<JobEvents>();
        services.AddSingleton<JobRunner>();
        services.AddPublicationListener<AnalyticsFile>();
        services.AddSingleton<Outgoing>();
        services.AddSingleton<IJobHandler, SendJob>();
        services.AddSingleton<PublicationEvents>();
        services.AddSingleton<IRetained, RetainedPublicationEvents>();
        services.AddSingleton(new JobSchedule(PurgeJob.KindName, PurgeEvery, PurgeEvery, _ => PurgeJob.Request(JobSchedules.Trigger)));
        services.AddSingleton(new JobSchedule(RetentionJob.KindName, PurgeEvery, RetentionEvery, _ => RetentionJob.Request(JobSchedules.Trigger)));
        services.AddHostedService<PeriodicLoop>();
        if (!options.Role.RunsJobs()) return;
        services.AddHostedService(provider => provider.GetRequiredService<JobRunner>());
        services.AddSingleton<IPeriodic>(provider => provider.GetRequiredService<PublicationEvents>());
        services.AddSingleton<IPeriodic>(provider => provider.GetRequiredService<Consolidations>());
        services.AddSingleton<IPeriodic, SourceWatch>();
        services.AddSingleton<IPeriodic, JobSchedules>();
        services.AddSingleton<IPeriodic>(provider => provider.GetRequiredService<Outgoing>());
    }

    /// <summary>One look at each part's file entry: a program that wrote into a linked file must cost its table an error, never a wrong answer.</summary>
    private static RemoteBrokerOptions BrokersOf(IServiceProvider provider, ServerOptions options)
    {
        var budget = provider.GetRequiredService<Budget>();
        var (program, scratch) = (provider.GetRequiredService<WorkerProgram>(), provider.GetRequiredService<Scratch>());
        return new RemoteBrokerOptions(program, scratch, budget.RemoteBrokers, budget.Remote.MemoryBytes)
        {
            AllowedPrivateHosts = options.AllowedPrivateHosts,
        };
    }

    private static void Verify(PartStore parts, PublishedVersion version)
    {
        foreach (var part in version.Parts) parts.PathOf(part.Sha256, part.SizeBytes);
    }
}
