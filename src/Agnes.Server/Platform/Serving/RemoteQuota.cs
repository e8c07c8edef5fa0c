using System.Globalization;
using System.Text.Json.Nodes;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Serving;

/// <summary>
/// What one person may have of tables that their laptop does not have: so much at once on this server, so many bytes, statements and
/// dollars a day (UTC) altogether. Statements at other systems and scans of tables here count alike.
/// </summary>
internal sealed class RemoteQuota(StateDb state, ServerOptions options, TimeProvider clock)
{
    private const double BytesPerTerabyte = 1L << 40;
    private const double MicrosPerDollar = 1_000_000;

    private const string AddSql = """
        INSERT INTO scan_usage (user_id, day, bytes, statements, cost_micros) VALUES (@userId, @day, @bytes, @statements, @cost)
        ON CONFLICT (user_id, day) DO UPDATE SET bytes = scan_usage.bytes + excluded.bytes,
            statements = coalesce(scan_usage.statements, 0) + excluded.statements,
            cost_micros = coalesce(scan_usage.cost_micros, 0) + excluded.cost_micros
        """;

    /// <summary>Counts only while no limit is reached: of many that ask at once, one at most goes over it.</summary>
    private const string SpendSql = $"""
        {AddSql}
        WHERE scan_usage.bytes < @bytesMax AND coalesce(scan_usage.statements, 0) < @statementsMax
            AND coalesce(scan_usage.cost_micros, 0) < @costMax
        """;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _running = new(StringComparer.Ordinal); // under _gate; bounded by requests that run

    /// <summary>For one request, which disposes of it at its end.</summary>
    public Budget For(string userId) => new(this, userId);

    /// <summary>In US dollars, for what a metered system reads.</summary>
    public double CostOf(long bytes) => bytes / BytesPerTerabyte * options.Scan.CostPerTerabyte;

    /// <summary>What other systems were asked, into an entry of the audit.</summary>
    public void Describe(IReadOnlyList<RemoteCharge> asked, JsonObject what)
    {
        if (asked.Count == 0) return;
        what["remote"] = new JsonArray([.. asked.Select(charge => new JsonObject
        {
            ["connection"] = charge.Connection,
            ["bytes"] = charge.Bytes,
            ["cost_usd"] = MicrosOf(charge) / MicrosPerDollar,
        })]);
    }

    /// <summary>What a person may still have today; nothing is below zero.</summary>
    public async Task<QuotaLeft> LeftAsync(string userId, CancellationToken cancellation)
    {
        var (scan, used) = (options.Scan, await UsedAsync(userId, Today, cancellation) ?? new Usage(0, 0, 0));
        return new QuotaLeft(
            Math.Max(0, scan.BytesPerDay - used.Bytes),
            scan.StatementsPerDay > 0 ? Math.Max(0, scan.StatementsPerDay - used.Statements) : null,
            scan.CostPerDay > 0 ? Math.Max(0, scan.CostPerDay - used.Cost / MicrosPerDollar) : null);
    }

    private async Task<Usage?> UsedAsync(string userId, string day, CancellationToken cancellation) => (await state.ReadAsync<Usage>(
        "SELECT bytes, coalesce(statements, 0) AS statements, coalesce(cost_micros, 0) AS cost FROM scan_usage WHERE user_id = @userId AND day = @day",
        new { userId, day }, cancellation)).FirstOrDefault();

    private async Task<QuotaExceeded?> UsedUpAsync(string userId, CancellationToken cancellation)
    {
        var (now, scan) = (clock.GetUtcNow(), options.Scan);
        var day = Day(now);
        var used = await UsedAsync(userId, day, cancellation);
        if (used is null)
        {
            await state.AppendAsync("DELETE FROM scan_usage WHERE user_id = @userId AND day < @day", new { userId, day }, cancellation);
            return null;
        }

        var midnight = now.UtcDateTime.Date.AddDays(1) - now.UtcDateTime;
        if (used.Bytes >= scan.BytesPerDay) return new(QuotaExceeded.DailyBytes, used.Bytes, scan.BytesPerDay, midnight);
        if (scan.StatementsPerDay > 0 && used.Statements >= scan.StatementsPerDay)
            return new(QuotaExceeded.DailyStatements, used.Statements, scan.StatementsPerDay, midnight);
        return scan.CostPerDay > 0 && used.Cost / MicrosPerDollar >= scan.CostPerDay
            ? new(QuotaExceeded.DailyCost, used.Cost / MicrosPerDollar, scan.CostPerDay, midnight)
            : null;
    }

