using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>Notes that sessions are in use, for the idle limit and their list: written at most once a minute for each.</summary>
internal sealed partial class SessionUses(StateDb state, TimeProvider time, ILogger<SessionUses> log)
{
    private const int RememberedMax = 10_000;
    private static readonly TimeSpan WriteEvery = TimeSpan.FromMinutes(1);
    private readonly RecentCache<string, Written> _written = new(RememberedMax);

    public void Seen(string sessionId)
    {
        var now = time.GetUtcNow();
        if (_written.TryGet(sessionId, out var last) && now - last.At < WriteEvery) return;
        _written.Set(sessionId, new Written(now));
        _ = WriteAsync(sessionId, now.UtcDateTime);
    }

    /// <summary>A request never fails for it, so its own failure ends in the log.</summary>
    private async Task WriteAsync(string id, DateTime now)
    {
        try
        {
            await state.AppendAsync("UPDATE sessions SET last_seen_at = @now WHERE id = @id AND last_seen_at < @now", new { id, now });
        }
        catch (Exception failure)
        {
            LogNotNoted(log, failure);
        }
    }

    [LoggerMessage(EventId = 5302, Level = LogLevel.Warning, Message = "The use of a session could not be noted.")]
    private static partial void LogNotNoted(ILogger log, Exception failure);

    private sealed record Written(DateTimeOffset At);
}
