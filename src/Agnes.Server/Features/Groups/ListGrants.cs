using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Groups;

internal static class ListGrants
{
    /// <summary>Grows with the number of grants: the admin's list of them.</summary>
    public static IResult Handle(HttpContext context, ResourceTypes types)
    {
        var query = new RequestQuery(context);
        var type = query.Text("resource_type");
        var group = query.Text("group_id");
        query.ThrowIfInvalid();
        if (type is not null && types.Find(type) is null) return Problem.Detail(StatusCodes.Status400BadRequest, CreateGrant.UnknownType(types, type));
        var snapshot = context.Snapshot();
        IReadOnlyList<GrantView> grants =
        [
            .. snapshot.GrantsById.Values
                .Where(grant => (type is null || grant.ResourceType == type) && (group is null || grant.GroupId == group))
                .Select(grant => GrantView.Of(snapshot, grant))
                .OrderBy(grant => grant.GroupName, StringComparer.Ordinal)
                .ThenBy(grant => grant.ResourceType, StringComparer.Ordinal)
                .ThenBy(grant => grant.ResourceId, StringComparer.Ordinal),
        ];
        return JsonBody.Of(grants, GroupsJson.Default.IReadOnlyListGrantView);
    }
}
