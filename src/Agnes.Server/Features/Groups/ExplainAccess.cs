using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

/// <summary>Answers "why can Ana not see orders?".</summary>
internal static class ExplainAccess
{
    public static IResult Handle(HttpContext context, ResourceTypes types)
    {
        var query = new RequestQuery(context);
        var (who, type, id) = (query.RequiredText("user"), query.Text("type") ?? Access.TableType, query.RequiredText("id"));
        query.ThrowIfInvalid();
        var snapshot = context.Snapshot();
        if (types.Find(type) is not { } known) return Problem.Detail(StatusCodes.Status400BadRequest, CreateGrant.UnknownType(types, type));
        if ((snapshot.User(who) ?? snapshot.UserByEmail(who)) is not { } user) return Problem.NotFound(UserStore.NotFound);

        id = ResourceId(context, type, id);
        var explanation = Access.Explain(snapshot, user, type, id);
        var granted = snapshot.GrantsOn(type, id).Keys.Select(group => snapshot.Group(group)!);
        return JsonBody.Of(
            new ExplanationView(
                explanation.Allowed, explanation.Reason, user.Id, user.Email, snapshot.IsAdmin(user.Id), user.Active, type, id, known.Exists(snapshot, id),
                Groups(explanation.Groups), Groups(granted)),
            GroupsJson.Default.ExplanationView);
    }

    /// <summary>A table's name is what an admin has at hand; grants know its id.</summary>
    public static string ResourceId(HttpContext context, string type, string named) =>
        type == Access.TableType && NamedTable.Resolve(context.Snapshot(), context.Caller(), named) is { Id: { } tableId } ? tableId : named;

    private static List<ViaGroup> Groups(IEnumerable<GroupRow> groups) =>
        [.. groups.OrderBy(group => group.Name, StringComparer.Ordinal).Select(group => new ViaGroup(group.Id, group.Name))];
}
