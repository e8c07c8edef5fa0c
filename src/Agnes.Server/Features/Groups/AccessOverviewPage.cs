using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;

namespace Agnes.Server.Features.Groups;

internal static class AccessOverviewPage
{
    public static IResult ResourceTypes(ResourceTypes types)
    {
        IReadOnlyList<ResourceTypeView> views = [.. types.All.Select(type => new ResourceTypeView(type.Key, type.DisplayName, type.Description, type.IdFormat))];
        return JsonBody.Of(views, GroupsJson.Default.IReadOnlyListResourceTypeView);
    }

    /// <summary>Grows with everything there is: it is the whole tree of the admin's access page, from memory.</summary>
    public static IResult Show(HttpContext context, GroupOrigins origins, ResourceTypes types)
    {
        var snapshot = context.Snapshot();
        var groups = ListGroups.InOrder(snapshot, origins)
            .Select(group => new OverviewGroup(
                group.Id, group.Name, group.Description, group.IsSystem, group.Origin, group.CreatedBy, group.MemberCount, group.GrantCount, group.IsGoogleManaged, group.MappedEmail))
            .ToList();
        var grants = snapshot.GrantsById.Values
            .OrderBy(grant => grant.GroupId, StringComparer.Ordinal)
            .ThenBy(grant => grant.ResourceType, StringComparer.Ordinal)
            .ThenBy(grant => grant.ResourceId, StringComparer.Ordinal)
            .Select(grant => new OverviewGrant(grant.Id, grant.GroupId, grant.ResourceType, grant.ResourceId))
            .ToList();
        var resources = types.All.Select(type => new OverviewResources(type.Key, type.DisplayName, [.. type.Blocks(snapshot)])).ToList();
        return JsonBody.Of(new AccessOverview(groups, grants, resources), GroupsJson.Default.AccessOverview);
    }
}
