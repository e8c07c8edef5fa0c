using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

/// <summary>The other way round: who may use a resource, and through which groups. Grows with the number of those who may.</summary>
internal static class ResourceHolders
{
    public static IResult Handle(HttpContext context, ResourceTypes types)
    {
        var query = new RequestQuery(context);
        var (type, id) = (query.Text("type") ?? Access.TableType, query.RequiredText("id"));
        query.ThrowIfInvalid();
        if (types.Find(type) is not { } known) return Problem.Detail(StatusCodes.Status400BadRequest, CreateGrant.UnknownType(types, type));
        var snapshot = context.Snapshot();
        id = ExplainAccess.ResourceId(context, type, id);
        var groups = snapshot.GrantsOn(type, id).Keys.Select(group => snapshot.Group(group)!).OrderBy(group => group.Name, StringComparer.Ordinal).ToList();
        var admins = snapshot.GroupByName(Snapshot.AdminGroup) is { } admin ? snapshot.UserIdsOf(admin.Id) : [];
        var people = groups.SelectMany(group => snapshot.UserIdsOf(group.Id)).Concat(admins).Distinct(StringComparer.Ordinal)
            .Select(snapshot.User).OfType<UserRow>().OrderBy(user => user.Email, StringComparer.Ordinal)
            .Select(user => Holder(snapshot, user, groups));
        return JsonBody.Of(
            new HoldersView(type, id, known.Exists(snapshot, id), [.. groups.Select(group => new ViaGroup(group.Id, group.Name))], [.. people]), GroupsJson.Default.HoldersView);
    }

    private static HolderView Holder(Snapshot snapshot, UserRow user, List<GroupRow> groups)
    {
        var own = snapshot.GroupIdsOf(user.Id);
        return new HolderView(
            user.Id, user.Email, user.Active, snapshot.IsAdmin(user.Id), user.Active, [.. groups.Where(group => own.Contains(group.Id)).Select(group => new ViaGroup(group.Id, group.Name))]);
    }
}
