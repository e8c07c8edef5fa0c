using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>Letters on their way out.</summary>
internal sealed class MailOutlet(IMailTransport transport) : IOutlet
{
    public string Channel => Letter.Channel;

    public Task SendAsync(string content, CancellationToken cancellation) => transport.SendAsync(Letter.Read(content), cancellation);
}
