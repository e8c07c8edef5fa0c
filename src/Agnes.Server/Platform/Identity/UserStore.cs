using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Identity;

/// <summary>The only writer of <c>users</c>. Each method changes the row and the snapshot together.</summary>
internal static class UserStore
{
    /// <summary>Of a user who is not there.</summary>
    public const string NotFound = "User not found";

    private const string InsertSql =
        """
        INSERT INTO users (id, email, name, password_hash, active, created_at, updated_at, onboarded)
        VALUES (@Id, @Email, @Name, @PasswordHash, @Active, @CreatedAt, @UpdatedAt, @Onboarded)
        """;

    private const string UpdateSql =
        """
        UPDATE users SET name = @Name, password_hash = @PasswordHash, active = @Active, deactivated_at = @DeactivatedAt, deactivated_by = @DeactivatedBy,
            updated_at = @UpdatedAt, onboarded = @Onboarded, sessions_valid_after = @SessionsValidAfter
        WHERE id = @Id
        """;

    public static async Task InsertAsync(StateWrite write, UserRow user)
    {
        await write.ExecuteAsync(InsertSql, user);
        write.Apply(snapshot => snapshot.WithUser(user));
    }

    /// <summary>For one that is not closed by it; else there is <see cref="CloseAsync"/>.</summary>
    public static async Task UpdateAsync(StateWrite write, UserRow user)
    {
        var row = user with { UpdatedAt = write.Now };
        await write.ExecuteAsync(UpdateSql, row);
        write.Apply(snapshot => snapshot.WithUser(row));
    }

    /// <summary>With memberships and tokens, and with whatever features keep for the user.</summary>
    public static async Task DeleteAsync(StateWrite write, UserRow user, Belongings belongings)
    {
        await belongings.EndUserAsync(write, user.Id);
        await write.ExecuteAsync("DELETE FROM user_group_members WHERE user_id = @Id", user);
        await write.ExecuteAsync("DELETE FROM personal_access_tokens WHERE user_id = @Id", user);
        await write.ExecuteAsync("DELETE FROM users WHERE id = @Id", user);
        write.Apply(snapshot => snapshot.WithoutUser(user.Id));
    }

    /// <summary>The account is to be closed for now: what could act for it goes at once.</summary>
    public static async Task CloseAsync(StateWrite write, UserRow user, Belongings belongings)
    {
        await belongings.CloseUserAsync(write, user.Id);
        await UpdateAsync(write, user);
    }

    /// <summary>A new password ends every session that the old one began.</summary>
    public static Task SetPasswordAsync(StateWrite write, UserRow user, string? hash) =>
        UpdateAsync(write, user with { PasswordHash = hash, SessionsValidAfter = write.Now });
}
