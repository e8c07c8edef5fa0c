using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Web;

namespace Agnes.Server.Features.SignIn.Pages;

/// <summary>Where people who are not signed in land.</summary>
internal static class SignInPages
{
    public static void MapSignInPages(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("").ExcludeFromDescription().Public();
        pages.MapGet("/login", ShowLogin);
        pages.MapGet("/login/password", ShowPassword);
        pages.MapGet("/auth/password/setup", (HttpContext context) => ShowSetPassword(context, asksName: true));
        pages.MapGet("/auth/password/reset", (HttpContext context) => ShowSetPassword(context, asksName: false));
        pages.MapGet("/auth/logout", () => Page.Show<LogoutPage>());
    }

    private static IResult ShowLogin(HttpContext context, ServerOptions options)
    {
        var next = LocalPath.Accept(context.Request.Query["next"]);
        if (context.CallerOrNull() is not null) return Results.Redirect(next ?? options.HomeRoute);
        return Page.Show<LoginPage>(new LoginModel([new Provider("Email and password", WithNext("/login/password", next))], SignInMessages.Error(context.Request.Query["error"])));
    }

    private static IResult ShowPassword(HttpContext context, ServerOptions options)
    {
        var query = context.Request.Query;
        var next = LocalPath.Accept(query["next"]);
        if (context.CallerOrNull() is not null) return Results.Redirect(next ?? options.HomeRoute);
        return Page.Show<PasswordPage>(new PasswordModel(
            next,
            WithNext("/login", next),
            SignInMessages.Error(query["error"]) ?? SignInMessages.Error(query["err"]),
            SignInMessages.Message(query["msg"])));
    }

    /// <summary>Looks nothing up: the same for a good link, a bad one and a stranger's email.</summary>
    private static IResult ShowSetPassword(HttpContext context, bool asksName)
    {
        var query = context.Request.Query;
        var (email, token) = (query["email"].ToString(), query["token"].ToString());
        return email.Length == 0 || token.Length == 0
            ? Results.Redirect("/login/password")
            : Page.Show<SetPasswordPage>(new SetPasswordModel(email, token, SignInMessages.Error(query["error"]), asksName));
    }

    private static string WithNext(string path, string? next) => next is null ? path : $"{path}?next={Uri.EscapeDataString(next)}";
}
