using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

internal static class ListGroups
{
    public const string NotFound = "Group not found";

    /// <summary>Grows with the number of groups and grants: the admin's list of them.</summary>
    public static IResult All(HttpContext context, GroupOrigins origins)
    {
        var snapshot = context.Snapshot();
        IReadOnlyList<GroupView> groups = [.. InOrder(snapshot, origins)];
        return JsonBody.Of(groups, GroupsJson.Default.IReadOnlyListGroupView);
    }

    public static IResult One(HttpContext context, GroupOrigins origins, string id) => context.Snapshot().Group(id) is { } group
        ? JsonBody.Of(View(context.Snapshot(), group, origins), GroupsJson.Default.GroupView)
        : Problem.NotFound(NotFound);

    public static GroupView View(Snapshot snapshot, GroupRow group, GroupOrigins origins) =>
        GroupView.Of(snapshot, group, origins, snapshot.GrantsOf(group.Id).Count());

    public static IEnumerable<GroupView> InOrder(Snapshot snapshot, GroupOrigins origins)
    {
        var grants = snapshot.GrantsById.Values.CountBy(grant => grant.GroupId).ToDictionary(StringComparer.Ordinal);
        return snapshot.GroupsById.Values.OrderBy(group => group.Name, StringComparer.Ordinal).Select(group => GroupView.Of(snapshot, group, origins, grants.GetValueOrDefault(group.Id)));
    }
}
