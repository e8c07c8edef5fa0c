using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

internal static class CreateGrant
{
    public const int IdCharsMax = 512;

    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, ResourceTypes types, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var groupId = body.String("group_id");
        var type = body.String("resource_type");
        var resourceId = body.String("resource_id").Trim();
        if (resourceId.Length > IdCharsMax) body.Refuse("resource_id", $"at most {IdCharsMax} characters");
        body.ThrowIfInvalid();
        if (types.Find(type) is not { } known) return Problem.Detail(StatusCodes.Status400BadRequest, UnknownType(types, type));
        if (resourceId.Length == 0) return Problem.Detail(StatusCodes.Status400BadRequest, "resource_id must not be blank");
        var caller = context.Caller();
        var view = await state.WriteAsync(
            async write =>
            {
                if (write.Before.Group(groupId) is null) throw new ProblemException(StatusCodes.Status404NotFound, ListGroups.NotFound);
                if (write.Before.Grant(groupId, type, resourceId) is not null) throw new ProblemException(StatusCodes.Status409Conflict, "The group has this grant already.");
                var grant = await AddAsync(write, groupId, type, resourceId, caller);
                return GrantView.Of(write.Current, grant) with { Exists = known.Exists(write.Current, resourceId) };
            },
            stop);
        return JsonBody.Of(view, GroupsJson.Default.GrantView, StatusCodes.Status201Created);
    }

    public static async Task<GrantRow> AddAsync(StateWrite write, string groupId, string type, string resourceId, Caller caller)
    {
        var grant = await GrantStore.AddAsync(write, groupId, type, resourceId, caller.Email);
        write.Audit(
            caller.UserId, "resource_grant.created", $"grant:{grant.Id}",
            new JsonObject { ["group_id"] = groupId, ["resource_type"] = type, ["resource_id"] = resourceId });
        return grant;
    }

    public static string UnknownType(ResourceTypes types, string type) =>
        $"Unknown resource type '{type}'. Known: {string.Join(", ", types.All.Select(known => known.Key))}.";
}
