using Agnes.Engine.Query.Workers;
using Agnes.Server.Features.Sync;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Agnes.Server.Features.Demo;

/// <summary>
/// <c>--demo</c>: once the server listens, makes people, groups and tables, pulls and publishes sample data like any other source, and only then writes
/// <c>demo.json</c>: who finds that file finds everything else.
/// </summary>
internal sealed partial class DemoSetup(
    StateDb state, SourceKinds kinds, DemoSeed seed, DemoKnowledge knowledge, JobRunner jobs, WorkerPool workers, ServerOptions options, IServer server, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<DemoSetup> log)
    : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PublishedWithin = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await StartedAsync(stoppingToken);
            var path = DemoFile.PathIn(options.DataDir);
            var contents = await seed.EnsureAsync(await DemoFile.ReadAsync(path, stoppingToken), Address(), stoppingToken);
            await PublishAsync(stoppingToken);
            await knowledge.EnsureAsync(stoppingToken);
            await DemoFile.WriteAsync(path, contents, stoppingToken);
            workers.Warm();
            await DemoGreeting.WriteAsync(contents, path);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            LogStopped(log);
        }
        catch (Exception failure)
        {
            LogFailed(log, failure);
            await Console.Error.WriteLineAsync($"The demo could not be made: {failure.Message}");
            Environment.ExitCode = 1;
            lifetime.StopApplication();
        }
    }

    private async Task StartedAsync(CancellationToken cancellation)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registered = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(cancellation);
    }

    private async Task PublishAsync(CancellationToken cancellation)
    {
        if (Missing().Count == 0) return;
        await jobs.StartAsync(SyncJob.Request(state.Snapshot, kinds, "demo", null, [.. DemoPlan.Tables.Select(table => table.Name)]), cancellation); // one that an earlier start left goes on
        var since = time.GetTimestamp();
        while (Missing().Count > 0)
        {
            await Task.Delay(LookEvery, time, cancellation);
            var unfinished = await state.ReadAsync<long>(JobSql.AnyUnfinished, new { kind = SyncJob.KindName }, cancellation);
            if (unfinished[0] > 0 && time.GetElapsedTime(since) < PublishedWithin) continue;
            if (Missing() is not { Count: > 0 } missing) return;
            var run = (await state.ReadAsync<JobRow>(JobSql.Newest, new { kind = SyncJob.KindName, limit = 1 }, cancellation)).FirstOrDefault();
            throw new InvalidOperationException($"these tables were not published: {string.Join(", ", missing)}. {run?.Error}");
        }
    }

    private List<string> Missing() => [.. DemoPlan.Tables.Select(table => table.Name).Where(name => state.Snapshot.PublishedTable(name) is null)];

    /// <summary>Where the server really listens: the port may have been chosen by the system, and nobody can call <c>0.0.0.0</c>.</summary>
    private string Address()
    {
        if (options.ServerUrl is { } configured) return configured;
        var bound = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? ServerOptions.UrlDefault;
        return bound.Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal).Replace("://[::]", "://localhost", StringComparison.Ordinal).TrimEnd('/');
    }

    [LoggerMessage(EventId = 6301, Level = LogLevel.Error, Message = "The demo could not be made.")]
    private static partial void LogFailed(ILogger log, Exception failure);

    [LoggerMessage(EventId = 6302, Level = LogLevel.Debug, Message = "The server stops before the demo was made; the next start goes on with it.")]
    private static partial void LogStopped(ILogger log);
}
