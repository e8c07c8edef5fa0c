using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

internal static class AddMember
{
    public static async Task<IResult> ToGroupAsync(HttpContext context, StateDb state, GroupOrigins origins, string id, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var email = body.String("email").Trim();
        body.ThrowIfInvalid();
        var actor = context.Caller();
        var view = await state.WriteAsync(
            async write =>
            {
                var group = write.Before.Group(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, ListGroups.NotFound);
                var user = write.Before.UserByEmail(email) ?? throw new ProblemException(StatusCodes.Status404NotFound, UserStore.NotFound);
                var row = await AddAsync(write, origins, group, user, actor);
                write.Audit(actor.UserId, "user_group.member_added", $"group:{id}", new JsonObject { ["user_email"] = user.Email });
                return ListMembers.View(user, row) with { AddedAt = null };
            },
            stop);
        return JsonBody.Of(view, GroupsJson.Default.MemberView, StatusCodes.Status201Created);
    }

    public static async Task<IResult> ToUserAsync(HttpContext context, StateDb state, GroupOrigins origins, string id, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var groupId = body.String("group_id");
        body.ThrowIfInvalid();
        var actor = context.Caller();
        var view = await state.WriteAsync(
            async write =>
            {
                var user = write.Before.User(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, UserStore.NotFound);
                var group = write.Before.Group(groupId) ?? throw new ProblemException(StatusCodes.Status404NotFound, ListGroups.NotFound);
                var row = await AddAsync(write, origins, group, user, actor);
                write.Audit(actor.UserId, "user_group.member_added", $"user:{id}", new JsonObject { ["group_id"] = group.Id, ["group_name"] = group.Name });
                return ListMembers.View(group, row, origins);
            },
            stop);
        return JsonBody.Of(view, GroupsJson.Default.MembershipView, StatusCodes.Status201Created);
    }

    private static async Task<MembershipRow> AddAsync(StateWrite write, GroupOrigins origins, GroupRow group, UserRow user, Caller actor)
    {
        origins.RefuseManaged(group);
        if (write.Before.GroupIdsOf(user.Id).Contains(group.Id)) throw new ProblemException(StatusCodes.Status409Conflict, "Already a member");
        return await MembershipStore.AddAsync(write, user.Id, group.Id, MembershipStore.AdminSource, actor.Email);
    }
}
