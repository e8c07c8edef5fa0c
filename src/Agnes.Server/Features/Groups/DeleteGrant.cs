using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

internal static class DeleteGrant
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, string id, CancellationToken stop)
    {
        var caller = context.Caller();
        await state.WriteAsync(
            async write =>
            {
                var grant = write.Before.Grant(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, "Grant not found");
                await RemoveAsync(write, grant, caller);
            },
            stop);
        return TypedResults.NoContent();
    }

    public static async Task RemoveAsync(StateWrite write, GrantRow grant, Caller caller)
    {
        await GrantStore.RemoveAsync(write, grant);
        write.Audit(
            caller.UserId, "resource_grant.deleted", $"grant:{grant.Id}",
            new JsonObject { ["group_id"] = grant.GroupId, ["resource_type"] = grant.ResourceType, ["resource_id"] = grant.ResourceId, ["optouts_dropped"] = 0 });
    }
}
