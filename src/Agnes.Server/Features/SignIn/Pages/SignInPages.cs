using Agnes.Server.Features.SignIn.Mail;
using Agnes.Server.Features.SignIn.Providers;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.SignIn.Pages;

/// <summary>Where people who are not signed in land.</summary>
internal static class SignInPages
{
    public static void MapSignInPages(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("").ExcludeFromDescription().Public();
        pages.MapGet("/login", ShowLoginAsync);
        pages.MapGet("/login/password", ShowPassword);
        pages.MapGet("/login/reset", (LinkMail mail) => Page.Show<AskLinkPage>(AskLinkModel.ForPassword(mail.IsOffered, null)));
        pages.MapGet("/auth/password/setup", (HttpContext context) => ShowSetPassword(context, asksName: true));
        pages.MapGet("/auth/password/reset", (HttpContext context) => ShowSetPassword(context, asksName: false));
        pages.MapGet("/auth/logout", () => Page.Show<LogoutPage>());
    }

    /// <summary>Where there is one way only, there is nothing to choose: its form is the page.</summary>
    private static async Task<IResult> ShowLoginAsync(
        HttpContext context, StateDb state, ServerOptions options, LinkMail mail, IEnumerable<ISignInProvider> providers, CancellationToken stop)
    {
        var query = context.Request.Query;
        var next = LocalPath.Accept(query["next"]);
        if (context.CallerOrNull() is not null) return Results.Redirect(next ?? options.HomeRoute);
        var isNew = !await BootstrapWindow.IsClosedAsync(state, stop);
        var isLocal = options.LocalDevelopment is not null;
        var buttons = Buttons(providers, next);
        if (buttons.Count == 1 && !isNew && !isLocal) return ShowPassword(context, options, mail, providers);
        return Page.Show<LoginPage>(new LoginModel(buttons, SignInMessages.Error(query["error"]), SignInMessages.Message(query["msg"]), isNew, isLocal));
    }

    private static List<ProviderButton> Buttons(IEnumerable<ISignInProvider> providers, string? next) =>
        [.. providers.Select(provider => provider.Button(next)).OfType<ProviderButton>()];

    private static IResult ShowPassword(HttpContext context, ServerOptions options, LinkMail mail, IEnumerable<ISignInProvider> providers)
    {
        var query = context.Request.Query;
        var next = LocalPath.Accept(query["next"]);
        if (context.CallerOrNull() is not null) return Results.Redirect(next ?? options.HomeRoute);
        return Page.Show<PasswordPage>(new PasswordModel(
            next,
            Buttons(providers, next).Count == 1 ? null : ProviderList.WithNext("/login", next),
            mail.IsOffered ? "/login/reset" : null,
            SignInMessages.Error(query["error"]) ?? SignInMessages.Locked(query["error"], query["retry"]) ?? SignInMessages.Error(query["err"]),
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
}
