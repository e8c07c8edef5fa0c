using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

/// <summary>The sign-in of the command line and of programs.</summary>
internal static class IssueToken
{
    public const int PerMinuteMax = 10;

    public static async Task<IResult> HandleAsync(HttpContext context, PasswordCheck check, SessionBegin sessions, RateLimits limits)
    {
        var body = await RequestBody.ReadAsync(context);
        var email = body.String("email");
        var password = body.String("password", "");
        body.ThrowIfInvalid();
        limits.Take(context, email);
        if (password.Length == 0) return WithoutPassword(context.Snapshot(), email);

        var result = await check.CheckAsync(context, email, password, succeeded: "token_created");
        return result.Outcome switch
        {
            PasswordOutcome.Locked => result.TooMany,
            PasswordOutcome.Deactivated => Unauthorized("Account deactivated"),
            PasswordOutcome.Wrong => Unauthorized("Invalid password"),
            _ => JsonBody.Of(
                new IssuedToken(await sessions.BeginAsync(context, result.User!, "password"), "bearer", result.User!.Id, result.User.Email, RoleName.Of(context.Snapshot(), result.User)),
                SignInJson.Default.IssuedToken),
        };
    }

    /// <summary>The command line asks without a password first, to learn whether the account has one at all.</summary>
    private static IResult WithoutPassword(Snapshot snapshot, string email) => snapshot.UserByEmail(email.Trim()) is { Active: true, PasswordHash: null or "" }
        ? Unauthorized("This account uses external authentication: sign in through the browser and create a token there, or ask an admin for a link to set a password.")
        : Unauthorized("Password required");

    private static IResult Unauthorized(string detail) => Problem.Detail(StatusCodes.Status401Unauthorized, detail);
}
