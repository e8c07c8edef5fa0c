using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

internal enum PasswordOutcome
{
    Good,

    /// <summary>Unknown account, no password, or another one: whoever guesses does not learn which.</summary>
    Wrong,

    /// <summary>Said only to who knows the password.</summary>
    Deactivated,
}

/// <summary>The check behind every sign-in with a password, with its limits and its audit.</summary>
internal sealed class PasswordCheck(Passwords passwords, RateLimits limits, AuditLog audit)
{
    public const string Resource = "auth";
    private const string Provider = "password";

    /// <param name="succeeded">The audit's action for a success.</param>
    public async Task<(PasswordOutcome Outcome, UserRow? User)> CheckAsync(HttpContext context, string email, string password, string succeeded)
    {
        limits.RefuseGuesses(context, email);
        var user = context.Snapshot().UserByEmail(email.Trim());
        if (!await passwords.MatchesAsync(user?.PasswordHash, password, context.RequestAborted) || user is null)
        {
            limits.CountWrongPassword(email);
            await NoteAsync(context, user?.Id, "login_failed", "invalid_password");
            return (PasswordOutcome.Wrong, null);
        }

        if (!user.Active)
        {
            await NoteAsync(context, user.Id, "login_failed", "deactivated");
            return (PasswordOutcome.Deactivated, null);
        }

        await NoteAsync(context, user.Id, succeeded, null);
        return (PasswordOutcome.Good, user);
    }

    private async Task NoteAsync(HttpContext context, string? userId, string action, string? result) => await audit.AppendAsync(
        userId,
        action,
        Resource,
        new JsonObject { ["provider"] = Provider, ["ip"] = context.Connection.RemoteIpAddress?.ToString(), ["request_id"] = context.TraceIdentifier },
        result,
        cancellation: context.RequestAborted);
}
