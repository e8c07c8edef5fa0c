namespace Agnes.Server.Platform.Jobs;

/// <summary>Starts a job again and again; one that is still unfinished is left to go on.</summary>
internal sealed partial class JobTimer(JobRequest request, TimeSpan every, JobRunner jobs, TimeProvider time, ILogger<JobTimer> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(every, time, stoppingToken);
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
