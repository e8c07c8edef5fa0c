using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn.Sessions;

/// <summary>What every way of signing in ends with: a new session, known to the server before its token is handed out.</summary>
internal sealed class SessionBegin(StateDb state, SessionTokens tokens, KnownSessions known, ServerOptions options)
{
    private const int UserAgentCharsMax = 200;
    private const string Overtaken = "The account was changed while you signed in. Sign in again.";

    /// <param name="user">As the person was when they proved who they are. The session is begun only if the account is still that one: active, with that password, its sessions not ended since.</param>
    /// <param name="method">One of the words of <see cref="SessionRow.Method"/>.</param>
    /// <param name="user">As the person was when they proved who they are. The session is begun only if the account is still that one: active, with that password, its sessions not ended since.</param>
    /// <returns>The session's token.</returns>
    /// <exception cref="ProblemException">The account is another one by now: <see cref="IsOvertaken"/>.</exception>
    public async Task<string> BeginAsync(HttpContext context, UserRow user, string method)
    {
        WriteRight.Current = null; // what was proved stands in its place: a change of password has ended the session that asked for it
        var issued = tokens.Session(user);
        var agent = context.Request.Headers.UserAgent.ToString();
        var row = new SessionRow
        {
            Id = issued.Id,
            UserId = user.Id,
            Method = method,
            CreatedAt = issued.IssuedAt,
            LastSeenAt = issued.IssuedAt,
            ExpiresAt = issued.ExpiresAt,
            Ip = context.Client().Text,
            UserAgent = agent.Length == 0 ? null : agent[..Math.Min(agent.Length, UserAgentCharsMax)],
            TokenHash = KnownSessions.HashOf(issued.Token),
        };
        var replaced = Replaced(context);
        await state.WriteAsync(
            async write =>
            {
                if (!IsStill(user, write.Before.User(user.Id))) throw new ProblemException(StatusCodes.Status401Unauthorized, Overtaken);
                await SessionStore.InsertAsync(write, row);
                if (method != LocalDoor.Method && write.Before.IsAdmin(user.Id)) await BootstrapWindow.CloseAsync(write);
                if (replaced is null || !await SessionStore.EndAsync(write, replaced.SessionId!, "sign-in")) return;
                write.Audit(replaced.UserId, "session.end", $"session:{replaced.SessionId}", new() { ["by"] = "sign-in" });
            },
            context.RequestAborted);
        known.Begun(new KnownSession { Id = row.Id, UserId = row.UserId, CreatedAt = row.CreatedAt, ExpiresAt = row.ExpiresAt, TokenHash = row.TokenHash });
        return issued.Token;
    }

    /// <summary>As <see cref="BeginAsync"/>, for a browser: the token goes into the cookie.</summary>
    public async Task SetCookieAsync(HttpContext context, UserRow user, string method) =>
        SessionCookie.Set(context, options, await BeginAsync(context, user, method));

    /// <summary>Whether that is why no session was begun; a form then leads back to where signing in begins.</summary>
    public static bool IsOvertaken(ProblemException refusal) => refusal.Message == Overtaken;

    private static bool IsStill(UserRow proved, UserRow? now) =>
        now is { Active: true } && now.PasswordHash == proved.PasswordHash && now.SessionsValidAfter == proved.SessionsValidAfter;

    /// <summary>The session that this browser had until now: its token must not outlive the new sign-in. A program's header stands for itself.</summary>
    private static Caller? Replaced(HttpContext context) =>
        BearerToken.Of(context.Request) is null && context.CallerOrNull() is { SessionId: not null } caller ? caller : null;
}
