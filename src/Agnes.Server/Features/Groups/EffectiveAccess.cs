using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

/// <summary>The grants that reach a user, also for admins: what they hold without being one.</summary>
internal static class EffectiveAccess
{
    public static IResult OfUser(HttpContext context, string id) => context.Snapshot().User(id) is { } user
        ? JsonBody.Of(Of(context.Snapshot(), user.Id), GroupsJson.Default.EffectiveView)
        : Problem.NotFound(UserStore.NotFound);

    public static IResult Own(HttpContext context) =>
        JsonBody.Of(Of(context.Snapshot(), context.Caller().UserId), GroupsJson.Default.EffectiveView);

    private static EffectiveView Of(Snapshot snapshot, string userId)
    {
        var reached =
            from groupId in snapshot.GroupIdsOf(userId)
            from grant in snapshot.GrantsOf(groupId)
            group new ViaGroup(groupId, snapshot.Group(groupId)!.Name) by (Type: grant.ResourceType, Resource: grant.ResourceId);
        return new EffectiveView(
            snapshot.IsAdmin(userId),
            [
                .. reached
                    .OrderBy(item => item.Key.Type, StringComparer.Ordinal).ThenBy(item => item.Key.Resource, StringComparer.Ordinal)
                    .Select(item => new EffectiveItem(item.Key.Type, item.Key.Resource, [.. item.OrderBy(group => group.GroupName, StringComparer.Ordinal)])),
            ]);
    }
}
