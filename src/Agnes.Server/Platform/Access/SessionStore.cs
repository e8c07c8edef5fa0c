using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>A row of <c>sessions</c>.</summary>
internal sealed record SessionRow
{
    public required string Id { get; init; }
    public required string UserId { get; init; }

    /// <summary>By what the person proved who they are: <c>password</c>, <c>email</c>, <c>google</c>, <c>oidc</c>, <c>link</c>, <c>bootstrap</c> or <c>local</c>.</summary>
    public required string Method { get; init; }
    public DateTime CreatedAt { get; init; }
    public DateTime LastSeenAt { get; init; }
    public DateTime ExpiresAt { get; init; }
    public string? Ip { get; init; }
    public string? UserAgent { get; init; }
    public DateTime? EndedAt { get; init; }
    public string? EndedBy { get; init; }

    /// <summary>See <see cref="KnownSession.TokenHash"/>.</summary>
    public string? TokenHash { get; init; }
}

/// <summary>The only reader and writer of <c>sessions</c>, but for <see cref="KnownSessions"/>, the note of the last use and the loading of what was ended.</summary>
internal static class SessionStore
{
    private const int AddressesMax = 100;

    private const string InsertSql =
        """
        INSERT INTO sessions (id, user_id, method, created_at, last_seen_at, expires_at, ip, user_agent, token_hash)
        VALUES (@Id, @UserId, @Method, @CreatedAt, @LastSeenAt, @ExpiresAt, @Ip, @UserAgent, @TokenHash)
        """;

    private const string EndSql = "UPDATE sessions SET ended_at = @now, ended_by = @by WHERE id = @id AND ended_at IS NULL RETURNING id, expires_at";

    private const string EndIdleSql =
        """
        UPDATE sessions SET ended_at = @now, ended_by = 'idle' WHERE ended_at IS NULL AND expires_at > @now AND last_seen_at < @idle RETURNING id, expires_at
        """;

    public const string ActiveSql =
        """
        SELECT id, user_id, method, created_at, last_seen_at, expires_at, ip, user_agent, ended_at, ended_by FROM sessions
        WHERE user_id = @userId AND ended_at IS NULL AND expires_at > @now ORDER BY created_at DESC, id LIMIT @limit
        """;

    public const string AnyDueSql = "SELECT count(*) FROM sessions WHERE expires_at < @old OR (ended_at IS NULL AND expires_at > @now AND last_seen_at < @idle)";

    /// <summary>Durable, and no change that anybody's access depends on: signing in does not raise the snapshot's version.</summary>
    public static Task InsertAsync(StateWrite write, SessionRow row) => write.ExecuteAsync(InsertSql, row);

    /// <summary>Where the user's sessions of late were begun, the latest first.</summary>
    public static Task<IReadOnlyList<string>> AddressesAsync(StateDb state, string userId, CancellationToken stop) =>
        state.ReadAsync<string>("SELECT ip FROM sessions WHERE user_id = @userId AND ip IS NOT NULL GROUP BY ip ORDER BY max(created_at) DESC LIMIT @limit", new { userId, limit = AddressesMax }, stop);

    /// <summary>Null when there is no such session.</summary>
    public static Task<string?> OwnerAsync(StateWrite write, string id) => write.QueryFirstAsync<string>("SELECT user_id FROM sessions WHERE id = @id", new { id });

    /// <summary>Whether it was there and not ended yet.</summary>
    public static async Task<bool> EndAsync(StateWrite write, string id, string by)
    {
        if (await write.QueryFirstAsync<EndedSession>(EndSql, new { id, by, now = write.Now }) is not { } ended) return false;
        write.Apply(snapshot => snapshot.WithEndedSession(ended));
        return true;
    }

    public static async Task<int> EndIdleAsync(StateWrite write, DateTime idle)
    {
        var ended = await write.QueryAsync<EndedSession>(EndIdleSql, new { now = write.Now, idle });
        foreach (var session in ended) write.Apply(snapshot => snapshot.WithEndedSession(session));
        return ended.Count;
    }

    /// <summary>Rows whose token expired before <paramref name="old"/>, at most so many.</summary>
    /// <returns>How many there were.</returns>
    public static Task<int> ForgetAsync(StateWrite write, DateTime old, int most) =>
        RemoveAsync(write, "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < @old LIMIT @most) RETURNING id", new { old, most });

    /// <summary>With their owner, whom no token brings back.</summary>
    public static Task DeleteOfAsync(StateWrite write, string userId) => RemoveAsync(write, "DELETE FROM sessions WHERE user_id = @userId RETURNING id", new { userId });

    private static async Task<int> RemoveAsync(StateWrite write, string sql, object parameters)
    {
        var ids = await write.QueryAsync<string>(sql, parameters);
        foreach (var id in ids)
        {
            if (write.Current.EndedSessions.ContainsKey(id)) write.Apply(snapshot => snapshot.WithoutEndedSession(id));
        }

        return ids.Count;
    }
}