    private async Task<QuotaExceeded?> SpendAsync(string userId, string day, RemoteCharge charge, CancellationToken cancellation)
    {
        var scan = options.Scan;
        var parameters = new
        {
            userId,
            day,
            bytes = charge.Bytes,
            statements = 1,
            cost = MicrosOf(charge),
            bytesMax = scan.BytesPerDay,
            statementsMax = scan.StatementsPerDay > 0 ? scan.StatementsPerDay : long.MaxValue,
            costMax = scan.CostPerDay > 0 ? (long)(scan.CostPerDay * MicrosPerDollar) : long.MaxValue,
        };
        // In a transaction of its own and not with the next batch: whoever is killed now has spent it.
        var counted = await state.WriteAsync(write => write.ExecuteAsync(SpendSql, parameters), cancellation);
        return counted > 0 ? null : await UsedUpAsync(userId, cancellation)
            ?? new QuotaExceeded(QuotaExceeded.AtOnce, scan.AtOnce, scan.AtOnce, TimeSpan.Zero); // refunded meanwhile: worth another try
    }

    private ValueTask AddAsync(string userId, string day, long bytes, int statements, long cost) => state.AppendAsync(
        AddSql, new { userId, day, bytes, statements, cost }, CancellationToken.None);

    private QuotaExceeded? Enter(string userId)
    {
        lock (_gate)
        {
            var running = _running.GetValueOrDefault(userId);
            if (running >= options.Scan.AtOnce) return new(QuotaExceeded.AtOnce, running, options.Scan.AtOnce, TimeSpan.Zero);
            _running[userId] = running + 1;
            return null;
        }
    }

    private void Leave(string userId)
    {
        lock (_gate)
        {
            if (--_running[userId] == 0) _running.Remove(userId);
        }
    }

    private long MicrosOf(RemoteCharge charge) => charge.IsMetered ? (long)Math.Ceiling(CostOf(charge.Bytes) * MicrosPerDollar) : 0;

    private string Today => Day(clock.GetUtcNow());

    private static string Day(DateTimeOffset now) => now.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private sealed record Usage(long Bytes, long Statements, long Cost);

    /// <summary>One request's part in what its user may have. It is used by one statement after the other.</summary>
    internal sealed class Budget(RemoteQuota quota, string userId) : IRemoteBudget, IDisposable
    {
        private bool _isOpen;
        private string _spentOn = ""; // what is given back is given back to that day

        public async ValueTask<QuotaExceeded?> OpenAsync(CancellationToken cancellation)
        {
            if (_isOpen) return null;
            if (await quota.UsedUpAsync(userId, cancellation) is { } used) return used;
            if (quota.Enter(userId) is { } full) return full;
            _isOpen = true;
            return null;
        }

        public async ValueTask<QuotaExceeded?> SpendAsync(RemoteCharge charge, CancellationToken cancellation) =>
            await quota.SpendAsync(userId, _spentOn = quota.Today, charge, cancellation);

        public ValueTask RefundAsync(RemoteCharge charge) =>
            quota.AddAsync(userId, _spentOn, -charge.Bytes, -1, -quota.MicrosOf(charge));

        /// <summary>Bytes that left for them, of a table whose rows lie here.</summary>
        public ValueTask SentAsync(long bytes) => quota.AddAsync(userId, quota.Today, bytes, 0, 0);

        public void Dispose()
        {
            if (!_isOpen) return;
            _isOpen = false;
            quota.Leave(userId);
        }
    }
}

/// <param name="Statements">At other systems; null: as many as they like.</param>
/// <param name="CostUsd">Null: no limit.</param>
internal sealed record QuotaLeft(long Bytes, long? Statements, double? CostUsd);
