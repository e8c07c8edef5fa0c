using Agnes.Server.Features.SignIn.Mail;
using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.SignIn.Providers.EmailLink;

/// <summary>Sign-in with a mailed link: for whoever reads the account's mail. Offered where mail can be sent.</summary>
internal sealed class EmailLinkProvider(LinkMail mail) : ISignInProvider
{
    public ProviderButton? Button(string? next) => mail.IsOffered ? new("Email link", ProviderList.WithNext("/login/email", next)) : null;

    public void Map(IEndpointRouteBuilder routes)
    {
        var open = routes.MapGroup("/auth/email").WithTags("Sign-in").Public();
        open.MapPost("/send-link", SendLink.JsonAsync).Produces<LinkSent>().PerMinute(SendLink.PerMinuteMax, SendLink.CountedAs)
            .WithSummary("Mail a link to sign in with.");
        open.MapPost("/send-link/web", SendLink.FormAsync).Produces(StatusCodes.Status302Found)
            .PerMinute(SendLink.PerMinuteMax, SendLink.CountedAs).WithSummary("Mail a link to sign in with, from a form.");
        open.MapPost("/verify", VerifyLink.JsonAsync).Produces<SignedIn>().PerMinute(VerifyLink.PerMinuteMax)
            .WithSummary("Sign in with a mailed link's token.");
        open.MapPost("/verify/web", VerifyLink.FormAsync).Produces(StatusCodes.Status302Found).PerMinute(VerifyLink.PerMinuteMax)
            .WithSummary("Sign in with a mailed link's token, from a form.");

        var pages = routes.MapGroup("").ExcludeFromDescription().Public();
        pages.MapGet("/login/email", SendLink.Show);
        pages.MapGet("/auth/email/verify", VerifyLink.Show);
    }
}
