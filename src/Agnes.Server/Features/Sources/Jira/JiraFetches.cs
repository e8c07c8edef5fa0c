using System.Collections.Concurrent;
using System.Text.Json;
using Agnes.Connectors.Events;
using Agnes.Connectors.Jira;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>
/// Fetches what deliveries left out: comments, history, links, texts as documents. The journal itself is the queue: this reads along behind
/// the folding, asks once for an issue that many deliveries were about, and stores how far everything is fetched. So nothing waits
/// for Jira, a restart loses nothing, and what waits takes no more memory than the keys of so many issues.
/// </summary>
internal sealed partial class JiraFetches(
    JiraSettings settings, JiraAnswers answers, StateDb state, DataFolder folder, TimeProvider time, ILogger<JiraFetches> log) : IPeriodic
{
    private const int PendingMax = 5_000;
    private const int RoundMax = 200;
    private const int EntriesMax = 20_000;
    private const int AtOnceMax = 4;
    private const int TriesMax = 8;
    private static readonly TimeSpan Debounce = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(5);
    private readonly Dictionary<string, Pending> _pending = new(StringComparer.Ordinal); // PendingMax
    private JiraFetchLedger? _ledger;
    private long _read;
    private long _answered; // of the last question that Jira answered
    private long _pausedUntil;
    private int _pauses;
    private FetchCounts _counts = new(0, 0, 0, null, null);

    public string Name => "jira-fetches";

    public TimeSpan Every => TimeSpan.FromMilliseconds(500);

    /// <summary>As it stands now.</summary>
    public FetchCounts Counts => _counts;

    /// <summary>Issues that could not be fetched and are not tried again by themselves, newest last.</summary>
    public IReadOnlyList<FailedFetch> Failed => _ledger?.Failed ?? [];

    public async Task RunAsync(CancellationToken cancellation)
    {
        if (answers.Intake is null || settings.Site?.Impatient is not { } api) return;
        var ledger = _ledger ??= Open();
        await ReadAsync(cancellation);
        if (time.GetTimestamp() >= _pausedUntil && api.Quiet == TimeSpan.Zero) await FetchDueAsync(api, ledger, cancellation);
        ledger.Save(_pending.Count == 0 ? _read : _pending.Values.Min(one => one.Position));
        _counts = _counts with { Waiting = _pending.Count };
    }

    private JiraFetchLedger Open()
    {
        var ledger = JiraFetchLedger.Open(Path.Combine(folder.Source(JiraKind.KindName), "raw"));
        _read = ledger.Position;
        return ledger;
    }

    /// <summary>
    /// Notes what the entries since the last round are about. What is folded is on disk, so nothing is asked for that could
    /// be lost.
    /// </summary>
    private async Task ReadAsync(CancellationToken cancellation)
    {
        var until = state.Snapshot.Tails.GetValueOrDefault(JiraKind.KindName)?.Row.Position ?? 0;
        if (_read > until) _read = until; // the state is older than the ledger: it was restored
        if (_read == until || _pending.Count >= PendingMax) return;
        var due = time.GetTimestamp() + (long)(Debounce.TotalSeconds * time.TimestampFrequency);
        var entries = 0;
        try
        {
            var journal = new JournalReader(Path.Combine(folder.Source(JiraKind.KindName), "journal"));
            await foreach (var entry in journal.ReadAsync(_read, until, cancellation))
            {
                if (entry.Kind == JiraSchema.Delivery) Note(entry, due);
                _read = entry.Next;
                if (_pending.Count >= PendingMax || ++entries >= EntriesMax) return;
            }

            _read = until; // the oldest of it may be dropped already
        }
        catch (InvalidDataException damaged)
        {
            LogSkipped(log, _read, until, damaged);
            _read = until;
        }
    }

    private void Note(JournalEntry entry, long due)
    {
        JiraHead head;
        try
        {
            head = JiraHead.Read(entry.Body.Span);
        }
        catch (JsonException)
        {
            return; // the fold counts it as broken
        }

        if (!JiraKey.IsKey(head.Key)) return;
        if (head.IsDeletion) _pending.Remove(head.Key!);
        else _pending.TryAdd(head.Key!, new Pending(head.Key!, entry.Position) { Due = due });
    }

    private async Task FetchDueAsync(JiraApi api, JiraFetchLedger ledger, CancellationToken cancellation)
    {
        var now = time.GetTimestamp();
        var due = _pending.Values.Where(one => one.Due <= now).OrderBy(one => one.Due).Take(RoundMax).ToList();
        var done = new ConcurrentBag<Pending>(); // RoundMax
        JiraException? ofSite = null;
        await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = AtOnceMax, CancellationToken = cancellation },
            async (one, stop) =>
        {
            if (ofSite is not null) return; // the others would hear the same
            try
            {
                await answers.FetchAsync(api, one.Key, stop);
                _answered = time.GetTimestamp();
                Count(fetched: 1);
                done.Add(one);
            }
            catch (JiraException missing) when (missing.Fault == JiraFault.Missing)
            {
                _answered = time.GetTimestamp();
                Count(missing: 1);
                done.Add(one); // it was deleted, or hidden: its own event says so, or nobody may know
            }
            catch (JiraException fault)
            {
                Count(error: fault.Message);
                if (fault.IsOfSite) ofSite = fault;
                else if (CountAgainst(one, fault)) done.Add(one);
            }
            catch (JournalFullException)
            {
                one.Due = Later(TimeSpan.FromSeconds(5));
            }
        });
        foreach (var one in done)
        {
            if (one.GivenUp is { } why)
            {
                Count(failed: 1);
                ledger.Add(new FailedFetch(one.Key, why, time.GetUtcNow()));
                LogGivenUp(log, one.Key, why);
            }

            _pending.Remove(one.Key);
        }

        if (ofSite is not null) PauseAll(ofSite);
        else if (due.Count > 0) _pauses = 0;
    }

    /// <summary>
    /// A fault counts against the issue only where Jira answers for others: a site that is down for a day costs nobody anything but a day.
    /// </summary>
    /// <returns>Whether it is given up.</returns>
    private bool CountAgainst(Pending one, JiraException fault)
    {
        if (!fault.IsForNow || (_answered > one.Tried && ++one.Tries >= TriesMax)) one.GivenUp = fault.Message;
        one.Tried = time.GetTimestamp();
        one.Due = Later(Shorter(TimeSpan.FromSeconds(2 << Math.Min(one.Waits++, 10)), PauseMax));
        return one.GivenUp is not null;
    }

    private void PauseAll(JiraException fault)
    {
        var wait = fault.RetryAfter ?? TimeSpan.FromSeconds(2 << Math.Min(_pauses++, 10));
        _pausedUntil = Later(Shorter(wait, PauseMax));
        if (_pauses is 1 or 5) LogPaused(log, fault.Message);
    }

    private long Later(TimeSpan wait) => time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private void Count(int fetched = 0, int missing = 0, int failed = 0, string? error = null)
    {
        lock (_pending)
        {
            _counts = new FetchCounts(
                _counts.Fetched + fetched, _counts.Missing + missing, _counts.Failed + failed, fetched > 0 ? time.GetUtcNow()
                    : _counts.LastAt,
                error ?? (fetched > 0 ? null : _counts.LastError))
            { Waiting = _counts.Waiting };
        }
    }

    /// <summary>An issue that is to be asked for.</summary>
    /// <param name="position">Of the first delivery that is not answered by a fetch yet.</param>
    private sealed class Pending(string key, long position)
    {
        public string Key => key;

        public long Position => position;

        public long Due { get; set; }

        public long Tried { get; set; }

        /// <summary>Those that count against it.</summary>
        public int Tries { get; set; }

        public int Waits { get; set; }

        public string? GivenUp { get; set; }
    }

    [LoggerMessage(EventId = 6301, Level = LogLevel.Warning,
        Message = "Issue {Key} could not be fetched from Jira and is not tried again: {Why}")]
    private static partial void LogGivenUp(ILogger log, string key, string why);

    [LoggerMessage(EventId = 6302, Level = LogLevel.Warning, Message = "Jira cannot be asked now, and is asked again later: {Why}")]
    private static partial void LogPaused(ILogger log, string why);

    [LoggerMessage(EventId = 6303, Level = LogLevel.Error,
        Message = "The journal cannot be read from {From}; what came until {Until} is not fetched anew.")]
    private static partial void LogSkipped(ILogger log, long from, long until, Exception fault);
}

/// <param name="Missing">Jira had none, or did not show it.</param>
/// <param name="LastError">Since the last issue that was fetched; null: none.</param>
internal sealed record FetchCounts(long Fetched, long Missing, long Failed, DateTimeOffset? LastAt, string? LastError)
{
    /// <summary>Issues that are to be asked for.</summary>
    public int Waiting { get; init; }
}
