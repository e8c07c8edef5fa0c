using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Agnes.Emulators.Jira;

/// <summary>
/// A bucket of tokens for each step, filled by the site's clock. Jira tells of limits by <c>Retry-After</c> (seconds),
/// <c>X-RateLimit-Limit</c>, <c>-Remaining</c>, <c>-Reset</c> (a time in ISO 8601 to the minute), <c>-NearLimit</c> (fewer than a fifth
/// are left) and <c>RateLimit-Reason</c>.
/// </summary>
internal sealed class RateLimiter(JiraSite site)
{
    private readonly Dictionary<Step, (double Tokens, DateTimeOffset At)> _buckets = [];

    public RateLimit? Limit { get; set; }

    /// <summary>Takes a token and says how many are left.</summary>
    /// <returns>How long to wait for one; null: there was one.</returns>
    public TimeSpan? Take(Step step, HttpContext context)
    {
        if (Limit is not { } limit) return null;
        double left;
        TimeSpan? wait = null;
        lock (_buckets)
        {
            var now = site.Now;
            var (tokens, at) = _buckets.TryGetValue(step, out var bucket) ? bucket : (limit.Burst, now);
            left = Math.Min(limit.Burst, tokens + (Math.Max(0, (now - at).TotalSeconds) * limit.PerSecond));
            if (left < 1) wait = TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling((1 - left) / limit.PerSecond)));
            else left--;
            _buckets[step] = (left, now);
        }

        var headers = context.Response.Headers;
        headers["X-RateLimit-Limit"] = limit.Burst.ToString(CultureInfo.InvariantCulture);
        headers["X-RateLimit-Remaining"] = ((int)left).ToString(CultureInfo.InvariantCulture);
        if (left < limit.Burst * 0.2) headers["X-RateLimit-NearLimit"] = "true";
        if (wait is { } pause) Tell(context, pause, site.Now);
        return wait;
    }

    /// <summary>What every 429 says.</summary>
    public static void Tell(HttpContext context, TimeSpan wait, DateTimeOffset now)
    {
        var headers = context.Response.Headers;
        headers.RetryAfter = ((int)wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        headers["X-RateLimit-Reset"] = (now + wait).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture);
        headers["RateLimit-Reason"] = "jira-burst-based";
    }
}
