namespace Agnes.Server.Platform.Jobs;

/// <summary>Starts a job again and again; one that is still unfinished is left to go on.</summary>
/// <param name="first">How long after the start the first is due: not so long that a server which is restarted often never gets there.</param>
internal sealed partial class JobTimer(JobRequest request, TimeSpan first, TimeSpan every, JobRunner jobs, TimeProvider time, ILogger<JobTimer> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var wait = first;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(wait, time, stoppingToken);
                wait = every;
                await jobs.StartAsync(request, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                LogFailed(log, request.Kind, failure);
            }
        }
    }

    [LoggerMessage(EventId = 6003, Level = LogLevel.Warning, Message = "The {Kind} job could not be started; it is tried again at its next time.")]
    private static partial void LogFailed(ILogger log, string kind, Exception failure);
}
