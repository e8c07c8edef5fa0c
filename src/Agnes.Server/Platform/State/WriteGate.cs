using System.Data.Common;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.State.Engines;
using Dapper;

namespace Agnes.Server.Platform.State;

/// <summary>
/// The one way to write. Units queue in the order of their arrival; up to <see cref="BatchMax"/> waiting ones share a transaction, and with it the flush to disk.
/// If one of them fails, the transaction is rolled back and each runs alone.
/// </summary>
internal sealed class WriteGate : IAsyncDisposable
{
    public const int BatchMax = 32;

    /// <summary>Units that wait; more callers wait to be let in.</summary>
    public const int QueueMax = 4096;
    public const int AttemptsMax = 12;
    public static readonly TimeSpan UnitTimeMax = TimeSpan.FromSeconds(StateStore.StatementSecondsMax);

    /// <summary>Commits; what one of them left out stays different until it is found.</summary>
    private const int CheckEvery = 8;

    private static readonly AsyncLocal<bool> Inside = new();

    private readonly StateStore _store;
    private readonly StateOptions _options;
    private readonly CurrentSnapshot _current;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Channel<PendingWrite> _queue = Channel.CreateBounded<PendingWrite>(new BoundedChannelOptions(QueueMax) { SingleReader = true });
    private readonly Task _loop;
    private int _unchecked; // of the loop

    public WriteGate(StateStore store, StateOptions options, CurrentSnapshot current, ILogger logger)
    {
        (_store, _options, _current, _logger) = (store, options, current, logger);
        _loop = Task.Run(LoopAsync);
    }

    /// <summary>The last transaction's fault, while writing does not work.</summary>
    public StateUnavailableException? Failure { get; private set; }

    /// <summary>When the last commit was, by the clock that only goes forward.</summary>
    public long LastCommit { get; private set; }

    /// <summary>Units that nobody has begun with.</summary>
    public int Waiting => _queue.Reader.Count;

    public async Task<T> RunAsync<T>(Func<StateWrite, Task<T>> unit, CancellationToken cancellation)
    {
        if (Inside.Value) throw new InvalidOperationException("A write inside a write would wait for itself.");
        var pending = new PendingWrite<T>(unit, cancellation);
        try
        {
            await _queue.Writer.WriteAsync(pending, cancellation);
        }
        catch (ChannelClosedException)
        {
            throw new StateUnavailableException(StateFailure.Closed, "The server is stopping.");
        }
        return await pending.Done;
    }

    /// <summary>Runs something while no unit runs: a checkpoint, a batch of appends.</summary>
    public async Task<T> AloneAsync<T>(Func<Task<T>> work, CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation);
        try
        {
            return await work();
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>A transaction that neither audits nor raises the version.</summary>
    public Task AppendAsync(Func<DbConnection, DbTransaction, Task> write, CancellationToken cancellation) => AloneAsync(
        async () =>
        {
            await TransactAsync(async transaction =>
            {
                await write(transaction.Connection, transaction.Transaction);
                return await transaction.CommitAsync(raise: false, cancellation);
            }, cancellation);
            return true;
        }, cancellation);

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
        _gate.Dispose();
        if (_unchecked > 0 && Failure is null) await CheckAsync(CancellationToken.None);
    }

    private async Task LoopAsync()
    {
        var batch = new List<PendingWrite>(BatchMax);
        while (await _queue.Reader.WaitToReadAsync())
        {
            batch.Clear();
            await _gate.WaitAsync();
            try
            {
                while (batch.Count < BatchMax && _queue.Reader.TryRead(out var pending))
                {
                    if (!pending.Cancelled()) batch.Add(pending);
                }
                if (batch.Count > 0) await RunBatchAsync(batch);
            }
            finally
            {
                _gate.Release();
            }
        }
    }

    private async Task RunBatchAsync(List<PendingWrite> batch)
    {
        var failure = await TryRunAsync(batch);
        if (failure is null) return;
        if (batch.Count == 1 || failure is StateUnavailableException { Reason: not StateFailure.Overloaded })
        {
            // Not the fault of one of them; and where the outcome is unknown, none may run again.
            foreach (var pending in batch) pending.Fail(failure);
            return;
        }
        foreach (var pending in batch)
        {
            if (await TryRunAsync([pending]) is { } error) pending.Fail(error);
        }
    }

    /// <returns>Why nothing was written; nothing when it was.</returns>
    private async Task<Exception?> TryRunAsync(IReadOnlyList<PendingWrite> batch)
    {
        using var limit = new CancellationTokenSource(UnitTimeMax);
        try
        {
            var (before, after) = await TransactAsync(transaction => RunOnceAsync(transaction, batch, limit.Token), limit.Token);
            if (after.Version != before.Version) _current.Swap(after);
            if (_options.CheckSnapshot && ++_unchecked >= CheckEvery) await CheckAsync(limit.Token);
            foreach (var pending in batch) pending.Complete();
            return null;
        }
        catch (OperationCanceledException error) when (limit.IsCancellationRequested)
        {
            return new StateUnavailableException(StateFailure.Overloaded, $"The write took longer than {UnitTimeMax.TotalSeconds} s.", error);
        }
        catch (Exception error)
        {
            return error;
        }
    }

