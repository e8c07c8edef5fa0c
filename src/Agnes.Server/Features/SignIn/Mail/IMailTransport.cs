using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>Hands letters to whoever delivers them.</summary>
internal interface IMailTransport
{
    /// <exception cref="MailException">It was not taken.</exception>
    Task SendAsync(Letter letter, CancellationToken stop);
}

/// <param name="reason">For the log: no address, no text, no secret.</param>
/// <param name="isForNow">Worth another try.</param>
internal sealed class MailException(string reason, bool isForNow, Exception? inner = null) : OutletException(reason, isForNow, inner);
