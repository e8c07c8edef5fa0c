using Agnes.Connectors.Events;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Workers;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Events;

/// <summary>
/// One source that sends by itself: keeps what arrives in a journal, has a child fold it into runs of the tail while statements read the one before, and asks for a fold
/// into parts when the tail has grown, or is ten minutes old.
/// </summary>
internal sealed partial class EventIntake(
    EventSource source, StateDb state, JobRunner jobs, WorkerProgram program, Scratch scratch, Budget budget, DataFolder folder, JournalLimits limits, ILogger log) : IAsyncDisposable
{
    private const int RunsMax = 6;
    private const int MergedMin = 4;
    private const long DocumentsMax = 20_000;
    private const long BytesMax = 64 << 20;
    private const long TailBytesMax = 1L << 30;
    private const long TailShare = 10;
    private static readonly TimeSpan FoldAfter = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan FoldAtMostEvery = TimeSpan.FromSeconds(30); // also where one fails
    private static readonly TimeSpan FirstFoldEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FlushEvery = TimeSpan.FromMinutes(5); // so much is folded again after a crash of the machine

    /// <summary>A statement that began before a run was replaced may open its files for so long.</summary>
    private static readonly TimeSpan FilesKept = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan IdlePause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(2);
    private const long JournalKeptBytes = 4L << 30; // of what is folded
    private static readonly TimeSpan WorkerKept = TimeSpan.FromMinutes(1); // a source that is silent costs no process
    private static readonly TimeSpan JournalKept = TimeSpan.FromDays(7);
    private readonly SemaphoreSlim _grown = new(0, 1);
    private readonly SemaphoreSlim _merging = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly string _name = source.Name;
    private volatile EventSource _source = source;
    private volatile bool _isSetAnew;
    private readonly Dictionary<string, long> _unnamed = new(StringComparer.Ordinal); // files that no run names, since when; as many as there are
    private long _folding; // the number of the last run that is being folded into parts; 0: none is
    private long _usedAt;
    private long? _askedAt;
    private long? _sweptAt;
    private long? _flushedAt;
    private long _flushedTo = -1; // nothing was noted yet
    private long? _rewindTo;
    private Journal? _journal;
    private EventWorker? _worker;
    private Task _flushing = Task.CompletedTask;
    private Task _working = Task.CompletedTask;
    private EventCounts _counts = new(0, 0, 0, 0);

    /// <summary>As it is set. What is folded next is folded by that.</summary>
    public EventSource Source
    {
        get => _source;
        set
        {
            if (_source.Options.Count == value.Options.Count && !_source.Options.Except(value.Options).Any()) return;
            _source = value;
            _isSetAnew = true;
        }
    }

    public EventCounts Counts => _counts;

    /// <summary>UTC, of the last delivery that this process took.</summary>
    public DateTime? LastTakenAt { get; private set; }

    /// <summary>Why nothing is folded now; null where it is.</summary>
    public string? Fault { get; private set; }

    /// <inheritdoc cref="Journal.Durable"/>
    public long Durable => _journal?.Durable ?? 0;

    /// <summary>Bytes that are kept and not folded yet.</summary>
    public long Waiting => _journal is { } journal ? journal.Durable - Math.Min(journal.Durable, journal.Folded) : 0;

    /// <summary>Begins to fold the runs that there are into parts: they stay what they are until <see cref="EndFold"/>. Later ones are merged meanwhile.</summary>
    public async Task<IReadOnlyList<TailRun>> BeginFoldAsync(CancellationToken cancellation)
    {
        await _merging.WaitAsync(cancellation); // for as long as a merge takes that is at work
        try
        {
            var runs = state.Snapshot.Tails.GetValueOrDefault(_name)?.Runs ?? [];
            Volatile.Write(ref _folding, runs.Count == 0 ? 0 : runs[^1].Number);
            return runs;
        }
        finally
        {
            _merging.Release();
        }
    }

    public void EndFold() => Volatile.Write(ref _folding, 0);

    private FlushedMark Flushed => new(Path.Combine(folder.Source(_name), "flushed"));

    private string JournalFolder => Path.Combine(folder.Source(_name), "journal");

    /// <exception cref="IOException">Another process has the journal.</exception>
    public void Start()
    {
        Directory.CreateDirectory(folder.Source(_name));
        var known = TailOf(state.Snapshot).Position;
        _journal = Journal.Open(JournalFolder, limits, state.Options.Time, known);
        var folded = Flushed.Begin(known);
        if (folded < known) _rewindTo = folded;
        _journal.Folded = folded;
        _journal.Grown = _ => Wake();
        _working = Task.Run(() => WorkAsync(_stop.Token), CancellationToken.None);
    }

    /// <summary>Returns when it is on disk.</summary>
    /// <exception cref="JournalFullException">It is not taken.</exception>
    public async Task AppendAsync(byte kind, string identity, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        var journal = _journal ?? throw new JournalFullException("Another process takes what this source sends.");
        await journal.AppendAsync(kind, identity, body, cancellation);
        LastTakenAt = state.Options.Time.Micros();
    }

    /// <summary>Where the first entry stands that came at a time or later; the end where there is none.</summary>
    public async Task<long> PositionOfAsync(DateTime since, CancellationToken cancellation)
    {
        var journal = _journal!;
        await foreach (var entry in new JournalReader(JournalFolder).ReadAsync(journal.First, journal.Durable, cancellation))
        {
            if (entry.ReceivedAt >= since) return entry.Position;
        }

        return journal.Durable;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _working;
        await _flushing;
        if (_worker is not null) await _worker.DisposeAsync();
        if (_journal is not null) await _journal.DisposeAsync();
        _stop.Dispose();
        _grown.Dispose();
        _merging.Dispose();
    }

    private EventTailRow TailOf(Snapshot snapshot) => snapshot.Tails.GetValueOrDefault(_name)?.Row ?? EventTails.First(_source, state.Options.Time.Micros());

    public void Wake()
    {
        try
        {
            _grown.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake.
        }
    }

    private async Task WorkAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var more = await FoldAsync(stop);
                Fault = null;
                await MergeAsync(stop);
                await AskForFoldAsync(stop);
                Sweep();
                NoteFlushed();
                if (more) continue;
                if (!await _grown.WaitAsync(IdlePause, stop)) await EndIdleWorkerAsync();
                await Task.Delay(Pause, stop); // what comes together is folded together
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                LogFault(log, _name, fault);
                Fault = fault is Engine.Extracts.WorkerFailedException ? fault.Message : fault.GetType().Name;
                if (_worker is { } lost) await lost.DisposeAsync();
                _worker = null;
                await Task.Delay(FaultPause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <returns>Whether more waits.</returns>
    private async Task<bool> FoldAsync(CancellationToken stop)
    {
        if (_rewindTo is { } lost) await RewindAsync(lost, stop);
        var (tail, until) = (TailOf(state.Snapshot), _journal!.Durable);
        if (tail.Position >= until) return false;
        var answer = await (await WorkerAsync(stop)).AskAsync(new EventWorkerRequest(NextNumber(tail), tail.Position, until), stop);
        if (answer.Counts is { } counts) _counts += counts;
        await state.WriteAsync(
            async write =>
            {
                var now = Current(write);
                var runs = answer.Run is { } run ? [.. RunsOf(write), run] : RunsOf(write);
                var position = now.Position == tail.Position ? answer.Position : now.Position; // somebody had the journal folded again meanwhile
                await write.SaveAsync(now with { Number = now.Number + 1, Position = position, Runs = EventTails.Write(runs), UpdatedAt = write.Now });
            },
            stop);
        _journal.Folded = answer.Position;
        return answer.Position < _journal.Durable;
    }

    /// <summary>Many runs cost every statement; those of a fold into parts have to stay.</summary>
    private async Task MergeAsync(CancellationToken stop)
    {
        if ((state.Snapshot.Tails.GetValueOrDefault(_name)?.Runs.Count ?? 0) <= RunsMax || !await _merging.WaitAsync(0, stop)) return;
        try
        {
            var tail = state.Snapshot.Tails[_name];
            List<TailRun> free = [.. tail.Runs.Where(run => run.Number > Volatile.Read(ref _folding))];
            if (free.Count <= RunsMax) return;
            List<TailRun> merged = [.. free.Skip(FirstToMerge([.. free.Select(run => run.Documents)]))];
            var answer = await (await WorkerAsync(stop)).AskAsync(new EventWorkerRequest(NextNumber(tail.Row), 0, tail.Row.Position, merged), stop);
            await state.WriteAsync(
                async write =>
                {
                    var now = Current(write);
                    await write.SaveAsync(now with { Number = now.Number + 1, Runs = EventTails.Write([.. RunsOf(write).Where(run => run.Number < merged[0].Number), answer.Run!]), UpdatedAt = write.Now });
                },
                stop);
        }
        finally
        {
            _merging.Release();
        }
    }

    /// <summary>
    /// The newest runs are made one, and an older one with them where it is not much larger than they are together: what is in the tail is written again as often as the
    /// logarithm of its size says, not with every few deliveries.
    /// </summary>
    /// <param name="documents">Of each run, oldest first; more than <see cref="RunsMax"/>.</param>
    internal static int FirstToMerge(IReadOnlyList<long> documents)
    {
        var (first, sum) = (documents.Count - 1, documents[^1]);
        while (first > 0 && (documents.Count - first < MergedMin || documents[first - 1] <= 2 * sum)) sum += documents[--first];
        return first;
    }

    private async Task AskForFoldAsync(CancellationToken stop)
    {
        var snapshot = state.Snapshot;
        var tail = snapshot.Tails.GetValueOrDefault(_name);
        var isFirst = snapshot.PublishedNamesOf(_name).IsEmpty;
        var age = state.Options.Time.Micros() - (tail?.Row.FoldedAt ?? DateTime.MinValue);
        var isLarge = tail is not null && IsLarge(tail, snapshot.PublishedNamesOf(_name).Sum(table => snapshot.Published[table].Bytes));
        if (!isFirst && !isLarge && !(tail?.Runs.Count > 0 && age > FoldAfter)) return;
        if (_askedAt is { } asked && state.Options.Time.GetElapsedTime(asked) < (isFirst ? FirstFoldEvery : FoldAtMostEvery)) return;
        _askedAt = state.Options.Time.GetTimestamp();
        await jobs.StartAsync(FoldEventsJob.Request(_name), stop);
    }

    /// <summary>Months are written anew whole: what that costs must stay in proportion to what it is for, so a large source waits for a larger tail.</summary>
    /// <param name="published">Bytes of all its parts.</param>
    internal static bool IsLarge(EventTail tail, long published)
    {
        var bytes = tail.Runs.Sum(run => run.Bytes);
        return bytes > TailBytesMax || bytes > published / TailShare && (bytes > BytesMax || tail.Runs.Sum(run => run.Documents) > DocumentsMax);
    }

    private void Sweep()
    {
        var now = state.Options.Time.GetTimestamp();
        if (_sweptAt is { } swept && state.Options.Time.GetElapsedTime(swept, now) < SweepEvery) return;
        _sweptAt = now;
        var folded = TailOf(state.Snapshot).Position;
        _journal!.DropBefore(folded, state.Options.Time.GetUtcNow().UtcDateTime - JournalKept);
        _journal.DropBefore(folded - JournalKeptBytes, DateTime.MaxValue);
        var tails = folder.TailsOf(_name);
        if (!Directory.Exists(tails)) return;
        var named = (state.Snapshot.Tails.GetValueOrDefault(_name)?.Runs ?? []).SelectMany(run => run.Names).ToHashSet(StringComparer.Ordinal);
        var there = Directory.EnumerateFiles(tails).Select(file => Path.GetFileName(file)).ToHashSet(StringComparer.Ordinal);
        foreach (var file in _unnamed.Keys.Where(file => named.Contains(file) || !there.Contains(file)).ToList()) _unnamed.Remove(file);
        foreach (var file in there.Where(file => !named.Contains(file)))
        {
            if (!_unnamed.TryGetValue(file, out var since)) _unnamed[file] = now;
            else if (state.Options.Time.GetElapsedTime(since, now) > FilesKept) File.Delete(Path.Combine(tails, file));
        }
    }

    private async Task RewindAsync(long position, CancellationToken stop)
    {
        LogRewound(log, _name, position);
        await state.WriteAsync(
            async write =>
            {
                var now = Current(write);
                await write.SaveAsync(now with { Number = now.Number + 1, Position = Math.Min(now.Position, position), UpdatedAt = write.Now });
            },
            stop);
        _rewindTo = null;
    }

    /// <summary>Now and then, beside the folding: a disk may take its time.</summary>
    private void NoteFlushed()
    {
        var now = state.Options.Time.GetTimestamp();
        if (!_flushing.IsCompleted || (_flushedAt is { } flushed && state.Options.Time.GetElapsedTime(flushed, now) < FlushEvery)) return;
        _flushedAt = now;
        var (mark, folded) = (Flushed, TailOf(state.Snapshot).Position);
        if (folded == Volatile.Read(ref _flushedTo)) return; // a source that is silent has nothing to flush
        _flushing = Task.Run(() => SaveFlushed(mark, folded), CancellationToken.None);
    }

    private void SaveFlushed(FlushedMark mark, long folded)
    {
        try
        {
            mark.Save(folded);
            Volatile.Write(ref _flushedTo, folded);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            LogNotFlushed(log, _name, fault); // more is folded again then, should the machine crash
        }
    }

    private async Task EndIdleWorkerAsync()
    {
        if (_worker is not { } idle || state.Options.Time.GetElapsedTime(_usedAt) < WorkerKept) return;
        _worker = null;
        await idle.DisposeAsync();
    }

    private EventTailRow Current(StateWrite write) => TailOf(write.Current);

    private IReadOnlyList<TailRun> RunsOf(StateWrite write) => write.Current.Tails.GetValueOrDefault(_name)?.Runs ?? [];

    /// <summary>Names files: one that was written and never committed, which nobody reads, is written again.</summary>
    private static long NextNumber(EventTailRow tail) => tail.Number + 1;

    private async Task<EventWorker> WorkerAsync(CancellationToken stop)
    {
        if (_isSetAnew && _worker is { } old)
        {
            await old.DisposeAsync();
            _worker = null;
        }

        _isSetAnew = false;
        _usedAt = state.Options.Time.GetTimestamp();
        var now = _source;
        return _worker ??= await EventWorker.StartAsync(
            program, scratch, budget.Publishing, now.Schema, now.Options, JournalFolder, folder.Source(now.Name), folder.TailsOf(now.Name), stop);
    }

    [LoggerMessage(EventId = 6203, Level = LogLevel.Warning, Message = "The machine began anew since {Source} was folded last: the journal is folded again from {Position}.")]
    private static partial void LogRewound(ILogger log, string source, long position);

    [LoggerMessage(EventId = 6204, Level = LogLevel.Warning, Message = "How far the documents of {Source} are on disk could not be noted; it is tried again.")]
    private static partial void LogNotFlushed(ILogger log, string source, Exception fault);

    [LoggerMessage(EventId = 6201, Level = LogLevel.Warning, Message = "What {Source} sent could not be folded; it stays in the journal and is tried again.")]
    private static partial void LogFault(ILogger log, string source, Exception fault);
}