    private async Task<(Snapshot Before, Snapshot After)> RunOnceAsync(StateTransaction transaction, IReadOnlyList<PendingWrite> batch, CancellationToken limit)
    {
        var before = _current.Value;
        if (_store.Engine == StateEngine.Postgres && await transaction.VersionAsync(limit) != before.Version)
        {
            // Another process wrote since: its changes must be known before a unit decides by them.
            before = await SnapshotLoader.LoadAsync(transaction.Connection, limit, transaction.Transaction);
        }
        var after = before;
        bool changed = false, control = false;
        foreach (var pending in batch)
        {
            var write = new StateWrite(transaction.Connection, transaction.Transaction, after, _options.Time.Micros(), limit) { EveryoneByHand = _options.EveryoneByHand, Origin = pending.Origin };
            if (!await pending.RunAsync(write, limit)) continue;
            if (write.AuditEntries.Count > 0) await transaction.Connection.ExecuteAsync(new(AuditEntry.InsertSql, write.AuditEntries, transaction.Transaction, cancellationToken: limit));
            changed |= write.Changed;
            control |= write.IsControl;
            after = write.IsControl ? write.Current with { IsUncommitted = true } : write.Current;
        }
        if (!changed && !control) return (before, before);
        var version = await transaction.CommitAsync(control, limit);
        LastCommit = _options.Time.GetTimestamp();
        return (before, control ? after.Committed(before, version) : before);
    }

    /// <summary>Begins, runs, and says what a failure means. Runs again after a lost race.</summary>
    private async Task<T> TransactAsync<T>(Func<StateTransaction, Task<T>> run, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var transaction = await _store.BeginAsync(cancellation);
                var result = await run(transaction);
                Failure = null;
                return result;
            }
            catch (Exception error) when (_store.IsConflict(error) && attempt < AttemptsMax)
            {
                StateLog.Conflict(_logger, attempt, error.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(1, 2 << Math.Min(attempt, 6))), cancellation);
            }
            catch (Exception error)
            {
                var translated = error as StateUnavailableException ?? _store.Translate(error);
                if (translated is null) throw;
                Failure = translated;
                StateLog.WriteFailed(_logger, translated.Reason, error);
                if (_store.IsFatal(error)) await _store.ReopenAsync(cancellation);
                ExceptionDispatchInfo.Throw(translated);
            }
        }
    }

    private async Task CheckAsync(CancellationToken cancellation)
    {
        _unchecked = 0;
        await using var reader = await _store.ReaderAsync(cancellation);
        var stored = await SnapshotLoader.LoadAsync(reader.Connection, cancellation);
        var differences = stored.Differences(_current.Value);
        if (differences.Count > 0 && stored.Version == _current.Value.Version) throw new InvalidOperationException(
            $"The snapshot is not what was written (Apply is missing or wrong): {string.Join("; ", differences)}");
    }

    private abstract class PendingWrite
    {
        /// <summary>Taken where the write was asked for; it runs elsewhere.</summary>
        public AuditOrigin? Origin { get; } = AuditOrigin.Current;

        /// <summary>Likewise.</summary>
        protected WriteRight? Right { get; } = WriteRight.Current;

        /// <returns>False when it failed without having touched anything, so that the others in the transaction can go on.</returns>
        public abstract Task<bool> RunAsync(StateWrite write, CancellationToken limit);

        public abstract void Complete();

        public abstract void Fail(Exception error);

        public abstract bool Cancelled();
    }

    private sealed class PendingWrite<T>(Func<StateWrite, Task<T>> unit, CancellationToken cancellation) : PendingWrite
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;
        private Exception? _refusal;

        public Task<T> Done => _done.Task;

        public override async Task<bool> RunAsync(StateWrite write, CancellationToken limit)
        {
            _refusal = null;
            Inside.Value = true; // ends with this method
            try
            {
                if (Right?.Refusal(write.Before) is { } gone) throw gone;
                _result = await unit(write).WaitAsync(limit);
                return true;
            }
            catch (Exception error) when (!write.Changed && !write.SqlFailed && !limit.IsCancellationRequested)
            {
                _refusal = error;
                return false;
            }
            finally
            {
                write.Close();
            }
        }

        public override void Complete()
        {
            if (_refusal is null) _done.TrySetResult(_result!);
            else _done.TrySetException(_refusal);
        }

        public override void Fail(Exception error) => _done.TrySetException(error);

        public override bool Cancelled() => cancellation.IsCancellationRequested && _done.TrySetCanceled(cancellation);
    }
}
