using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn.Guessing;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

/// <summary>Needs the password that is to be replaced, so that a borrowed session cannot take an account over.</summary>
internal static class ChangePassword
{
    public const int PerMinuteMax = 10;

    public static async Task<IResult> HandleAsync(
        HttpContext context, StateDb state, Passwords passwords, NewPasswords newPasswords, Guesses guesses, SessionBegin sessions, RateLimits limits, CancellationToken stop)
    {
        var caller = context.Caller();
        if (caller.Kind == CallerKind.Token) return Problem.Detail(StatusCodes.Status403Forbidden, "Changing a password needs an interactive session, not a PAT.");
        var body = await RequestBody.ReadAsync(context);
        var current = body.String("current_password");
        var wanted = body.String("new_password");
        body.ThrowIfInvalid();
        limits.Take(context, caller.UserId);
        var user = context.Snapshot().User(caller.UserId)!;
        if (newPasswords.Fault(wanted, user.Email, user.Name) is { } fault) return Problem.Detail(StatusCodes.Status400BadRequest, fault);

        // Counted apart from sign-ins: who borrowed a session must not be able to keep its owner from signing in.
        var tried = await guesses.TryAsync(context, $"change {user.Email}", user, () => passwords.MatchesAsync(user.PasswordHash, current, stop));
        if (tried.IsRefused) return new PasswordResult(PasswordOutcome.Locked, Wait: tried.Wait).TooMany;
        if (!tried.IsRight) return Problem.Detail(StatusCodes.Status400BadRequest, "The current password is not right.");

        var hash = await newPasswords.HashAsync(wanted, stop);
        var changed = await state.WriteAsync(
            async write =>
            {
                // Another change may have come first; then what was checked above is no longer the current password.
                if (write.Before.User(user.Id) is not { } found || found.PasswordHash != user.PasswordHash) throw new ProblemException(StatusCodes.Status409Conflict, "The password was changed meanwhile.");
                await newPasswords.StoreAsync(write, found, hash);
                write.Audit(user.Id, "user.change_password", $"user:{user.Id}", new JsonObject { ["ip"] = context.Client().Text });
                return write.Current.User(user.Id)!;
            },
            stop);
        newPasswords.Tell(user);
        await sessions.SetCookieAsync(context, changed, "password");
        return TypedResults.NoContent();
    }
}
