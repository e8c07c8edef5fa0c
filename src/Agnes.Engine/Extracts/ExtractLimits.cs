using System.Diagnostics;
using Agnes.Engine.Limits;

namespace Agnes.Engine.Extracts;

/// <summary>How long a run may take: as long as it gets on, up to a time after which something is wrong.</summary>
/// <param name="Idle">Without a word from the worker, and without work of its processor, for so long: it hangs.</param>
public sealed record ExtractLimits(TimeSpan Idle, TimeSpan Total)
{
    public static ExtractLimits Default { get; } = new(TimeSpan.FromMinutes(15), TimeSpan.FromHours(24));
}

/// <summary>Ends a child that does not get on, or has had all its time.</summary>
internal sealed class ProgressWatch : IAsyncDisposable
{
    /// <summary>Of the idle limit: so often is looked, and so little of it spent computing is no work.</summary>
    private const int LooksPerLimit = 8;
    private const double WorkShare = 0.01;

    private readonly ChildProcess _child;
    private readonly ExtractLimits _limits;
    private readonly CancellationTokenSource _ended = new();
    private readonly Stopwatch _total = Stopwatch.StartNew();
    private readonly Task _watching;
    private TimeSpan _processor;
    private long _lastWord;
    private volatile bool _isPaused;

    public ProgressWatch(ChildProcess child, ExtractLimits limits)
    {
        (_child, _limits) = (child, limits);
        _watching = WatchAsync();
    }

    /// <summary>Why the child was ended; null while it was not.</summary>
    public string? Reason { get; private set; }

    /// <summary>It said something, or is waited for.</summary>
    public void Heard() => Volatile.Write(ref _lastWord, _total.ElapsedTicks);

    /// <summary>Until it is disposed, silence counts for nothing.</summary>
    public IDisposable Pause()
    {
        _isPaused = true;
        return new Resumption(this);
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _watching;
        _ended.Dispose();
    }

    private async Task WatchAsync()
    {
        while (Reason is null)
        {
            await Task.Delay(Shorter(_limits.Idle / LooksPerLimit, _limits.Total / LooksPerLimit), _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_ended.IsCancellationRequested) return;
            Look();
            if (Reason is not null) _child.Kill();
        }
    }

    private void Look()
    {
        var processor = _child.ProcessorTime();
        if (_isPaused || processor - _processor > _limits.Idle * WorkShare)
        {
            _processor = processor;
            Heard();
        }

        var silent = TimeSpan.FromSeconds((_total.ElapsedTicks - Volatile.Read(ref _lastWord)) / (double)Stopwatch.Frequency);
        if (_total.Elapsed > _limits.Total) Reason = $"The run took longer than {InWords(_limits.Total)} and was ended; AGNES_SYNC_HOURS_MAX allows more.";
        else if (silent > _limits.Idle) Reason = $"The run made no progress for {InWords(_limits.Idle)} and was ended.";
    }

    private sealed class Resumption(ProgressWatch watch) : IDisposable
    {
        public void Dispose()
        {
            watch.Heard();
            watch._isPaused = false;
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static string InWords(TimeSpan time) => time switch
    {
        { TotalHours: >= 2 } => $"{time.TotalHours:0.#} hours",
        { TotalMinutes: >= 2 } => $"{time.TotalMinutes:0.#} minutes",
        _ => $"{time.TotalSeconds:0.#} seconds",
    };
}
