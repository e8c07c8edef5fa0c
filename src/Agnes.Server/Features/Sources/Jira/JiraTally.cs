using System.Collections.Concurrent;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>What Jira sent to this process since its start: how much was taken, when, how late, and what was refused and why.</summary>
internal sealed class JiraTally(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, long> _rejected = new(StringComparer.Ordinal); // one for each refusal
    private long _taken;
    private Latest? _last; // exchanged whole

    public long Taken => Interlocked.Read(ref _taken);

    public Latest? Last => Volatile.Read(ref _last);

    public IEnumerable<KeyValuePair<string, long>> Rejected => _rejected;

    /// <param name="said">By Jira's clock, in milliseconds since 1970.</param>
    public void Take(long? said)
    {
        var now = time.GetUtcNow();
        Interlocked.Increment(ref _taken);
        var lag = said is > 0 and < 253_402_300_799_999 ? now - DateTimeOffset.FromUnixTimeMilliseconds(said.Value) : (TimeSpan?)null;
        Volatile.Write(ref _last, new Latest(now, lag));
    }

    /// <param name="reason">Of a few that are constant.</param>
    public void Reject(string reason) => _rejected.AddOrUpdate(reason, 1, static (_, count) => count + 1);

    /// <param name="Lag">From what happened in Jira to its arrival here; null: it did not say when.</param>
    internal sealed record Latest(DateTimeOffset At, TimeSpan? Lag);
}
