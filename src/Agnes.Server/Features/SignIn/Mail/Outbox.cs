using System.Threading.Channels;
using Agnes.Protocol;
using Polly;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>
/// Sends mails in the background, so that an answer takes as long for an address that we know as for one that we do not. What could not be sent within a few seconds of the process's
/// end is lost: a person asks for another link.
/// </summary>
internal sealed partial class Outbox(TimeProvider time, ILogger<Outbox> log, IMailTransport? transport = null) : BackgroundService
{
    private const int LettersMax = 1_000;
    private const int AttemptsMax = 3;

    /// <summary>So that one address whose server is slow does not hold up everybody.</summary>
    private const int AtOnceMax = 4;
    private static readonly TimeSpan AttemptTimeMax = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PauseFirst = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(10);
    private readonly ResiliencePipeline _retries = Retries.After(AttemptsMax - 1, PauseFirst, PauseMax, time, fault => fault is MailException { IsForNow: true });
    private readonly Channel<Letter> _letters = Channel.CreateBounded<Letter>(new BoundedChannelOptions(LettersMax));

    /// <summary>Whether mails are sent at all.</summary>
    public bool IsOpen => transport is not null;

    /// <summary>Takes the letter, unless far too many wait.</summary>
    /// <returns>Whether it was taken; not whether it will arrive.</returns>
    public bool Post(Letter letter)
    {
        if (IsOpen && _letters.Writer.TryWrite(letter)) return true;
        LogFull(log, LettersMax);
        return false;
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _letters.Writer.TryComplete();
        if (ExecuteTask is { } sending) await Task.WhenAny(sending, Task.Delay(StopTimeMax, time, cancellationToken));
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (transport is null) return;
        try
        {
            var how = new ParallelOptions { MaxDegreeOfParallelism = AtOnceMax, CancellationToken = stoppingToken };
            await Parallel.ForEachAsync(_letters.Reader.ReadAllAsync(stoppingToken), how, async (letter, stop) => await SendAsync(transport, letter, stop));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            LogLeft(log, _letters.Reader.Count);
        }
    }

    /// <summary>Nothing but the end of the process leaves this by exception: the next letter is to be sent as well.</summary>
    private async Task SendAsync(IMailTransport transport, Letter letter, CancellationToken stop)
    {
        var attempt = 0;
        try
        {
            await _retries.ExecuteAsync(
                async stopped =>
                {
                    attempt++;
                    await SendOnceAsync(transport, letter, stopped);
                },
                stop);
        }
        catch (MailException fault)
        {
            LogNotSent(log, letter.Subject, attempt, AttemptsMax, fault.Message);
        }
    }

    private static async Task SendOnceAsync(IMailTransport transport, Letter letter, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(AttemptTimeMax);
        try
        {
            await transport.SendAsync(letter, limit.Token);
        }
        catch (OperationCanceledException fault) when (!stop.IsCancellationRequested)
        {
            throw new MailException($"no answer within {AttemptTimeMax.TotalSeconds} seconds", isForNow: true, fault);
        }
        catch (Exception fault) when (fault is not (MailException or OperationCanceledException))
        {
            throw new MailException(fault.GetType().Name, isForNow: false, fault);
        }
    }

    [LoggerMessage(EventId = 5420, Level = LogLevel.Warning, Message = "The mail '{Subject}' could not be sent ({Attempt} of {AttemptsMax} attempts): {Reason}")]
    private static partial void LogNotSent(ILogger log, string subject, int attempt, int attemptsMax, string reason);

    [LoggerMessage(EventId = 5421, Level = LogLevel.Error, Message = "A mail was dropped: {LettersMax} wait to be sent.")]
    private static partial void LogFull(ILogger log, int lettersMax);

    [LoggerMessage(EventId = 5422, Level = LogLevel.Information, Message = "{Letters} mails were not sent before the server stopped.")]
    private static partial void LogLeft(ILogger log, int letters);
}
