using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn.Providers;

/// <summary>A row of <c>sign_in_identities</c>.</summary>
internal sealed record IdentityRow
{
    public required string Issuer { get; init; }
    public required string Subject { get; init; }
    public required string UserId { get; init; }
    public required string Email { get; init; }
    public DateTime LinkedAt { get; init; }
    public DateTime LastUsedAt { get; init; }
}

/// <summary>Which subject of which issuer is which user. The only reader and writer of <c>sign_in_identities</c> and <c>sign_in_states</c>.</summary>
internal static class Identities
{
    private const string FindSql = "SELECT * FROM sign_in_identities WHERE issuer = @issuer AND subject = @subject";
    private const string OfUserSql = "SELECT * FROM sign_in_identities WHERE issuer = @issuer AND user_id = @userId LIMIT 1";
    private const string InsertSql = "INSERT INTO sign_in_identities (issuer, subject, user_id, email, linked_at, last_used_at) VALUES (@Issuer, @Subject, @UserId, @Email, @LinkedAt, @LastUsedAt)";
    private const string UseSql = "UPDATE sign_in_identities SET email = @email, last_used_at = @now WHERE issuer = @issuer AND subject = @subject";
    private const string TakeStateSql = "INSERT INTO sign_in_states (state_sha256, used_at) VALUES (@hash, @now) ON CONFLICT (state_sha256) DO NOTHING RETURNING state_sha256";

    /// <summary>Users whom the issuer vouched for since.</summary>
    public const string RecentSql = "SELECT DISTINCT user_id FROM sign_in_identities WHERE issuer = @issuer AND last_used_at >= @since";

    public static Task<IdentityRow?> FindAsync(StateWrite write, string issuer, string subject) => write.QueryFirstAsync<IdentityRow>(FindSql, new { issuer, subject });

    public static Task<IdentityRow?> OfUserAsync(StateWrite write, string issuer, string userId) => write.QueryFirstAsync<IdentityRow>(OfUserSql, new { issuer, userId });

    public static Task LinkAsync(StateWrite write, string issuer, string subject, string userId, string email) => write.ExecuteAsync(
        InsertSql, new IdentityRow { Issuer = issuer, Subject = subject, UserId = userId, Email = email, LinkedAt = write.Now, LastUsedAt = write.Now });

    public static Task UsedAsync(StateWrite write, string issuer, string subject, string email) => write.ExecuteAsync(UseSql, new { issuer, subject, email, now = write.Now });

    public static Task DeleteOfAsync(StateWrite write, string userId) => write.ExecuteAsync("DELETE FROM sign_in_identities WHERE user_id = @userId", new { userId });

    /// <summary>Whether the state had not come back before; it counts as used from now on. States older than <paramref name="lifetime"/> are refused anyhow and forgotten.</summary>
    public static async Task<bool> TakeStateAsync(StateWrite write, string hash, TimeSpan lifetime)
    {
        await write.ExecuteAsync("DELETE FROM sign_in_states WHERE used_at < @old", new { old = write.Now - lifetime - lifetime });
        return await write.QueryFirstAsync<string>(TakeStateSql, new { hash, now = write.Now }) is not null;
    }
}
