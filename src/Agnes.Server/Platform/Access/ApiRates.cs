using System.Diagnostics;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Platform.Access;

/// <summary>
/// How fast one person, with however many tokens and sessions, may call: a rate, and a burst above it. One number for each person, no lock
/// and no clock but the one that only goes forward; asked once in every request, before its body.
/// </summary>
internal sealed class ApiRates(ServerOptions options, TimeProvider time)
{
    /// <summary>Seconds' worth of calls that may come at once.</summary>
    private const int BurstSeconds = 6;

    /// <summary>
    /// Of an endpoint that declares <see cref="EndpointAccessExtensions.CountsLittle"/>, so many calls are one: a pull fetches thousands of
    /// parts.
    /// </summary>
    private const int LittleCalls = 20;
    private const int PersonsRemembered = 10_000;

    private readonly RecentCache<string, Bucket> _buckets = new(PersonsRemembered);
    private readonly long _interval = options.Limits.CallsPerSecond > 0 ? Stopwatch.Frequency / options.Limits.CallsPerSecond : 0;

    /// <returns>The refusal of somebody who calls too fast.</returns>
    public IResult? Refusal(string userId, bool countsLittle)
    {
        if (_interval == 0) return null;
        if (!_buckets.TryGet(userId, out var bucket)) _buckets.Set(userId, bucket = new Bucket());
        var cost = countsLittle ? _interval / LittleCalls : _interval;
        var over = bucket.Take(time.GetTimestamp(), cost, _interval * options.Limits.CallsPerSecond * BurstSeconds);
        return over <= 0 ? null : RateLimits.TooMany(
            $"Too many requests: {options.Limits.CallsPerSecond} a second for each person, {options.Limits.CallsPerSecond * BurstSeconds} at once. Wait, and send fewer at a time.",
            TimeSpan.FromSeconds((double)over / Stopwatch.Frequency));
    }

    /// <summary>When all that was called so far will have been paid for at the rate.</summary>
    private sealed class Bucket
    {
        private long _paidAt;

        /// <returns>By how much it is too early, in the clock's ticks; nothing is counted then.</returns>
        public long Take(long now, long cost, long burst)
        {
            while (true)
            {
                var before = Volatile.Read(ref _paidAt);
                var after = Math.Max(before, now) + cost;
                if (after - now > burst) return after - now - burst;
                if (Interlocked.CompareExchange(ref _paidAt, after, before) == before) return 0;
            }
        }
    }
}
