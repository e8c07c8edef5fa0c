using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Identity;

/// <summary>The only writer of <c>personal_access_tokens</c>, apart from their last use and the end of their owner.</summary>
internal static class TokenStore
{
    private const string InsertSql =
        """
        INSERT INTO personal_access_tokens (id, user_id, name, token_hash, prefix, scopes, created_at, expires_at)
        VALUES (@Id, @UserId, @Name, @TokenHash, @Prefix, @Scopes, @CreatedAt, @ExpiresAt)
        """;

    public static async Task InsertAsync(StateWrite write, TokenRow token)
    {
        await write.ExecuteAsync(InsertSql, token);
        write.Apply(snapshot => snapshot.WithToken(token));
    }

    /// <summary>With all that another installation knew of it.</summary>
    public static async Task ImportAsync(StateWrite write, TokenRow token, DateTime? lastUsedAt, string? lastUsedIp)
    {
        await InsertAsync(write, token);
        await write.ExecuteAsync(
            "UPDATE personal_access_tokens SET last_used_at = @lastUsedAt, last_used_ip = @lastUsedIp, revoked_at = @RevokedAt WHERE id = @Id",
            new { lastUsedAt, lastUsedIp, token.RevokedAt, token.Id });
    }

    /// <summary>Keeps the time of the first revocation.</summary>
    public static async Task RevokeAsync(StateWrite write, TokenRow token)
    {
        if (token.RevokedAt is not null) return;
        var revoked = token with { RevokedAt = write.Now };
        await write.ExecuteAsync("UPDATE personal_access_tokens SET revoked_at = @RevokedAt WHERE id = @Id", revoked);
        write.Apply(snapshot => snapshot.WithToken(revoked));
    }
}
