using Agnes.Server.Platform.State.Engines;

namespace Agnes.Server.Platform.State;

/// <summary>Keeps the log of the embedded engine short, so that a start after a kill is quick: by size, some time after the last write, and at the end.</summary>
internal sealed class Checkpoints : IAsyncDisposable
{
    public const long LogBytesMax = 4L << 20;

    /// <summary>A log this large says that checkpoints do not come through.</summary>
    public const long LogBytesAlarm = 16 * LogBytesMax;
    public static readonly TimeSpan IdleTime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly DuckDbStore _store;
    private readonly WriteGate _gate;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    public Checkpoints(DuckDbStore store, WriteGate gate, TimeProvider time, ILogger logger)
    {
        (_store, _gate, _time, _logger) = (store, gate, time, logger);
        _loop = Task.Run(LoopAsync, CancellationToken.None);
    }

    public Task<bool> RunAsync(CancellationToken cancellation) => _gate.AloneAsync(() => _store.CheckpointAsync(cancellation), cancellation);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        await RunAsync(CancellationToken.None);
        _stop.Dispose();
    }

    /// <summary>Reads do not work either until somebody reopens the engine; there may be no write for long.</summary>
    private async Task<bool> ReopenAsync()
    {
        if (_store.IsDead) await _store.ReopenAsync(_stop.Token);
        return true;
    }

    private async Task LoopAsync()
    {
        using var timer = new PeriodicTimer(Interval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                if (_store.IsDead) await _gate.AloneAsync(ReopenAsync, _stop.Token);
                var bytes = _store.Files.LogBytes;
                if (bytes == 0 || bytes < LogBytesMax && _time.GetElapsedTime(_gate.LastCommit) < IdleTime) continue;
                if (!await RunAsync(_stop.Token) && bytes >= LogBytesAlarm) StateLog.LongLog(_logger, bytes);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The end: one last checkpoint follows.
        }
        catch (StateUnavailableException error)
        {
            StateLog.WriteFailed(_logger, error.Reason, error);
        }
    }
}
