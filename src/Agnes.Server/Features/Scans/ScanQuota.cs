using System.Globalization;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Scans;

/// <summary>What one person may scan: so many at once on this server, so many bytes a day (UTC) altogether.</summary>
internal sealed class ScanQuota(StateDb state, ServerOptions options, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _running = new(StringComparer.Ordinal); // under _gate; bounded by requests that run

    /// <returns>To be disposed when the scan has ended.</returns>
    /// <exception cref="ProblemException">429, with the seconds until it is worth another try.</exception>
    public async Task<IDisposable> EnterAsync(HttpContext context, string userId)
    {
        var day = Day(clock.GetUtcNow());
        var used = (await state.ReadAsync<long>("SELECT bytes FROM scan_usage WHERE user_id = @userId AND day = @day", new { userId, day }, context.RequestAborted)).FirstOrDefault();
        if (used >= options.Scan.BytesPerDay) throw Refusal(context, "daily_bytes", used, options.Scan.BytesPerDay, SecondsToMidnight(clock.GetUtcNow()));
        if (used == 0) await state.AppendAsync("DELETE FROM scan_usage WHERE user_id = @userId AND day < @day", new { userId, day }, context.RequestAborted);
        lock (_gate)
        {
            var running = _running.GetValueOrDefault(userId);
            if (running >= options.Scan.AtOnce) throw Refusal(context, "concurrent_scans", running, options.Scan.AtOnce, 0);
            _running[userId] = running + 1;
        }

        return new Place(this, userId);
    }

    public ValueTask AddAsync(string userId, long bytes) => state.AppendAsync(
        "INSERT INTO scan_usage (user_id, day, bytes) VALUES (@userId, @day, @bytes) ON CONFLICT (user_id, day) DO UPDATE SET bytes = scan_usage.bytes + excluded.bytes",
        new { userId, day = Day(clock.GetUtcNow()), bytes },
        CancellationToken.None);

    private static ProblemException Refusal(HttpContext context, string kind, long current, long limit, int seconds)
    {
        context.Response.Headers.RetryAfter = Math.Max(1, seconds).ToString(CultureInfo.InvariantCulture);
        return new ProblemException(
            StatusCodes.Status429TooManyRequests,
            Problem.Detail(
                StatusCodes.Status429TooManyRequests,
                new JsonObject { ["error"] = "quota_exceeded", ["kind"] = kind, ["current"] = current, ["limit"] = limit, ["retry_after_seconds"] = seconds }));
    }

    private static string Day(DateTimeOffset now) => now.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static int SecondsToMidnight(DateTimeOffset now) => (int)Math.Ceiling((now.UtcDateTime.Date.AddDays(1) - now.UtcDateTime).TotalSeconds);

    private void Leave(string userId)
    {
        lock (_gate)
        {
            if (--_running[userId] == 0) _running.Remove(userId);
        }
    }

    private sealed class Place(ScanQuota quota, string userId) : IDisposable
    {
        private int _left; // exchanged atomically

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0) quota.Leave(userId);
        }
    }
}
