using Agnes.Server.Features.SignIn.Providers;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.SignIn;

/// <summary>How people prove who they are, and what the server says about them afterwards.</summary>
internal static class SignInEndpoints
{
    public static void MapSignIn(this IEndpointRouteBuilder routes)
    {
        var open = routes.MapGroup("/auth").WithTags("Sign-in").Public();
        open.MapPost("/token", IssueToken.HandleAsync).Produces<IssuedToken>().PerMinute(IssueToken.PerMinuteMax).WithSummary("Exchange e-mail and password for a session token.");
        open.MapPost("/bootstrap", Bootstrap.HandleAsync).Produces<IssuedToken>().PerMinute(Bootstrap.PerMinuteMax).WithSummary("Make the first admin of a new server, once.");
        open.MapPost("/logout", Logout.HandleAsync).Produces(StatusCodes.Status204NoContent)
            .WithSummary("End the session of this browser.");
        open.MapPost("/password/login", PasswordLogin.JsonAsync).Produces<SignedIn>().PerMinute(PasswordLogin.PerMinuteMax).WithSummary("Sign in with a password.");
        open.MapPost("/password/login/web", PasswordLogin.FormAsync).Produces(StatusCodes.Status302Found)
            .PerMinute(PasswordLogin.PerMinuteMax).WithSummary("Sign in with a password from a form.");
        open.MapPost("/password/setup", SetPassword.SetupAsync).Produces<PasswordSet>().PerMinute(SetPassword.PerMinuteMax).WithSummary("Set the first password with a link's token.");
        open.MapPost("/password/setup/confirm", SetPassword.SetupFormAsync).Produces(StatusCodes.Status302Found)
            .PerMinute(SetPassword.PerMinuteMax).WithSummary("Set the first password from a form.");
        open.MapPost("/password/reset/confirm", SetPassword.ResetFormAsync).Produces(StatusCodes.Status302Found)
            .PerMinute(SetPassword.PerMinuteMax).WithSummary("Set another password from a form.");

        open.MapPost("/password/reset", AskPasswordLink.ResetAsync).Produces<string>(contentType: "text/html")
            .PerMinute(AskPasswordLink.PerMinuteMax).WithSummary("Mail a link that sets another password.");
        open.MapPost("/password/setup/request", AskPasswordLink.SetupAsync).Produces<string>(contentType: "text/html")
            .PerMinute(AskPasswordLink.PerMinuteMax).WithSummary("Mail a link that sets a first password.");
        routes.MapGet(LocalDoor.Route, LocalDoor.OpenAsync).ExcludeFromDescription().Public();
        routes.MapSignInProviders();

        var own = routes.MapGroup("").WithTags("Profile").SignedIn();
        own.MapPost("/auth/password/change", ChangePassword.HandleAsync).Produces(StatusCodes.Status204NoContent)
            .PerMinute(ChangePassword.PerMinuteMax).WithSummary("Change your password; ends your other sessions.");
        own.MapPost("/auth/logout/everywhere", Logout.EverywhereAsync).Produces(StatusCodes.Status204NoContent)
            .WithSummary("End all your sessions.");
        own.MapGet("/auth/sessions", ListSessions.OwnAsync).Produces<IReadOnlyList<SessionView>>().WithSummary("Your sessions that are good at the moment.");
        own.MapDelete("/auth/sessions/{id}", EndSession.OwnAsync).Produces(StatusCodes.Status204NoContent)
            .WithSummary("End one of your sessions.");
        own.MapGet("/auth/me", Profile.Show).Produces<ProfileView>().WithSummary("Who you are and which groups you are in.");
        own.MapGet("/api/me/profile", Profile.Show).Produces<ProfileView>().WithSummary("Who you are and which groups you are in.");
        own.MapPost("/api/me/onboarded", Onboarded.HandleAsync).Produces<OnboardedView>().WithSummary("Note that you were introduced to the product.");

        var others = routes.MapGroup("/api/users/{id}/sessions").WithTags("Users").Admin();
        others.MapGet("", ListSessions.OfUserAsync).Produces<IReadOnlyList<SessionView>>().WithSummary("A user's sessions that are good at the moment.");
        others.MapDelete("", EndSession.AllOfUserAsync).Produces(StatusCodes.Status204NoContent).WithSummary("End all sessions of a user.");
        others.MapDelete("/{sessionId}", EndSession.OfUserAsync).Produces(StatusCodes.Status204NoContent)
            .WithSummary("End one session of a user.");
    }
}
