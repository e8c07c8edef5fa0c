using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>Notices extracts that somebody else wrote: at the start, and every minute by the file's size, time and inode.</summary>
internal sealed class SourceWatch(SourcePublisher publisher, JobRunner jobs, DiskReserve disk) : IPeriodic
{
    /// <summary>What could not be published may be readable by now, also when its file did not change.</summary>
    private const int LooksBetweenRetries = 10;
    private int _looks;

    public string Name => "the folder of extracts";

    public TimeSpan Every => TimeSpan.FromMinutes(1);

    public TimeSpan First => TimeSpan.Zero;

    public async Task RunAsync(CancellationToken cancellation)
    {
        if (++_looks % LooksBetweenRetries == 0)
        {
            foreach (var trouble in publisher.Troubles) publisher.Forget(trouble.Source);
        }
        if (!disk.IsLow && publisher.Changed().Count > 0) await jobs.StartAsync(PublishJob.Request(_looks == 1 ? "start" : "file"), cancellation);
    }
}
