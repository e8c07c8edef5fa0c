using DuckDB.NET.Data.Native;

namespace DuckDB.NET.Data;

/// <summary>
/// Interrupts the engine when a token is cancelled or a time limit is over. It repeats until the call is over, because a statement that
/// is just starting clears the engine's flag.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private const int RepeatEveryMs = 10;
    private const long TimeoutMsMax = int.MaxValue;

    private readonly ConnectionHandle _handle;
    private readonly CancellationToken _token;
    private readonly TimeSpan _limit;
    private readonly CancellationTokenRegistration _registration;
    private readonly Timer? _timer;
    private readonly Lock _gate = new();
    private bool _over; // under _gate: nobody interrupts the statement after ours
    private volatile bool _timedOut;

    internal Interruption(DuckDBConnection connection, TimeBudget budget, CancellationToken token)
    {
        var limit = budget.Left;
        token.ThrowIfCancellationRequested();
        _handle = connection.Handle;
        _token = token;
        _limit = budget.Limit;
        if (limit > TimeSpan.Zero || token.CanBeCanceled)
            _timer = new Timer(static self => ((Interruption)self!).OnTimer(), this, Timeout.Infinite, Timeout.Infinite);
        if (limit > TimeSpan.Zero) _timer!.Change((long)Math.Min(limit.TotalMilliseconds, TimeoutMsMax), RepeatEveryMs);
        if (token.CanBeCanceled) _registration = token.UnsafeRegister(static self => ((Interruption)self!).OnCancelled(), this);
    }

    /// <summary>What an Interrupt error of the engine means to the caller.</summary>
    internal Exception Translate(DuckDBException error)
    {
        if (error.ErrorType != DuckDBErrorType.Interrupt) return error;
        if (_token.IsCancellationRequested) return new OperationCanceledException(error.Message, error, _token);
        if (!_timedOut) return error;
        var message = $"INTERRUPT Error: the statement took longer than its limit of {_limit.TotalSeconds:0.###} s.";
        return new DuckDBException(message, DuckDBErrorType.Interrupt, new TimeoutException(message));
    }

    public void Dispose()
    {
        if (_timer is null) return;
        lock (_gate) _over = true;
        _registration.Dispose();
        _timer.Dispose();
    }

    private void OnCancelled()
    {
        lock (_gate)
        {
            if (_over) return;
            DuckDBConnection.Interrupt(_handle);
            _timer!.Change(RepeatEveryMs, RepeatEveryMs);
        }
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            if (_over) return;
            if (!_token.IsCancellationRequested) _timedOut = true;
            DuckDBConnection.Interrupt(_handle);
        }
    }
}
