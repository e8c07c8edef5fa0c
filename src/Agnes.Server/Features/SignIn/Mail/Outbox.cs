using System.Threading.Channels;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>
/// Takes letters without a wait, so that an answer takes as long for an address that we know as for one that we do not, and stores them in the background until
/// they are sent.
/// </summary>
internal sealed partial class Outbox(Outgoing outgoing, TimeProvider time, ILogger<Outbox> log, IMailTransport? transport = null) : BackgroundService
{
    private static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);
    private readonly Channel<Letter> _letters = Channel.CreateBounded<Letter>(new BoundedChannelOptions(Outgoing.WaitingMax) { SingleReader = true });

    /// <summary>Whether mails are sent at all.</summary>
    public bool IsOpen => transport is not null;

    /// <summary>Takes the letter, unless far too many wait.</summary>
    public void Post(Letter letter)
    {
        if (!IsOpen || !_letters.Writer.TryWrite(letter)) LogFull(log, Outgoing.WaitingMax);
    }

    /// <summary>What was asked for before the end is stored, and as far as a few seconds go it is sent: the jobs end after this.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        _letters.Writer.TryComplete();
        if (ExecuteTask is { } storing) await Task.WhenAny(storing, Task.Delay(StopTimeMax, time, cancellationToken));
        await base.StopAsync(cancellationToken);
        while (IsOpen && time.GetElapsedTime(since) < StopTimeMax && await outgoing.IsAnyNewAsync(Letter.Channel, cancellationToken)) await Task.Delay(LookEvery, time, cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var letter in _letters.Reader.ReadAllAsync(stoppingToken)) await TryStoreAsync(letter, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            if (_letters.Reader.Count > 0) LogLeft(log, _letters.Reader.Count);
        }
    }

    /// <summary>Nothing but the end of the process leaves this by exception: the next letter is to be sent as well.</summary>
    private async Task TryStoreAsync(Letter letter, CancellationToken stop)
    {
        try
        {
            await outgoing.PostAsync(Letter.Channel, letter.Write(), stop);
        }
        catch (Exception fault) when (fault is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            LogNotStored(log, letter.Subject, fault);
        }
    }

    [LoggerMessage(EventId = 5420, Level = LogLevel.Error, Message = "The mail '{Subject}' could not be stored, and is not sent.")]
    private static partial void LogNotStored(ILogger log, string subject, Exception fault);

    [LoggerMessage(EventId = 5421, Level = LogLevel.Error, Message = "A mail was dropped: {LettersMax} wait to be sent.")]
    private static partial void LogFull(ILogger log, int lettersMax);

    [LoggerMessage(EventId = 5422, Level = LogLevel.Information, Message = "{Letters} mails were not stored before the server stopped.")]
    private static partial void LogLeft(ILogger log, int letters);
}
