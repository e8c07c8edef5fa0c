using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn.Pages;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.SignIn.Providers.EmailLink;

/// <summary>Uses up a mailed link: of any number of uses at once, exactly one gets a session.</summary>
internal static class VerifyLink
{
    public const int PerMinuteMax = 10;
    private const string Refused = "Invalid or expired link";

    /// <summary>Mail programs look at links ahead of their reader, so looking uses nothing up: a button does.</summary>
    public static IResult Show(HttpContext context)
    {
        var query = context.Request.Query;
        var (email, token) = (query["email"].ToString(), query["token"].ToString());
        return email.Length == 0 || token.Length == 0 ? Results.Redirect("/login/email?error=link_used") : Page.Show<UseLinkPage>(new UseLinkModel(email, token, LocalPath.Accept(query["next"])));
    }

    public static async Task<IResult> JsonAsync(HttpContext context, StateDb state, SessionBegin sessions, AuditLog audit, RateLimits limits)
    {
        var body = await RequestBody.ReadAsync(context);
        var (email, token) = (body.String("email"), body.String("token"));
        body.ThrowIfInvalid();
        limits.Take(context, token);
        if (await UseAsync(context, state, audit, email, token) is not { } user) return Problem.Detail(StatusCodes.Status401Unauthorized, Refused);
        return JsonBody.Of(new SignedIn(await sessions.BeginAsync(context, user, "email"), "bearer", user.Email, RoleName.Of(state.Snapshot, user)), SignInJson.Default.SignedIn);
    }

    public static async Task<IResult> FormAsync(HttpContext context, StateDb state, SessionBegin sessions, AuditLog audit, RateLimits limits, ServerOptions options)
    {
        var form = await RequestForm.ReadAsync(context);
        var (email, token) = (form.String("email"), form.String("token"));
        var next = LocalPath.Accept(form.Optional("next"));
        form.ThrowIfInvalid();
        limits.Take(context, token);
        if (await UseAsync(context, state, audit, email, token) is not { } user) return Results.Redirect("/login/email?error=link_used");
        try
        {
            await sessions.SetCookieAsync(context, user, "email");
        }
        catch (ProblemException overtaken) when (SessionBegin.IsOvertaken(overtaken))
        {
            return Results.Redirect("/login/email?error=link_used");
        }

        return Results.Redirect(next ?? options.HomeRoute);
    }

    private static async Task<UserRow?> UseAsync(HttpContext context, StateDb state, AuditLog audit, string email, string token)
    {
        var user = await state.WriteAsync(
            async write =>
            {
                var found = write.Before.UserByEmail(email.Trim()) is { Active: true } active ? active : null;
                return await PasswordLinks.ConsumeAsync(write, found?.Id, LinkPurpose.SignIn, token) ? found : null;
            },
            context.RequestAborted);
        await audit.AppendAsync(
            user?.Id,
            user is null ? "login_failed" : "login",
            PasswordCheck.Resource,
            new JsonObject { ["provider"] = "email", ["ip"] = context.Client().Text, ["request_id"] = context.TraceIdentifier },
            user is null ? "invalid_link" : null,
            cancellation: context.RequestAborted);
        return user;
    }
}
