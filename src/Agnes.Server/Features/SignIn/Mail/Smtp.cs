using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Agnes.Engine.Outbound;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>
/// Delivers to a mail server: with TLS from the first byte on port 465, else with STARTTLS, else, where the operator said so, in the clear. A server that does not offer the TLS that was
/// asked for gets neither password nor letter. What a server says of itself goes into no error: it may repeat what it was told.
/// </summary>
internal sealed class Smtp(MailOptions.SmtpOptions options, OutboundGuard guard, TimeProvider time) : IMailTransport
{
    public async Task SendAsync(Letter letter, CancellationToken stop)
    {
        using var message = Message(letter);
        try
        {
            await using var line = await guard.ConnectAsync(options.Host, options.Port, options.Owner, stop);
            using var client = Client();
            await client.ConnectAsync(line, options.Host, options.Port, Security, stop);
            if (options is { User: { } user, Password: { } password }) await SignInAsync(client, user, password, stop);
            await client.SendAsync(message, stop);
            await LeaveAsync(client, stop);
        }
        catch (OutboundRefusedException fault)
        {
            var reason = fault.IsUnknown ? "the mail server's name cannot be resolved" : $"the mail server {fault.Message}";
            throw new MailException(reason, isForNow: fault.IsUnknown, fault);
        }
        catch (SslHandshakeException fault)
        {
            throw new MailException("the mail server's certificate is not trusted", isForNow: false, fault);
        }
        catch (NotSupportedException fault)
        {
            throw new MailException("the mail server offers no STARTTLS", isForNow: false, fault);
        }
        catch (Exception fault) when (Answered(fault) is { } code)
        {
            throw new MailException($"the mail server answered {code}", isForNow: code is >= 400 and < 500, fault);
        }
        catch (ProtocolException fault)
        {
            throw new MailException("the mail server broke off, or does not speak SMTP", isForNow: true, fault);
        }
        catch (Exception fault) when (fault is SocketException or IOException)
        {
            throw new MailException($"the connection to the mail server failed: {(fault as SocketException ?? fault.InnerException as SocketException)?.SocketErrorCode.ToString() ?? "closed"}", isForNow: true, fault);
        }
    }

    private SecureSocketOptions Security => options.Security switch
    {
        MailOptions.MailSecurity.Tls => SecureSocketOptions.SslOnConnect,
        MailOptions.MailSecurity.StartTls => SecureSocketOptions.StartTls,
        _ => SecureSocketOptions.None,
    };

    private SmtpClient Client()
    {
        var client = new SmtpClient { LocalDomain = HostName(), CheckCertificateRevocation = false };
        if (options.Authority is { } authority) client.ServerCertificateValidationCallback = (_, certificate, chain, errors) => IsSignedBy(authority, certificate, chain, errors);
        return client;
    }

    /// <summary>For that name, by that authority, whoever else is trusted.</summary>
    private static bool IsSignedBy(X509Certificate2 authority, X509Certificate? certificate, X509Chain? sent, SslPolicyErrors errors)
    {
        if (certificate is not X509Certificate2 given || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None) return false;
        using var chain = new X509Chain { ChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck } };
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.1")); // for servers
        foreach (var element in sent?.ChainElements.AsEnumerable() ?? []) chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        return chain.Build(given);
    }

    /// <summary>One mechanism, once: a wrong password that is tried by each of them counts several times against the account.</summary>
    private static async Task SignInAsync(SmtpClient client, string user, string password, CancellationToken stop)
    {
        SaslMechanism how = client.AuthenticationMechanisms.Contains("PLAIN") ? new SaslMechanismPlain(user, password)
            : client.AuthenticationMechanisms.Contains("LOGIN") ? new SaslMechanismLogin(user, password)
            : throw new MailException("the mail server takes no password (neither PLAIN nor LOGIN)", isForNow: false);
        await client.AuthenticateAsync(how, stop);
    }

    /// <summary>The letter is taken: whatever becomes of the good-bye is nobody's business.</summary>
    private static async Task LeaveAsync(SmtpClient client, CancellationToken stop)
    {
        try
        {
            await client.DisconnectAsync(quit: true, stop);
        }
        catch (Exception fault) when (fault is ProtocolException or CommandException or IOException or SocketException)
        {
            return;
        }
    }

    private static int? Answered(Exception fault) => fault switch
    {
        SmtpCommandException refused => (int)refused.StatusCode,
        AuthenticationException { InnerException: SmtpCommandException refused } => (int)refused.StatusCode,
        AuthenticationException => (int)SmtpStatusCode.AuthenticationInvalidCredentials,
        ServiceNotAuthenticatedException => (int)SmtpStatusCode.AuthenticationRequired,
        _ => null,
    };

    /// <summary>The text is base64, so no line of it can be taken for anything else.</summary>
    private MimeMessage Message(Letter letter)
    {
        var message = new MimeMessage { Subject = letter.Subject, Date = time.GetUtcNow(), Body = new TextPart("plain") { Text = letter.Text, ContentTransferEncoding = ContentEncoding.Base64 } };
        message.From.Add(new MailboxAddress(Encoding.UTF8, options.From.Name, Mailbox(options.From.Address)));
        message.To.Add(new MailboxAddress(Encoding.UTF8, null, Mailbox(letter.To)));
        message.MessageId = $"{Guid.NewGuid():N}{options.From.Address[options.From.Address.LastIndexOf('@')..]}";
        message.Headers.Add(HeaderId.AutoSubmitted, "auto-generated");
        return message;
    }

    /// <summary>An address must not be able to say more than an address.</summary>
    private static string Mailbox(string address) => address.All(character => character is > ' ' and < '\u007f' and not ('<' or '>'))
        ? address
        : throw new MailException("an address has characters that cannot be sent", isForNow: false);

    private static string HostName()
    {
        var name = new string([.. Dns.GetHostName().Where(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.')]);
        return name.Length > 0 ? name : "localhost";
    }
}
