using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Identity;

/// <summary>Keeps an installation from locking everybody out. Evaluated inside the write, where nobody else can take the second-last admin away.</summary>
internal static class LastAdmin
{
    /// <summary>Answers 409 when, without the user as an admin, nobody would be left who is one and can sign in.</summary>
    public static void Refuse(Snapshot snapshot, UserRow user, ServerOptions options)
    {
        if (!user.Active || !snapshot.IsAdmin(user.Id)) return;
        if (!LeavesOthers(snapshot, user, other => CanSignIn(other, options))) throw new ProblemException(StatusCodes.Status409Conflict, "This is the last active admin who can sign in: make somebody else an admin first.");
    }

    /// <summary>Whether an active person besides the user is an admin.</summary>
    /// <param name="counts">Of whom it is asked besides; everybody where it is left out.</param>
    public static bool LeavesOthers(Snapshot snapshot, UserRow user, Func<UserRow, bool>? counts = null) => snapshot.GroupByName(Snapshot.AdminGroup) is not { } admins
        || snapshot.UserIdsOf(admins.Id).Any(id => id != user.Id && snapshot.User(id) is { Active: true } other && other.Email != ServiceSecret.Email && counts?.Invoke(other) is not false);

    /// <summary>With a password that can be checked here, or by a way that needs none: an issuer, a mailed link.</summary>
    private static bool CanSignIn(UserRow user, ServerOptions options) =>
        user.Email.Equals(options.LocalDevelopment?.Email, StringComparison.OrdinalIgnoreCase) || options.SignIn is { Google: not null } or { Oidc: not null } or { Mail: not null } || Passwords.IsUsable(user.PasswordHash);
}
