using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Users;

internal static class DeleteUser
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, ServerOptions options, GroupOrigins origins, Belongings belongings, string id, CancellationToken stop)
    {
        var actor = context.Caller().UserId;
        await state.WriteAsync(
            async write =>
            {
                var user = write.Before.User(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, UserStore.NotFound);
                if (id == actor) throw new ProblemException(StatusCodes.Status409Conflict, "Cannot delete yourself");
                origins.RefuseSsoUser(write.Before, user);
                LastAdmin.Refuse(write.Before, user, options);
                await UserStore.DeleteAsync(write, user, belongings);
                write.Audit(actor, "user.delete", $"user:{id}", new JsonObject { ["email"] = user.Email });
            },
            stop);
        return TypedResults.NoContent();
    }
}
