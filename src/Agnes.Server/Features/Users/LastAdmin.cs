using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Users;

/// <summary>Keeps an installation from locking everybody out. Evaluated inside the write, where nobody else can take the second-last admin away.</summary>
internal static class LastAdmin
{
    /// <summary>Answers 409 when, without the user as an admin, no active person would be left who is one.</summary>
    public static void Refuse(Snapshot snapshot, UserRow user)
    {
        if (!user.Active || !snapshot.IsAdmin(user.Id)) return;
        if (!LeavesOthers(snapshot, user)) throw new ProblemException(StatusCodes.Status409Conflict, "This is the last active admin: make somebody else an admin first.");
    }

    /// <summary>Whether an active person besides the user is an admin.</summary>
    public static bool LeavesOthers(Snapshot snapshot, UserRow user) => snapshot.GroupByName(Snapshot.AdminGroup) is not { } admins
        || snapshot.UserIdsOf(admins.Id).Any(id => id != user.Id && snapshot.User(id) is { Active: true } other && other.Email != ServiceSecret.Email);
}
