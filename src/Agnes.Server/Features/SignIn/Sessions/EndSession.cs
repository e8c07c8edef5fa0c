using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn.Sessions;

/// <summary>Ends sessions before their time; from the next request on their tokens are refused.</summary>
internal static class EndSession
{
    private const string NotFound = "Session not found";

    public static Task<IResult> OwnAsync(HttpContext context, StateDb state, string id, CancellationToken stop) => EndAsync(context, state, context.Caller().UserId, id, stop);

    public static Task<IResult> OfUserAsync(HttpContext context, StateDb state, string id, string sessionId, CancellationToken stop) => EndAsync(context, state, id, sessionId, stop);

    public static async Task<IResult> AllOfUserAsync(HttpContext context, StateDb state, string id, CancellationToken stop)
    {
        var actor = context.Caller().UserId;
        await state.WriteAsync(
            async write =>
            {
                var user = write.Before.User(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, UserStore.NotFound);
                await UserStore.UpdateAsync(write, user with { SessionsValidAfter = write.Now });
                write.Audit(actor, "session.end_all", $"user:{id}", new JsonObject { ["email"] = user.Email });
            },
            stop);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> EndAsync(HttpContext context, StateDb state, string userId, string id, CancellationToken stop)
    {
        var actor = context.Caller().UserId;
        await state.WriteAsync(
            async write =>
            {
                if (await SessionStore.OwnerAsync(write, id) != userId) throw new ProblemException(StatusCodes.Status404NotFound, NotFound);
                if (await SessionStore.EndAsync(write, id, actor == userId ? "owner" : "admin")) write.Audit(actor, "session.end", $"session:{id}", new JsonObject { ["user_id"] = userId });
            },
            stop);
        return TypedResults.NoContent();
    }
}
