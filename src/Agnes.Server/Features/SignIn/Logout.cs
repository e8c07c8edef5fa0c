using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

internal static class Logout
{
    /// <summary>Works without a valid session too: the cookie of an expired one must be possible to get rid of.</summary>
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, ServerOptions options, CancellationToken stop)
    {
        if (context.CallerOrNull() is { SessionId: { } session } caller)
        {
            await state.WriteAsync(
                async write =>
                {
                    await SessionStore.EndAsync(write, session, "logout");
                    write.Audit(caller.UserId, "logout", PasswordCheck.Resource, new JsonObject { ["ip"] = context.Client().Text });
                },
                stop);
        }

        return Done(context, options);
    }

    public static async Task<IResult> EverywhereAsync(HttpContext context, StateDb state, ServerOptions options, CancellationToken stop)
    {
        var caller = context.Caller();
        await state.WriteAsync(
            async write =>
            {
                if (write.Before.User(caller.UserId) is not { } user) return;
                await UserStore.UpdateAsync(write, user with { SessionsValidAfter = write.Now });
                write.Audit(user.Id, "logout", PasswordCheck.Resource, new JsonObject { ["everywhere"] = true });
            },
            stop);
        return Done(context, options);
    }

    private static IResult Done(HttpContext context, ServerOptions options)
    {
        SessionCookie.Clear(context, options);
        if (!ApiPaths.WantsHtml(context.Request)) return TypedResults.NoContent();
        context.Response.Headers.Location = "/login";
        return TypedResults.StatusCode(StatusCodes.Status303SeeOther);
    }
}
