using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Agnes.Engine.Outbound;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>
/// Delivers to a mail server: with TLS from the first byte on port 465, else with STARTTLS, else, where the operator said so, in the clear. A server that does not offer the TLS that was
/// asked for gets neither password nor letter.
/// </summary>
internal sealed class Smtp(MailOptions.SmtpOptions options, OutboundGuard guard, TimeProvider time) : IMailTransport
{
    public async Task SendAsync(Letter letter, CancellationToken stop)
    {
        try
        {
            await using var plain = await guard.ConnectAsync(options.Host, options.Port, options.Owner, stop);
            if (options.Security == MailOptions.MailSecurity.Tls)
            {
                await using var safe = await SecureAsync(plain, stop);
                var talk = new SmtpConversation(safe);
                await talk.ExpectAsync(220, stop);
                await DeliverAsync(talk, await talk.HelloAsync(stop), letter, stop);
                return;
            }

            var open = new SmtpConversation(plain);
            await open.ExpectAsync(220, stop);
            var offered = await open.HelloAsync(stop);
            if (options.Security == MailOptions.MailSecurity.None)
            {
                await DeliverAsync(open, offered, letter, stop);
                return;
            }

            if (!offered.Has("STARTTLS")) throw new MailException("the mail server offers no STARTTLS", isForNow: false);
            await open.SayAsync("STARTTLS", 220, stop);
            open.RefuseLeftovers();
            await using var secured = await SecureAsync(plain, stop);
            var again = new SmtpConversation(secured);
            await DeliverAsync(again, await again.HelloAsync(stop), letter, stop); // what was said in the clear does not count
        }
        catch (OutboundRefusedException fault)
        {
            var reason = fault.IsUnknown ? "the mail server's name cannot be resolved" : $"the mail server {fault.Message}";
            throw new MailException(reason, isForNow: fault.IsUnknown, fault);
        }
        catch (AuthenticationException fault)
        {
            throw new MailException("the mail server's certificate is not trusted", isForNow: false, fault);
        }
        catch (Exception fault) when (fault is SocketException or IOException)
        {
            throw new MailException($"the connection to the mail server failed: {(fault as SocketException ?? fault.InnerException as SocketException)?.SocketErrorCode.ToString() ?? "closed"}", isForNow: true, fault);
        }
    }

    private async Task DeliverAsync(SmtpConversation talk, SmtpOffer offer, Letter letter, CancellationToken stop)
    {
        if (options is { User: { } user, Password: { } password }) await talk.SignInAsync(offer, user, password, stop);
        await talk.SayAsync($"MAIL FROM:<{Mailbox(options.From.Address)}>", 250, stop);
        await talk.SayAsync($"RCPT TO:<{Mailbox(letter.To)}>", 250, stop);
        await talk.SayAsync("DATA", 354, stop);
        await talk.SayAsync(MailText.Of(letter, options.From, time.GetUtcNow()), 250, stop);
        await talk.LeaveAsync(stop);
    }

    private async Task<SslStream> SecureAsync(Stream stream, CancellationToken stop)
    {
        var secured = new SslStream(stream, leaveInnerStreamOpen: true);
        var how = new SslClientAuthenticationOptions { TargetHost = options.Host, EnabledSslProtocols = SslProtocols.None };
        if (options.Authority is { } authority)
        {
            how.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            how.CertificateChainPolicy.CustomTrustStore.Add(authority);
        }

        try
        {
            await secured.AuthenticateAsClientAsync(how, stop);
            return secured;
        }
        catch
        {
            await secured.DisposeAsync();
            throw;
        }
    }

    /// <summary>An address must not be able to say more than an address.</summary>
    private static string Mailbox(string address) => address.All(character => character is > ' ' and < '\u007f' and not ('<' or '>'))
        ? address
        : throw new MailException("an address has characters that cannot be sent", isForNow: false);
}
