using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Tokens;

internal static class RevokeToken
{
    public static async Task<IResult> OwnAsync(HttpContext context, StateDb state, string id, CancellationToken stop)
    {
        var caller = context.Caller();
        await state.WriteAsync(
            async write =>
            {
                if (write.Before.Token(id) is not { } token || token.UserId != caller.UserId) throw NotFound();
                await TokenStore.RevokeAsync(write, token);
                write.Audit(caller.UserId, "token.revoke", $"token:{id}");
            },
            stop);
        return TypedResults.NoContent();
    }

    public static async Task<IResult> AnyAsync(HttpContext context, StateDb state, string id, CancellationToken stop)
    {
        var caller = context.Caller();
        await state.WriteAsync(
            async write =>
            {
                var token = write.Before.Token(id) ?? throw NotFound();
                await TokenStore.RevokeAsync(write, token);
                write.Audit(caller.UserId, "token.admin_revoke", $"token:{id}", new JsonObject { ["owner_id"] = token.UserId });
            },
            stop);
        return TypedResults.NoContent();
    }

    private static ProblemException NotFound() => new(StatusCodes.Status404NotFound, ListTokens.NotFound);
}
