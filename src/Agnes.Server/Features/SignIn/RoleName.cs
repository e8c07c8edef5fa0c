using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

/// <summary>The word that older clients show beside a name. It decides nothing.</summary>
internal static class RoleName
{
    public static string Of(Snapshot snapshot, UserRow user) => Of(snapshot.IsAdmin(user.Id));

    public static string Of(bool isAdmin) => isAdmin ? "admin" : "user";
}
