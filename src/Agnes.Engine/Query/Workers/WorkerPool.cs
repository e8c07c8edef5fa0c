using Agnes.Engine.Limits;
using Microsoft.Extensions.Logging;

namespace Agnes.Engine.Query.Workers;

/// <summary>
/// The query workers of this process: started when one is needed, kept warm, replaced when they were ended. Besides the workers for any statement there is one that only
/// takes short ones, from when the first of the others is busy on, so that a <c>SELECT 1</c> never stands behind statements that take minutes. The pool knows its callers: they are
/// served in turn, and none of them holds all workers for long statements, however many it asks for.
/// </summary>
public sealed partial class WorkerPool : IAsyncDisposable
{
    /// <summary>Statements in the queue, over all callers; more are refused at once.</summary>
    internal const int WaitingMax = 64;

    /// <summary>Of them those of one caller, so that none of them fills the queue alone.</summary>
    internal const int WaitingPerCallerMax = 8;

    private static readonly TimeSpan WatchEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>One that already has half its share can take the rest in less than the usual time between two looks.</summary>
    private static readonly TimeSpan WatchLargeEvery = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly List<QueryWorker> _idle = []; // under _gate, last used last
    private readonly List<QueryWorker> _rented = []; // under _gate
    private readonly WaitingLine _waitingShort = new(); // under _gate
    private readonly WaitingLine _waitingLong = new(); // under _gate
    private readonly Dictionary<string, int> _held = new(StringComparer.Ordinal); // under _gate: workers for any statement that each caller has; bounded by them
    private readonly CancellationTokenSource _stop = new();
    private readonly ScratchFolder _fetched;
    private readonly ILogger _log;
    private readonly Task _watch;
    private int _starting; // under _gate, and the counts below
    private int _longs;
    private int _shorts;

    public WorkerPool(WorkerPoolOptions options, TimeProvider time, ILogger<WorkerPool> log)
    {
        Options = options;
        _fetched = options.Scratch.NewFolder("fetched");
        Space = new ResultSpace(options.Scratch, options.SpoolBytes);
        Time = time;
        _log = log;
        _watch = Task.Run(WatchAsync, CancellationToken.None);
    }

    public WorkerPoolOptions Options { get; }

    internal TimeProvider Time { get; }

    /// <summary>The folder of files that live for one statement: workers can read there, and nothing else of the scratch disk.</summary>
    internal string Fetched => _fetched.Path;

    /// <summary>For results that wait to be read.</summary>
    internal ResultSpace Space { get; }

    /// <summary>Starts what will be needed first, so that the first statement does not wait for it.</summary>
    public void Warm()
    {
        lock (_gate)
        {
            StartMissing(isShort: true);
            StartMissing(isShort: false);
        }
    }

    /// <summary>
    /// Workers for any statement that one caller may have at a time: one is always left to the others, where there are several.
    /// </summary>
    internal int HeldMax => Math.Max(1, Options.Workers - 1);

