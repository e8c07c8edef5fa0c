using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Features.Users;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

/// <summary>Needs the password that is to be replaced, so that a borrowed session cannot take an account over.</summary>
internal static class ChangePassword
{
    private const int PerMinuteMax = 10;

    public static async Task<IResult> HandleAsync(
        HttpContext context, StateDb state, Passwords passwords, SessionBegin sessions, RateLimits limits, CancellationToken stop)
    {
        var caller = context.Caller();
        if (caller.Kind == CallerKind.Token) return Problem.Detail(StatusCodes.Status403Forbidden, "Changing a password needs an interactive session, not a PAT.");
        var body = await RequestBody.ReadAsync(context);
        var current = body.String("current_password");
        var wanted = body.String("new_password");
        body.ThrowIfInvalid();
        limits.Take(context, "POST /auth/password/change", PerMinuteMax);
        if (Passwords.Fault(wanted) is { } fault) return Problem.Detail(StatusCodes.Status400BadRequest, fault);
        limits.RefuseGuesses(context, caller.Email);
        var user = context.Snapshot().User(caller.UserId)!;
        if (!await passwords.MatchesAsync(user.PasswordHash, current, stop))
        {
            limits.CountWrongPassword(caller.Email);
            return Problem.Detail(StatusCodes.Status400BadRequest, "The current password is not right.");
        }

        var hash = await passwords.HashAsync(wanted, stop);
        await state.WriteAsync(
            async write =>
            {
                // Another change may have come first; then what was checked above is no longer the current password.
                if (write.Before.User(user.Id) is not { } found || found.PasswordHash != user.PasswordHash) throw new ProblemException(StatusCodes.Status409Conflict, "The password was changed meanwhile.");
                await UserStore.SetPasswordAsync(write, found, hash);
                write.Audit(user.Id, "user.change_password", $"user:{user.Id}", new JsonObject { ["ip"] = context.Connection.RemoteIpAddress?.ToString() });
            },
            stop);
        await sessions.SetCookieAsync(context, user, "password");
        return TypedResults.NoContent();
    }
}
