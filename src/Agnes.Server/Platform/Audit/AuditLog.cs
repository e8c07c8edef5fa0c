using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Audit;

/// <summary>Which entries are wanted; what is empty does not restrict.</summary>
public sealed record AuditFilter
{
    public string? UserId { get; init; }

    /// <summary>Exact, or a prefix when it ends with <c>*</c>.</summary>
    public string? Action { get; init; }
    public string? Resource { get; init; }
    public DateTime? Since { get; init; }
    public DateTime? Until { get; init; }
}

/// <param name="Next">Gives the following page; nothing on the last one.</param>
public sealed record AuditPage(IReadOnlyList<AuditEntry> Entries, string? Next);

/// <summary>What happened: newest first, in pages that stay put while entries are added.</summary>
/// <param name="options">Where there are none, e.g. in a command, the defaults hold.</param>
public sealed class AuditLog(StateDb state, ServerOptions? options = null)
{
    public const int PageMax = 500;
    internal const string CountedAction = "refusals";

    /// <summary>The result of an entry that is written before something is answered; another one says how it ended.</summary>
    internal const string Started = "started";

    private const long AnswerSeconds = 66;
    private const int EntriesPerAnswer = 2;
    private readonly RefusalCounts _refusals = new((options?.Limits ?? new LimitOptions()).RefusalsStored, AnswersOf(options?.Limits ?? new LimitOptions()));

    /// <param name="cursor">From the page before.</param>
    /// <exception cref="FormatException">The cursor is not one of ours.</exception>
    public async Task<AuditPage> ReadAsync(AuditFilter filter, string? cursor = null, int limit = 50, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, PageMax);
        var sql = new StringBuilder("SELECT id, timestamp, user_id, action, resource, params, result, duration_ms FROM audit_log WHERE 1 = 1");
        if (filter.UserId is not null) sql.Append(" AND user_id = @UserId");
        if (filter.Action is not null) sql.Append(filter.Action.EndsWith('*') ? " AND starts_with(action, @Action)" : " AND action = @Action");
        if (filter.Resource is not null) sql.Append(" AND resource = @Resource");
        if (filter.Since is not null) sql.Append(" AND timestamp >= @Since");
        if (filter.Until is not null) sql.Append(" AND timestamp < @Until");
        var (at, id) = cursor is null ? (default, null) : ParseCursor(cursor);
        if (id is not null) sql.Append(" AND (timestamp, id) < (@at, @id)");
        sql.Append(" ORDER BY timestamp DESC, id DESC LIMIT @limit");
        var parameters = new { filter.UserId, Action = filter.Action?.TrimEnd('*'), filter.Resource, filter.Since, filter.Until, at, id, limit = limit + 1 };
        var entries = await state.ReadAsync<AuditEntry>(sql.ToString(), parameters, cancellation);
        return entries.Count <= limit ? new(entries, null) : new([.. entries.Take(limit)], Cursor(entries[limit - 1]));
    }

    /// <summary>
    /// For what is not a control write: queries, sign-ins that failed. Written within a quarter of a second, see <see cref="StateDb.AppendAsync"/>. Of what is refused to one person a few a minute
    /// get an entry, the rest are counted: see <see cref="RefusalCounts"/>. What was answered gets as many as the rate of calls lets through, so that nobody hides what they read behind
    /// much else, and whatever gets around that rate does not fill the log.
    /// </summary>
    /// <param name="result">Nothing, <c>ok</c> or <see cref="Started"/> for what is answered; anything else is a refusal.</param>
    public ValueTask AppendAsync(
        string? actorUserId, string action, string? resource, JsonObject? parameters = null, string? result = null, int? durationMs = null, CancellationToken cancellation = default)
    {
        return AppendAsync(isAnswer: result is null or "ok" or Started, actorUserId, action, resource, parameters, result, durationMs, cancellation);
    }

    /// <summary>For what is noticed about somebody's calls and what they did not ask for: a few a minute get an entry, as refusals do.</summary>
    public ValueTask NoteAsync(string actorUserId, string action, string? resource, JsonObject? parameters = null, CancellationToken cancellation = default) =>
        AppendAsync(isAnswer: false, actorUserId, action, resource, parameters, null, null, cancellation);

    private ValueTask AppendAsync(
        bool isAnswer, string? actorUserId, string action, string? resource, JsonObject? parameters, string? result, int? durationMs, CancellationToken cancellation)
    {
        var (now, origin) = (state.Options.Time.Micros(), AuditOrigin.Current);
        if (!_refusals.Stores(origin, actorUserId, action, now, isAnswer)) return ValueTask.CompletedTask;
        return state.AppendAsync(AuditEntry.InsertSql, AuditEntry.Create(now, origin, actorUserId, action, resource, parameters, result, durationMs), cancellation);
    }

    /// <summary>A minute's calls with the burst before them. Where the operator wants no rate, all of them: an answer without an entry would be worse than a long log.</summary>
    private static int AnswersOf(LimitOptions limits) => limits.CallsPerSecond > 0 ? (int)Math.Min(int.MaxValue, limits.CallsPerSecond * AnswerSeconds * EntriesPerAnswer) : int.MaxValue;

    /// <summary>Writes what was only counted, an entry for each person or network and minute.</summary>
    /// <param name="all">Also of the minute that is not over.</param>
    internal async Task WriteCountsAsync(bool all, CancellationToken cancellation)
    {
        var now = state.Options.Time.Micros();
        foreach (var counted in _refusals.Take(now, all))
        {
            await state.AppendAsync(AuditEntry.InsertSql, AuditEntry.Create(now, null, counted.UserId, CountedAction, null, counted.Describe(), "counted", null), cancellation);
        }
    }

    private static string Cursor(AuditEntry entry) => string.Create(CultureInfo.InvariantCulture, $"{entry.Timestamp.Ticks:x}.{entry.Id}");

    private static (DateTime At, string Id) ParseCursor(string cursor)
    {
        var dot = cursor.IndexOf('.', StringComparison.Ordinal);
        if (dot < 1 || !long.TryParse(cursor.AsSpan(0, dot), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var ticks) || ticks < 0 || ticks > DateTime.MaxValue.Ticks)
        {
            throw new FormatException("The cursor is not one that an earlier page gave.");
        }
        return (new(ticks, DateTimeKind.Utc), cursor[(dot + 1)..]);
    }
}
