using Agnes.Server.Features.SignIn.Mail;
using Agnes.Server.Features.SignIn.Pages;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Web;

namespace Agnes.Server.Features.SignIn;

/// <summary>Somebody without a password, or who forgot it, asks for a link. The answer is the same for every address.</summary>
internal static class AskPasswordLink
{
    public const int PerMinuteMax = 5;

    public static Task<IResult> ResetAsync(HttpContext context, LinkMail mail, RateLimits limits, CancellationToken stop) =>
        AskAsync(context, mail, limits, LinkPurpose.Reset, stop);

    public static Task<IResult> SetupAsync(HttpContext context, LinkMail mail, RateLimits limits, CancellationToken stop) =>
        AskAsync(context, mail, limits, LinkPurpose.Setup, stop);

    private static async Task<IResult> AskAsync(HttpContext context, LinkMail mail, RateLimits limits, LinkPurpose purpose, CancellationToken stop)
    {
        var form = await RequestForm.ReadAsync(context);
        var email = form.String("email").Trim();
        form.ThrowIfInvalid();
        limits.Take(context, email);
        limits.TakeForAccount("link", email, PerMinuteMax);
        await mail.AskAsync(context, purpose, email, stop);
        return Page.Show<AskLinkPage>(AskLinkModel.ForPassword(mail.IsOffered, SignInMessages.Message("link_sent")));
    }
}
