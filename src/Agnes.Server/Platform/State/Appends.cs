using System.Data.Common;
using System.Threading.Channels;
using Agnes.Server.Platform.State.Engines;
using Dapper;

namespace Agnes.Server.Platform.State;

/// <summary>Rows that are only ever added, written many in one transaction. The queue is bounded; a caller waits when it is full, since none of these may be lost silently.</summary>
internal sealed class Appends : IAsyncDisposable
{
    public const int QueueRowsMax = 10_000;
    public const int BatchRowsMax = 500;
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    public static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(10);

    private readonly StateStore _store;
    private readonly WriteGate _gate;
    private readonly TimeProvider _time;
    private readonly TokenUses _uses;
    private readonly ILogger _logger;
    private readonly Channel<Row> _queue = Channel.CreateBounded<Row>(new BoundedChannelOptions(QueueRowsMax) { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Task _loop;
    private volatile bool _stopping;

    public Appends(StateStore store, WriteGate gate, TimeProvider time, TokenUses uses, ILogger logger)
    {
        (_store, _gate, _time, _uses, _logger) = (store, gate, time, uses, logger);
        _loop = Task.Run(LoopAsync, CancellationToken.None);
    }

    public async ValueTask AddAsync(string sql, object parameters, CancellationToken cancellation)
    {
        var row = new Row(sql, parameters, Flushed: null);
        if (_queue.Writer.TryWrite(row))
        {
            if (_queue.Reader.Count >= BatchRowsMax) Wake();
            return;
        }
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(WaitMax);
        try
        {
            await _queue.Writer.WriteAsync(row, limit.Token);
        }
        catch (ChannelClosedException)
        {
            throw new StateUnavailableException(StateFailure.Closed, "The server is stopping.");
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw new StateUnavailableException(_gate.Failure?.Reason ?? StateFailure.Overloaded, $"{QueueRowsMax} rows wait to be written.", error);
        }
    }

    public async Task FlushAsync(CancellationToken cancellation)
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _queue.Writer.WriteAsync(new("", "", flushed), cancellation);
        Wake();
        await flushed.Task.WaitAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        _stopping = true;
        _stop.CancelAfter(StopTimeMax);
        Wake();
        await _loop;
        _stop.Dispose();
        _wake.Dispose();
    }

    private void Wake()
    {
        try
        {
            if (_wake.CurrentCount == 0) _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else woke it in between.
        }
    }

    private async Task LoopAsync()
    {
        var batch = new List<Row>(BatchRowsMax);
        while (true)
        {
            var stopping = _stopping;
            if (!stopping) await _wake.WaitAsync(Interval, CancellationToken.None);
            var written = true;
            do
            {
                while (batch.Count < BatchRowsMax && _queue.Reader.TryRead(out var row)) batch.Add(row);
                written = await TryWriteAsync(batch, uses: []);
                if (written) batch.Clear();
            }
            while (written && _queue.Reader.Count > 0);
            if (written) await TryWriteAsync([], _uses.TakeDue(_time.Micros(), all: stopping));
            else if (!_stop.IsCancellationRequested) await Task.Delay(RetryInterval, _time, CancellationToken.None);
            if (!stopping) continue;
            if (!written && !_stop.IsCancellationRequested) continue;
            if (batch.Count > 0) StateLog.AppendsLost(_logger, batch.Count + _queue.Reader.Count);
            return;
        }
    }

    /// <returns>False when it should be tried again later.</returns>
    private async Task<bool> TryWriteAsync(List<Row> batch, IReadOnlyList<TokenUses.UseRow> uses)
    {
        try
        {
            if (batch.Count > 0 || uses.Count > 0) await WriteAsync(batch, uses);
        }
        catch (StateUnavailableException error)
        {
            StateLog.AppendFailed(_logger, error.Reason, error);
            return false;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception error) when (error is DbException or OperationCanceledException or InvalidOperationException or ArgumentException)
        {
            // One row that the engine refuses must not hold up, or take with it, the others.
            foreach (var row in batch) await TryWriteAloneAsync(row);
        }
        foreach (var row in batch) row.Flushed?.TrySetResult();
        return true;
    }

    private async Task TryWriteAloneAsync(Row row)
    {
        try
        {
            await WriteAsync([row], []);
        }
        catch (StateUnavailableException error)
        {
            StateLog.AppendsLost(_logger, 1);
            StateLog.AppendFailed(_logger, error.Reason, error);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            StateLog.AppendRefused(_logger, row.Sql, error);
        }
    }

    private Task WriteAsync(IReadOnlyList<Row> batch, IReadOnlyList<TokenUses.UseRow> uses) => _gate.AppendAsync(
        async (connection, transaction) =>
        {
            foreach (var rows in batch.Where(row => row.Flushed is null).GroupBy(row => row.Sql, StringComparer.Ordinal))
            {
                await RowBatch.ExecuteAsync(connection, transaction, rows.Key, [.. rows.Select(row => row.Parameters)], _stop.Token);
            }
            if (uses.Count > 0) await connection.ExecuteAsync(new(TokenUses.UpdateSql, uses, transaction, cancellationToken: _stop.Token));
        }, _stop.Token);

    /// <param name="Flushed">Set on a mark in the queue, which is no row.</param>
    private sealed record Row(string Sql, object Parameters, TaskCompletionSource? Flushed);
}
