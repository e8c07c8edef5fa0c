using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

internal static class ListMembers
{
    public static IResult OfGroup(HttpContext context, string id)
    {
        var snapshot = context.Snapshot();
        if (snapshot.Group(id) is null) return Problem.NotFound(ListGroups.NotFound);
        IReadOnlyList<MemberView> members =
        [
            .. snapshot.UserIdsOf(id).Select(snapshot.User).OfType<UserRow>()
                .OrderBy(user => user.Email, StringComparer.Ordinal)
                .Select(user => View(user, First(snapshot, user.Id, id))),
        ];
        return JsonBody.Of(members, GroupsJson.Default.IReadOnlyListMemberView);
    }

    public static IResult OfUser(HttpContext context, GroupOrigins origins, string id)
    {
        var snapshot = context.Snapshot();
        if (snapshot.User(id) is null) return Problem.NotFound(UserStore.NotFound);
        IReadOnlyList<MembershipView> memberships =
        [
            .. snapshot.GroupIdsOf(id).Select(group => snapshot.Group(group)!)
                .OrderByDescending(group => group.IsSystem).ThenBy(group => group.Name, StringComparer.Ordinal)
                .Select(group => View(group, First(snapshot, id, group.Id), origins)),
        ];
        return JsonBody.Of(memberships, GroupsJson.Default.IReadOnlyListMembershipView);
    }

    public static MemberView View(UserRow user, MembershipRow row) => new(user.Id, user.Email, user.Name, user.Active, row.Source, Timestamps.Spaced(row.AddedAt), row.AddedBy);

    public static MembershipView View(GroupRow group, MembershipRow row, GroupOrigins origins) => new(
        group.Id, group.Name, group.IsSystem, origins.Origin(group), row.Source, Timestamps.Spaced(row.AddedAt), row.AddedBy);

    /// <summary>Where several sources put a user into a group, older clients see the first.</summary>
    private static MembershipRow First(Snapshot snapshot, string userId, string groupId) => snapshot.MembershipsOf(userId).First(row => row.GroupId == groupId);
}
