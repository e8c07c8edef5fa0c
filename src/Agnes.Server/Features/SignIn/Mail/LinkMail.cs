using System.Text.Json.Nodes;
using System.Threading.Channels;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>
/// Mails a link to whom it belongs. What the asker sees is the same whether the address is known or not, and so is how long it takes:
/// whatever depends on the account happens in the background, after the answer.
/// </summary>
internal sealed partial class LinkMail(StateDb state, Outbox outbox, ServerOptions options, TimeProvider time, ILogger<LinkMail> log) : BackgroundService
{
    private const int WaitingMax = 1_000;
    private static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(5);
    private readonly Channel<Asked> _asked = Channel.CreateBounded<Asked>(new BoundedChannelOptions(WaitingMax) { SingleReader = true });

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

    /// <summary>Notes that somebody asked for a link; nothing about the account is looked at.</summary>
    /// <param name="next">Where the link leads on to, checked already.</param>
    /// <returns>The link, for the developer of local development alone: who asks as a guest has to read their mail, or the log.</returns>
    public async Task<string?> AskAsync(HttpContext context, LinkPurpose purpose, string email, CancellationToken stop, string? next = null)
    {
        if (!IsOffered) return null;
        if (PublicAddress.ForMail(options, context) is not { } server)
        {
            LogNoAddress(log);
            return null;
        }

        var asked = new Asked(server, purpose, email.Trim(), next, context.Client().Text, AuditOrigin.Current);
        if (options.LocalDevelopment is not null)
        {
            var link = await SendAsync(asked, stop);
            return context.CallerOrNull() is { IsAdmin: true } ? link : null;
        }
        if (!_asked.Writer.TryWrite(asked)) LogFull(log, WaitingMax);
        return null;
    }

    /// <summary>What was asked for before the end is done still, within a few seconds.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _asked.Writer.TryComplete();
        if (ExecuteTask is { } sending) await Task.WhenAny(sending, Task.Delay(StopTimeMax, time, cancellationToken));
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var asked in _asked.Reader.ReadAllAsync(stoppingToken)) await TrySendAsync(asked, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            if (_asked.Reader.Count > 0) LogLeft(log, _asked.Reader.Count);
        }
    }

    /// <summary>Nothing but the end of the process leaves this by exception: the next person wants a link as well.</summary>
    private async Task TrySendAsync(Asked asked, CancellationToken stop)
    {
        try
        {
            AuditOrigin.Current = asked.Origin;
            await SendAsync(asked, stop);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            LogFailed(log, failure);
        }
    }

    private async Task<string?> SendAsync(Asked asked, CancellationToken stop)
    {
        if (state.Snapshot.UserByEmail(asked.Email) is not { Active: true } user || !Fits(asked.Purpose, user)) return null;
        var token = await state.WriteAsync(
            async write =>
            {
                if (write.Before.User(user.Id) is not { Active: true }) return null;
                write.Audit(null, "user.link_mailed", $"user:{user.Id}", new JsonObject { ["purpose"] = asked.Purpose.ToString(), ["ip"] = asked.Address });
                return await PasswordLinks.CreateAsync(write, user.Id, asked.Purpose);
            },
            stop);
        if (token is null) return null;
        var link = PasswordLinks.Address(asked.Server, asked.Purpose, user.Email, token, asked.Next);
        if (outbox.IsOpen) outbox.Post(Letter(asked.Purpose, user.Email, link));
        if (options.LocalDevelopment is null) return null;
        LogLink(log, link);
        return link;
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

    [LoggerMessage(EventId = 5425, Level = LogLevel.Error, Message = "A link that somebody asked for was not made: {WaitingMax} wait already.")]
    private static partial void LogFull(ILogger log, int waitingMax);

    [LoggerMessage(EventId = 5426, Level = LogLevel.Error, Message = "A link that somebody asked for could not be made; they have to ask again.")]
    private static partial void LogFailed(ILogger log, Exception failure);

    [LoggerMessage(EventId = 5427, Level = LogLevel.Warning, Message = "{Links} links were not made before the server stopped.")]
    private static partial void LogLeft(ILogger log, int links);

    /// <param name="Server">The public address that the link begins with.</param>
    /// <param name="Address">Of the asker.</param>
    private sealed record Asked(string Server, LinkPurpose Purpose, string Email, string? Next, string? Address, AuditOrigin? Origin);
}
