using System.Net;
using System.Net.Mail;
using System.Threading.Channels;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>A mail of plain text.</summary>
internal sealed record Letter(string To, string Subject, string Text)
{
    /// <summary>Without the text, which may hold a link that is a key.</summary>
    public override string ToString() => $"mail '{Subject}'";
}

/// <summary>
/// Sends mails in the background, so that an answer takes as long for an address that we know as for one that we do not. What was not sent when the process ends is lost:
/// a person asks for another link.
/// </summary>
internal sealed partial class Outbox(ServerOptions options, TimeProvider time, ILogger<Outbox> log) : BackgroundService
{
    private const int LettersMax = 1_000;
    private const int AttemptsMax = 3;
    private static readonly TimeSpan AttemptTimeMax = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);
    private readonly Channel<Letter> _letters = Channel.CreateBounded<Letter>(new BoundedChannelOptions(LettersMax) { SingleReader = true });

    /// <summary>Whether mails are sent at all.</summary>
    public bool IsOpen => options.SignIn.Mail is not null;

    /// <summary>Takes the letter, unless far too many wait.</summary>
    public void Post(Letter letter)
    {
        if (!_letters.Writer.TryWrite(letter)) LogFull(log, LettersMax);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var letter in _letters.Reader.ReadAllAsync(stoppingToken)) await SendAsync(letter, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            LogLeft(log, _letters.Reader.Count);
        }
    }

    private async Task SendAsync(Letter letter, CancellationToken stop)
    {
        if (options.SignIn.Mail is not { } server) return;
        for (var attempt = 1; attempt <= AttemptsMax; attempt++)
        {
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
                limit.CancelAfter(AttemptTimeMax);
                await SendOnceAsync(server, letter, limit.Token);
                return;
            }
            catch (Exception fault) when (fault is SmtpException or IOException or FormatException || (fault is OperationCanceledException && !stop.IsCancellationRequested))
            {
                LogNotSent(log, letter.Subject, attempt, AttemptsMax, fault is SmtpException smtp ? smtp.StatusCode.ToString() : fault.GetType().Name);
                if (attempt < AttemptsMax) await Task.Delay(RetryAfter * attempt, time, stop);
            }
        }
    }

    private static async Task SendOnceAsync(MailOptions server, Letter letter, CancellationToken stop)
    {
        using var client = new SmtpClient(server.Host, server.Port) { EnableSsl = server.Tls, DeliveryMethod = SmtpDeliveryMethod.Network };
        if (server.User is { } user) client.Credentials = new NetworkCredential(user, server.Password ?? "");
        using var message = new MailMessage(server.From, letter.To, letter.Subject, letter.Text);
        await client.SendMailAsync(message, stop);
    }

    [LoggerMessage(EventId = 5420, Level = LogLevel.Warning, Message = "The mail '{Subject}' could not be sent (attempt {Attempt} of {AttemptsMax}): {Reason}")]
    private static partial void LogNotSent(ILogger log, string subject, int attempt, int attemptsMax, string reason);

    [LoggerMessage(EventId = 5421, Level = LogLevel.Error, Message = "A mail was dropped: {LettersMax} wait to be sent.")]
    private static partial void LogFull(ILogger log, int lettersMax);

    [LoggerMessage(EventId = 5422, Level = LogLevel.Information, Message = "{Letters} mails were not sent before the server stopped.")]
    private static partial void LogLeft(ILogger log, int letters);
}
