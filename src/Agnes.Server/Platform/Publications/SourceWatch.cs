using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>Notices extracts that somebody else wrote: at the start, and every minute by the file's size, time and inode.</summary>
internal sealed partial class SourceWatch(SourcePublisher publisher, JobRunner jobs, DiskReserve disk, TimeProvider time, ILogger<SourceWatch> log) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    /// <summary>What could not be published may be readable by now, also when its file did not change.</summary>
    private const int LooksBetweenRetries = 10;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var trigger = "start";
        for (var look = 1; !stoppingToken.IsCancellationRequested; look++)
        {
            try
            {
                if (look % LooksBetweenRetries == 0)
                {
                    foreach (var trouble in publisher.Troubles) publisher.Forget(trouble.Source);
                }
                if (!disk.IsLow && publisher.Changed().Count > 0) await jobs.StartAsync(PublishJob.Request(trigger), stoppingToken);
                trigger = "file";
                await Task.Delay(LookEvery, time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                LogFailed(log, failure);
                await Task.Delay(LookEvery, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(EventId = 6102, Level = LogLevel.Warning, Message = "The folder of extracts could not be looked at; it is tried again in a minute.")]
    private static partial void LogFailed(ILogger log, Exception failure);
}
