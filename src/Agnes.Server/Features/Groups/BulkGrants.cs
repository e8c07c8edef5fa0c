using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

/// <summary>"Grant all" and "revoke all" of the tree, in one transaction. What is as asked already is left as it is.</summary>
internal static class BulkGrants
{
    private const int ItemsMax = 1_000;

    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, ResourceTypes types, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var groupId = body.String("group_id");
        var type = body.String("resource_type");
        var add = Ids(body, "add");
        var remove = Ids(body, "remove");
        body.ThrowIfInvalid();
        if (types.Find(type) is null) return Problem.Detail(StatusCodes.Status400BadRequest, CreateGrant.UnknownType(types, type));
        if (add.Overlaps(remove)) return Problem.Detail(StatusCodes.Status400BadRequest, "The same resource is in both add and remove.");
        var caller = context.Caller();
        var outcome = await state.WriteAsync(write => ChangeAsync(write, groupId, type, add, remove, caller), stop);
        return JsonBody.Of(outcome, GroupsJson.Default.BulkOutcome);
    }

    private static HashSet<string> Ids(RequestBody body, string name)
    {
        var ids = body.Strings(name).Select(id => id.Trim()).ToHashSet(StringComparer.Ordinal);
        if (ids.Count > ItemsMax) body.Refuse(name, $"at most {ItemsMax} items");
        if (ids.Any(id => id.Length is 0 or > CreateGrant.IdCharsMax)) body.Refuse(name, $"ids must have 1 to {CreateGrant.IdCharsMax} characters");
        return ids;
    }

    private static async Task<BulkOutcome> ChangeAsync(StateWrite write, string groupId, string type, HashSet<string> add, HashSet<string> remove, Caller caller)
    {
        if (write.Before.Group(groupId) is null) throw new ProblemException(StatusCodes.Status404NotFound, ListGroups.NotFound);
        var added = new List<GrantView>();
        foreach (var id in add.Where(id => !write.Before.IsGranted(groupId, type, id)).Order(StringComparer.Ordinal))
        {
            added.Add(GrantView.Of(write.Current, await CreateGrant.AddAsync(write, groupId, type, id, caller)));
        }

        var removed = new List<string>();
        foreach (var id in remove.Order(StringComparer.Ordinal))
        {
            if (write.Before.Grant(groupId, type, id) is not { } grant) continue;
            await DeleteGrant.RemoveAsync(write, grant, caller);
            removed.Add(id);
        }

        return new BulkOutcome(added, removed, add.Count + remove.Count - added.Count - removed.Count);
    }
}
