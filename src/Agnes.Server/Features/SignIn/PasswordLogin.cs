using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.SignIn;

internal static class PasswordLogin
{
    public const int PerMinuteMax = 10;
    private const string Succeeded = "login";

    public static async Task<IResult> JsonAsync(HttpContext context, PasswordCheck check, SessionBegin sessions, RateLimits limits)
    {
        var body = await RequestBody.ReadAsync(context);
        var email = body.String("email");
        var password = body.String("password");
        body.ThrowIfInvalid();
        limits.Take(context, email);
        var result = await check.CheckAsync(context, email, password, Succeeded);
        return result.Outcome switch
        {
            PasswordOutcome.Locked => result.TooMany,
            PasswordOutcome.Deactivated => Problem.Detail(StatusCodes.Status401Unauthorized, "Account deactivated"),
            PasswordOutcome.Wrong => Problem.Detail(StatusCodes.Status401Unauthorized, "Invalid email or password"),
            _ => JsonBody.Of(
                new SignedIn(await sessions.BeginAsync(context, result.User!, "password"), "bearer", result.User!.Email, RoleName.Of(context.Snapshot(), result.User)), SignInJson.Default.SignedIn),
        };
    }

    /// <summary>Ends in a redirect whatever happens: a person is looking.</summary>
    public static async Task<IResult> FormAsync(HttpContext context, PasswordCheck check, SessionBegin sessions, RateLimits limits, ServerOptions options)
    {
        var form = await RequestForm.ReadAsync(context);
        var email = form.String("email");
        var password = form.String("password");
        var next = LocalPath.Accept(form.Optional("next"));
        form.ThrowIfInvalid();
        limits.Take(context, email);
        var result = await check.CheckAsync(context, email, password, Succeeded);
        if (result.Outcome != PasswordOutcome.Good)
        {
            var error = result.Outcome switch
            {
                PasswordOutcome.Locked => $"locked&retry={Math.Ceiling(result.Wait.TotalSeconds)}",
                PasswordOutcome.Deactivated => "deactivated",
                _ => "invalid",
            };
            return TypedResults.Redirect($"/login/password?error={error}{(next is null ? "" : $"&next={Uri.EscapeDataString(next)}")}");
        }

        try
        {
            await sessions.SetCookieAsync(context, result.User!, "password");
        }
        catch (ProblemException overtaken) when (SessionBegin.IsOvertaken(overtaken))
        {
            return TypedResults.Redirect($"/login/password?error=invalid{(next is null ? "" : $"&next={Uri.EscapeDataString(next)}")}");
        }

        return TypedResults.Redirect(next ?? options.HomeRoute);
    }
}