    /// <param name="caller">Whose turn it is.</param>
    /// <param name="isShort">The statement is known, or structurally bound, to take a moment only.</param>
    /// <returns>Null when none came free in time, or too many wait already.</returns>
    internal async Task<QueryWorker?> RentAsync(string caller, bool isShort, string footprint, TimeSpan wait, CancellationToken cancellation)
    {
        Waiter waiter;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
            waiter = new Waiter(caller, isShort, footprint);
            if (TakeIdle(waiter) is { } idle) return idle;
            if (_waitingShort.Count + _waitingLong.Count >= WaitingMax) return null;
            if (_waitingShort.CountOf(caller) + _waitingLong.CountOf(caller) >= WaitingPerCallerMax) return null;
            (isShort ? _waitingShort : _waitingLong).Add(waiter);
            StartMissing(isShort && _longs > 0); // the first worker takes statements of both kinds
        }
        return await WaitAsync(waiter, wait, cancellation);
    }

    /// <summary>Gives a worker back, or what is left of it.</summary>
    /// <param name="wasSmall">It has just done so little that it cannot have grown.</param>
    internal void Return(QueryWorker worker, bool wasSmall = false)
    {
        var usable = !worker.IsLost && (wasSmall || !worker.IsBloated());
        lock (_gate)
        {
            Release(worker);
            if (usable && !_stop.IsCancellationRequested)
            {
                _idle.Add(worker);
                ServeWaiting();
                return;
            }
            CountOut(worker.IsShort);
            ServeWaiting(); // its caller may take an idle one now
            if (!_stop.IsCancellationRequested) StartMissing(worker.IsShort); // kept warm: the next statement does not wait for the start
        }
        LogReplaced(worker.ProcessId, worker.WasOutOfMemory);
        _ = DisposeQuietlyAsync(worker);
    }

    /// <summary>Of all workers that run now.</summary>
    public int[] ProcessIds()
    {
        lock (_gate) return [.. _idle.Concat(_rented).Select(worker => worker.ProcessId)];
    }

    public async ValueTask DisposeAsync()
    {
        List<QueryWorker> workers;
        lock (_gate)
        {
            if (_stop.IsCancellationRequested) return;
            _stop.Cancel();
            workers = [.. _idle, .. _rented];
            _idle.Clear();
            _waitingShort.Clear();
            _waitingLong.Clear();
        }
        foreach (var worker in workers) await worker.DisposeAsync();
        await _watch;
        while (Volatile.Read(ref _starting) > 0) await Task.Delay(WatchEvery, Time, CancellationToken.None);
        _stop.Dispose();
        _fetched.Dispose();
    }

    private async Task<QueryWorker?> WaitAsync(Waiter waiter, TimeSpan wait, CancellationToken cancellation)
    {
        try
        {
            return await waiter.Given.Task.WaitAsync(wait, Time, cancellation);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            lock (_gate) (waiter.IsShort ? _waitingShort : _waitingLong).Remove(waiter);
            // It may have been given one in this very moment.
            if (!waiter.Given.TrySetResult(null) && await waiter.Given.Task is { } late)
            {
                if (e is TimeoutException) return late;
                Return(late);
            }
            if (e is OperationCanceledException) throw;
            return null;
        }
    }

    // All below until the next comment: under _gate.

    /// <returns>The best of those that are idle and that the caller may have; it is the caller's then.</returns>
    private QueryWorker? TakeIdle(Waiter waiter)
    {
        var mayTakeLong = _held.GetValueOrDefault(waiter.Caller) < HeldMax;
        var best = -1;
        var bestScore = -1;
        for (var i = _idle.Count - 1; i >= 0; i--)
        {
            if (_idle[i].IsShort ? !waiter.IsShort : !mayTakeLong) continue;
            var score = (_idle[i].IsWarmFor(waiter.Footprint) ? 2 : 0) + (_idle[i].IsShort ? 1 : 0);
            if (score > bestScore) (best, bestScore) = (i, score);
        }
        if (best < 0) return null;
        var worker = _idle[best];
        _idle.RemoveAt(best);
        if (worker.IsLost)
        {
            CountOut(worker.IsShort); // it died in its sleep
            _ = DisposeQuietlyAsync(worker);
            return TakeIdle(waiter);
        }
        worker.Holder = waiter.Caller;
        if (!worker.IsShort) _held[waiter.Caller] = _held.GetValueOrDefault(waiter.Caller) + 1;
        _rented.Add(worker);
        return worker;
    }

    private void Release(QueryWorker worker)
    {
        if (!_rented.Remove(worker) || worker.IsShort) return;
        if (--_held[worker.Holder] == 0) _held.Remove(worker.Holder);
    }

    /// <summary>Gives idle workers to those who wait, short ones before all others, and each caller in turn.</summary>
    private void ServeWaiting()
    {
        while (_idle.Count > 0 && (_waitingShort.TakeNext(TakeIdle) ?? _waitingLong.TakeNext(TakeIdle)) is { } served)
        {
            if (served.Waiter.Given.TrySetResult(served.Worker)) continue;
            Release(served.Worker); // it has given up in this very moment
            _idle.Add(served.Worker);
        }
    }

    private void StartMissing(bool isShort)
    {
        if (isShort ? _shorts >= 1 : _longs >= Options.Workers) return;
        if (isShort) _shorts++;
        else _longs++;
        _starting++;
        _ = Task.Run(() => StartAsync(isShort), CancellationToken.None);
    }

    private void CountOut(bool isShort)
    {
        if (isShort) _shorts--;
        else _longs--;
    }

    // Not under _gate.

    private async Task StartAsync(bool isShort)
    {
        QueryWorker? worker = null;
        try
        {
            worker = await QueryWorker.StartAsync(Options, Fetched, isShort, _stop.Token);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogNotStarted(e);
            await Task.Delay(RetryAfter, Time, CancellationToken.None);
        }
        lock (_gate)
        {
            _starting--;
            if (worker is not null && !_stop.IsCancellationRequested)
            {
                _idle.Add(worker);
                ServeWaiting();
                return;
            }
            CountOut(isShort);
            if (_waitingShort.Count + _waitingLong.Count > 0 && !_stop.IsCancellationRequested) StartMissing(isShort); // those who wait are refused as busy when their time is over
        }
        if (worker is not null) await worker.DisposeAsync();
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(WatchEvery, Time);
        var watched = new List<QueryWorker>();
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                lock (_gate) watched.AddRange(_rented);
                var anyLarge = false;
                foreach (var worker in watched) anyLarge |= worker.CheckMemory();
                timer.Period = anyLarge ? WatchLargeEvery : WatchEvery;
                watched.Clear();
            }
        }
        catch (OperationCanceledException)
        {
            // The pool is being disposed of.
        }
    }

    private async Task DisposeQuietlyAsync(QueryWorker worker)
    {
        try
        {
            await worker.DisposeAsync();
        }
        catch (IOException e)
        {
            LogNotCleared(e, worker.ProcessId); // its scratch folder; the next start sweeps it
        }
    }

    [LoggerMessage(3001, LogLevel.Information, "Query worker {ProcessId} was ended (too much memory: {OutOfMemory}) and is being replaced.")]
    private partial void LogReplaced(int processId, bool outOfMemory);

    [LoggerMessage(3002, LogLevel.Error, "A query worker could not be started.")]
    private partial void LogNotStarted(Exception error);

    [LoggerMessage(3003, LogLevel.Warning, "The scratch folder of query worker {ProcessId} could not be removed.")]
    private partial void LogNotCleared(Exception error, int processId);
}
