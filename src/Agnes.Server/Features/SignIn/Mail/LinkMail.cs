using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>Mails a link to whom it belongs. What the asker sees is the same whether the address is known or not.</summary>
internal sealed partial class LinkMail(StateDb state, Outbox outbox, ServerOptions options, ILogger<LinkMail> log)
{
    /// <summary>What a caller may know: nothing of the account.</summary>
    public const string Answer = "If the address belongs to an account, a link is on its way to it.";

    /// <summary>Whether links can be mailed, or, in local development, read from the log.</summary>
    public bool IsOffered => outbox.IsOpen || options.LocalDevelopment is not null;

    /// <summary>Whether a link that an admin made can be mailed to its owner.</summary>
    public bool CanMail(HttpContext context) => outbox.IsOpen && PublicAddress.ForMail(options, context) is not null;

    /// <summary>Mails a link that an admin made, where that is possible; the admin has it in any case.</summary>
    public void Post(HttpContext context, LinkPurpose purpose, string email, string token)
    {
        if (CanMail(context)) outbox.Post(Letter(purpose, email, PasswordLinks.Address(PublicAddress.ForMail(options, context)!, purpose, email, token)));
    }

    /// <param name="next">Where the link leads on to, checked already.</param>
    /// <returns>The link, for the developer of local development alone: who asks as a guest has to read their mail, or the log.</returns>
    public async Task<string?> SendAsync(HttpContext context, LinkPurpose purpose, string email, CancellationToken stop, string? next = null)
    {
        if (!IsOffered) return null;
        if (PublicAddress.ForMail(options, context) is not { } server)
        {
            LogNoAddress(log);
            return null;
        }

        if (context.Snapshot().UserByEmail(email.Trim()) is not { Active: true } user || !Fits(purpose, user)) return null;
        var token = await state.WriteAsync(
            async write =>
            {
                if (write.Before.User(user.Id) is not { Active: true }) return null;
                write.Audit(null, "user.link_mailed", $"user:{user.Id}", new JsonObject { ["purpose"] = purpose.ToString(), ["ip"] = context.Client().Text });
                return await PasswordLinks.CreateAsync(write, user.Id, purpose);
            },
            stop);
        if (token is null) return null;
        var link = PasswordLinks.Address(server, purpose, user.Email, token, next);
        if (outbox.IsOpen) outbox.Post(Letter(purpose, user.Email, link));
        if (options.LocalDevelopment is null) return null;
        LogLink(log, link);
        return context.CallerOrNull() is { IsAdmin: true } ? link : null;
    }

    /// <summary>A first password is for who has none.</summary>
    private static bool Fits(LinkPurpose purpose, UserRow user) => purpose != LinkPurpose.Setup || string.IsNullOrEmpty(user.PasswordHash);

    private static Letter Letter(LinkPurpose purpose, string to, string link)
    {
        var (subject, what, lasts) = purpose switch
        {
            LinkPurpose.Setup => ("Set up your account", "set your password", "seven days"),
            LinkPurpose.Reset => ("Reset your password", "set a new password", "24 hours"),
            _ => ("Login Link", "sign in", "one hour"),
        };
        return new Letter(to, subject, $"Open this link to {what}:\n\n{link}\n\nIt works once, within {lasts}. If you did not ask for it, do nothing: nobody can use it without this mail.\n");
    }

    [LoggerMessage(EventId = 5423, Level = LogLevel.Error, Message = "A link was not mailed: set SERVER_URL (or DOMAIN, or AGNES_ALLOWED_HOSTS), so that links carry your address and not what a stranger wrote into a request.")]
    private static partial void LogNoAddress(ILogger log);

    [LoggerMessage(EventId = 5424, Level = LogLevel.Warning, Message = "Local development: the link is {Link}")]
    private static partial void LogLink(ILogger log, string link);
}
