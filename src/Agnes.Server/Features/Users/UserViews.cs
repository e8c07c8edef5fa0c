using System.Text.Json.Serialization;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Users;

internal sealed record UserGroupView(string Id, string Name, bool IsSystem, string Origin);

internal sealed record UserView(
    string Id,
    string Email,
    string? Name,
    string Role,
    bool IsAdmin,
    bool IsSsoUser,
    IReadOnlyList<UserGroupView> Groups,
    bool Active,
    string CreatedAt,
    string? DeactivatedAt,
    string? InviteUrl,
    bool? InviteEmailSent)
{
    public static UserView Of(Snapshot snapshot, UserRow user, GroupOrigins origins)
    {
        var groups = snapshot.GroupIdsOf(user.Id).Select(id => snapshot.Group(id)!)
            .OrderByDescending(group => group.IsSystem).ThenBy(group => group.Name, StringComparer.Ordinal)
            .Select(group => new UserGroupView(group.Id, group.Name, group.IsSystem, origins.Origin(group)))
            .ToList();
        var isAdmin = snapshot.IsAdmin(user.Id);
        return new UserView(
            user.Id, user.Email, user.Name, isAdmin ? "admin" : "user", isAdmin, origins.IsSsoUser(snapshot, user.Id), groups, user.Active,
            Timestamps.Spaced(user.CreatedAt), Timestamps.Spaced(user.DeactivatedAt), null, null);
    }
}

internal sealed record ResetLinkView(string ResetUrl, bool EmailSent);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(UserView))]
[JsonSerializable(typeof(IReadOnlyList<UserView>))]
[JsonSerializable(typeof(ResetLinkView))]
internal sealed partial class UsersJson : JsonSerializerContext;
