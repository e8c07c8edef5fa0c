using Agnes.Server.Features.Desktop;
using Agnes.Server.Features.Preferences;
using Agnes.Server.Features.SignIn;
using Agnes.Server.Features.SignIn.Providers;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Users;

/// <summary>The only writer of <c>users</c>. Each method changes the row and the snapshot together.</summary>
internal static class UserStore
{
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

    public static async Task UpdateAsync(StateWrite write, UserRow user)
    {
        var row = user with { UpdatedAt = write.Now };
        await write.ExecuteAsync(UpdateSql, row);
        if (!row.Active) await PasswordLinks.DropAsync(write, row.Id); // they must not wait for the account to come back
        write.Apply(snapshot => snapshot.WithUser(row));
    }

    /// <summary>Also removes memberships, tokens and links for setting a password: whatever could still act for the user.</summary>
    public static async Task DeleteAsync(StateWrite write, UserRow user)
    {
        await write.ExecuteAsync("DELETE FROM user_group_members WHERE user_id = @Id", user);
        await write.ExecuteAsync("DELETE FROM personal_access_tokens WHERE user_id = @Id", user);
        await PasswordLinks.DropAsync(write, user.Id);
        await SessionStore.DeleteOfAsync(write, user.Id);
        await Identities.DeleteOfAsync(write, user.Id);
        await DesktopLinks.DeleteOfAsync(write, user.Id);
        await PreferenceStore.DeleteOfAsync(write, user.Id);
        await write.ExecuteAsync("DELETE FROM users WHERE id = @Id", user);
        write.Apply(snapshot => snapshot.WithoutUser(user.Id));
    }

    /// <summary>A new password ends every session that the old one began.</summary>
    public static Task SetPasswordAsync(StateWrite write, UserRow user, string? hash) =>
        UpdateAsync(write, user with { PasswordHash = hash, SessionsValidAfter = write.Now });
}
