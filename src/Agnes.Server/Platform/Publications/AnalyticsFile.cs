using Agnes.Engine.Publishing;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>
/// Keeps <c>analytics/server.duckdb</c> up to date for other tools. Nothing of ours reads it, so it may lag: a burst of publications makes one new file.
/// The cost grows with the number of all tables, which is why no publication waits for it.
/// </summary>
internal sealed partial class AnalyticsFile(StateDb state, IServiceProvider services, PublishingGate gate, TimeProvider time, ILogger<AnalyticsFile> log) : BackgroundService
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);
    private readonly SemaphoreSlim _wanted = new(0, 1);

    public void Invalidate()
    {
        lock (_wanted)
        {
            if (_wanted.CurrentCount == 0) _wanted.Release();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await _wanted.WaitAsync(stoppingToken);
                await Task.Delay(Settle, time, stoppingToken);
                using var entered = await gate.PrepareAsync(stoppingToken);
                var tables = state.Snapshot.Published.Values.Where(version => version.Parts.Count > 0).OrderBy(version => version.Name, StringComparer.Ordinal);
                await services.GetRequiredService<Publisher>().WriteAnalyticsAsync([.. tables.Select(version => new AnalyticsTable(version.Name, version.Parts))], stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                LogFailed(log, failure);
                Invalidate();
                await Task.Delay(RetryAfter, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(EventId = 6101, Level = LogLevel.Warning, Message = "analytics/server.duckdb could not be written; it is tried again in a minute.")]
    private static partial void LogFailed(ILogger log, Exception failure);
}
