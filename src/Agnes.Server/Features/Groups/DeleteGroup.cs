using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

internal static class DeleteGroup
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, GroupOrigins origins, Belongings belongings, string id, CancellationToken stop)
    {
        var actor = context.Caller().UserId;
        await state.WriteAsync(
            async write =>
            {
                var group = write.Before.Group(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, ListGroups.NotFound);
                origins.RefuseManaged(group);
                if (group.IsSystem) throw new ProblemException(StatusCodes.Status409Conflict, $"The system group '{group.Name}' cannot be deleted.");
                await GroupStore.DeleteAsync(write, id, belongings);
                write.Audit(actor, "user_group.deleted", $"group:{id}", new JsonObject { ["name"] = group.Name });
            },
            stop);
        return TypedResults.NoContent();
    }
}
