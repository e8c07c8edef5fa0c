using System.Text.Json.Serialization;
using Agnes.Server.Features.SignIn.Mail;
using Agnes.Server.Features.SignIn.Pages;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Web;

namespace Agnes.Server.Features.SignIn.Providers.EmailLink;

/// <param name="DevLink">In local development only.</param>
internal sealed record LinkSent(
    string Message, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? DevLink = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(LinkSent))]
internal sealed partial class EmailLinkJson : JsonSerializerContext;

/// <summary>Answers the same for every address.</summary>
internal static class SendLink
{
    public const int PerMinuteMax = 5;
    public const string CountedAs = "POST /auth/email/send-link";

    public static async Task<IResult> JsonAsync(HttpContext context, LinkMail mail, RateLimits limits, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var email = body.String("email");
        body.ThrowIfInvalid();
        Limit(context, limits, email);
        return JsonBody.Of(new LinkSent(LinkMail.Answer, await mail.AskAsync(context, LinkPurpose.SignIn, email, stop)), EmailLinkJson.Default.LinkSent);
    }

    public static async Task<IResult> FormAsync(HttpContext context, LinkMail mail, RateLimits limits, CancellationToken stop)
    {
        var form = await RequestForm.ReadAsync(context);
        var email = form.String("email");
        var next = LocalPath.Accept(form.Optional("next"));
        form.ThrowIfInvalid();
        Limit(context, limits, email);
        await mail.AskAsync(context, LinkPurpose.SignIn, email, stop, next);
        return Results.Redirect($"/login/email?msg=link_sent{(next is null ? "" : $"&next={Uri.EscapeDataString(next)}")}");
    }

    public static IResult Show(HttpContext context, LinkMail mail, ServerOptions options)
    {
        var next = LocalPath.Accept(context.Request.Query["next"]);
        if (context.CallerOrNull() is not null) return Results.Redirect(next ?? options.HomeRoute);
        return !mail.IsOffered ? Results.Redirect("/login") : Page.Show<AskLinkPage>(AskLinkModel.ToSignIn(
            next, SignInMessages.Message(context.Request.Query["msg"]), SignInMessages.Error(context.Request.Query["error"])));
    }

    /// <summary>By the asker's address, and by the account whether it exists or not: nobody's mailbox is flooded from many machines.</summary>
    private static void Limit(HttpContext context, RateLimits limits, string email)
    {
        limits.Take(context, email);
        limits.TakeForAccount("link", email, PerMinuteMax);
    }
}
