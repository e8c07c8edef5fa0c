using System.Globalization;
using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn.Guessing;
using Agnes.Server.Features.SignIn.Mail;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

internal enum PasswordOutcome
{
    Good,

    /// <summary>Unknown account, no password, or another one: whoever guesses does not learn which.</summary>
    Wrong,

    /// <summary>Said only to who knows the password.</summary>
    Deactivated,

    /// <summary>Not looked at: too many were wrong before.</summary>
    Locked,
}

/// <param name="User">Set when the outcome is good.</param>
/// <param name="Wait">When the outcome is locked: not before so long.</param>
internal sealed record PasswordResult(PasswordOutcome Outcome, UserRow? User = null, TimeSpan Wait = default)
{
    /// <summary>The answer to a program that has to wait.</summary>
    public IResult TooMany => RateLimits.TooMany(LockedText(Wait), Wait);

    public static string LockedText(TimeSpan wait) => string.Create(
        CultureInfo.InvariantCulture,
        $"Too many wrong passwords for this account: try again in {(wait.TotalSeconds <= 90 ? $"{Math.Ceiling(wait.TotalSeconds)} seconds" : $"{Math.Ceiling(wait.TotalMinutes)} minutes")}, or sign in another way.");
}

/// <summary>The check behind every sign-in with a password, with its limits and its audit.</summary>
internal sealed class PasswordCheck(Passwords passwords, Guesses guesses, AccountNotices notices, StateDb state, AuditLog audit)
{
    public const string Resource = "auth";
    private const string Provider = "password";

    /// <param name="succeeded">The audit's action for a success.</param>
    public async Task<PasswordResult> CheckAsync(HttpContext context, string email, string password, string succeeded)
    {
        var user = context.Snapshot().UserByEmail(email.Trim());
        var match = PasswordMatch.No;
        var tried = await guesses.TryAsync(context, email, user, async () => (match = await passwords.CompareAsync(user?.PasswordHash, password, context.RequestAborted)) != PasswordMatch.No);
        if (tried.IsRefused)
        {
            await NoteAsync(context, user?.Id, "login_failed", "locked");
            return new PasswordResult(PasswordOutcome.Locked, Wait: tried.Wait);
        }

        if (!tried.IsRight || user is null)
        {
            if (user is not null && Guesses.IsWorthTelling(tried.Wrong)) notices.WrongPasswords(user, tried.Wrong);
            await NoteAsync(context, user?.Id, "login_failed", "invalid_password");
            return new PasswordResult(PasswordOutcome.Wrong);
        }

        if (!user.Active)
        {
            await NoteAsync(context, user.Id, "login_failed", "deactivated");
            return new PasswordResult(PasswordOutcome.Deactivated);
        }

        if (match == PasswordMatch.YesByAnOldHash) user = await HashAnewAsync(user, password, context.RequestAborted);
        await NoteAsync(context, user.Id, succeeded, null);
        return new PasswordResult(PasswordOutcome.Good, user);
    }

    /// <summary>With today's cost, now that the password is known for a moment. No session ends, since nothing changed for anybody.</summary>
    /// <returns>The account with it; as it was, where a new password came first.</returns>
    private async Task<UserRow> HashAnewAsync(UserRow user, string password, CancellationToken stop)
    {
        var hash = await passwords.HashAsync(password, stop);
        return await state.WriteAsync(
            async write =>
            {
                if (write.Before.User(user.Id) is not { } found || found.SessionsValidAfter != user.SessionsValidAfter) return user;
                if (found.PasswordHash != user.PasswordHash) return found; // another sign-in did this first: a new password would have ended sessions
                await UserStore.UpdateAsync(write, found with { PasswordHash = hash });
                write.Audit(user.Id, "user.rehash_password", $"user:{user.Id}");
                return write.Current.User(user.Id)!;
            },
            stop);
    }

    private async Task NoteAsync(HttpContext context, string? userId, string action, string? result) => await audit.AppendAsync(
        userId,
        action,
        Resource,
        new JsonObject { ["provider"] = Provider, ["ip"] = context.Client().Text, ["request_id"] = context.TraceIdentifier },
        result,
        cancellation: context.RequestAborted);
}
