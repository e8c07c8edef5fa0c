namespace Agnes.Server.Platform.Audit;

/// <summary>Writes the counts of refusals once their minute is over, and all of them at the end.</summary>
internal sealed partial class RefusalWriter(AuditLog audit, TimeProvider time, ILogger<RefusalWriter> log) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await WriteAsync(all: true, cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(LookEvery, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await WriteAsync(all: false, stoppingToken);
        }
    }

    private async Task WriteAsync(bool all, CancellationToken stop)
    {
        try
        {
            await audit.WriteCountsAsync(all, stop);
        }
        catch (Exception failure)
        {
            LogFailed(log, failure);
        }
    }

    [LoggerMessage(EventId = 5303, Level = LogLevel.Warning, Message = "How much was refused in a minute could not be written to the audit log.")]
    private static partial void LogFailed(ILogger log, Exception failure);
}
