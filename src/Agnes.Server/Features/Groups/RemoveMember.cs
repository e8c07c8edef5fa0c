using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

internal static class RemoveMember
{
    public static Task<IResult> FromGroupAsync(HttpContext context, StateDb state, GroupOrigins origins, string id, string userId, CancellationToken stop) => RemoveAsync(
        context, state, origins, id, userId, (write, _) => write.Audit(context.Caller().UserId, "user_group.member_removed", $"group:{id}", new JsonObject { ["user_id"] = userId }), stop);

    public static Task<IResult> FromUserAsync(HttpContext context, StateDb state, GroupOrigins origins, string id, string groupId, CancellationToken stop) => RemoveAsync(
        context, state, origins, groupId, id,
        (write, group) => write.Audit(context.Caller().UserId, "user_group.member_removed", $"user:{id}", new JsonObject { ["group_id"] = group.Id, ["group_name"] = group.Name }),
        stop);

    private static async Task<IResult> RemoveAsync(
        HttpContext context, StateDb state, GroupOrigins origins, string groupId, string userId, Action<StateWrite, GroupRow> audit, CancellationToken stop)
    {
        await state.WriteAsync(
            async write =>
            {
                var group = write.Before.Group(groupId) ?? throw new ProblemException(StatusCodes.Status404NotFound, ListGroups.NotFound);
                origins.RefuseManaged(group);
                var removable = write.Before.MembershipsOf(userId).Where(row => row.GroupId == groupId && IsRemovable(group, row)).ToList();
                if (write.Before.User(userId) is not { } user || removable.Count == 0)
                {
                    throw new ProblemException(StatusCodes.Status404NotFound, "No admin-managed membership of that user in this group");
                }

                RefuseSeed(context.RequestServices.GetRequiredService<ServerOptions>(), user, removable);
                foreach (var row in removable) await MembershipStore.RemoveAsync(write, userId, groupId, row.Source);
                if (group.Name == Snapshot.AdminGroup && !write.Current.IsAdmin(userId)) LastAdmin.Refuse(write.Before, user, context.RequestServices.GetRequiredService<ServerOptions>());
                audit(write, group);
            },
            stop);
        return TypedResults.NoContent();
    }

    /// <summary>
    /// What an admin gave, what a break-glass left behind, and what made the first admin: another one may take it back. A directory's word is taken back there, and everybody
    /// is in Everyone.
    /// </summary>
    private static bool IsRemovable(GroupRow group, MembershipRow row) =>
        row.Source is MembershipStore.AdminSource or MembershipStore.BreakGlassSource || (row.Source == Everyone.SeedSource && group.Name == Snapshot.AdminGroup);

    /// <summary>What the next start would give back was not taken away.</summary>
    private static void RefuseSeed(ServerOptions options, UserRow user, List<MembershipRow> removable)
    {
        if (!removable.Exists(row => row.Source == Everyone.SeedSource)) return;
        if (user.Email == ServiceSecret.Email) throw new ProblemException(StatusCodes.Status409Conflict, "This is the scheduler's account: unset SCHEDULER_API_TOKEN, or deactivate it.");
        if (user.Email.Equals(options.SeedAdminEmail, StringComparison.OrdinalIgnoreCase) || user.Email.Equals(options.LocalDevelopment?.Email, StringComparison.OrdinalIgnoreCase))
            throw new ProblemException(StatusCodes.Status409Conflict, "The server's settings make this person an admin at every start (SEED_ADMIN_EMAIL): unset them first.");
    }
}
