using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Agnes.Engine.Outbound;

namespace Agnes.Server.Platform.Config;

/// <summary>Whom mails are from.</summary>
public sealed record MailSender(string Address, string? Name)
{
    public const string AddressDefault = "noreply@example.com";

    /// <summary>An address, or a name with the address behind it in angle brackets; null when it is neither.</summary>
    public static MailSender? Parse(string text) =>
        System.Net.Mail.MailAddress.TryCreate(text, out var address) && address.Address.All(character => character is > ' ' and < '\u007f' and not ('<' or '>'))
            ? new MailSender(address.Address, address.DisplayName is { Length: > 0 } name && !name.Any(char.IsControl) ? name : null)
            : null;
}

/// <summary>How mails leave: exactly one of the two is set.</summary>
public sealed record MailOptions(MailOptions.SmtpOptions? Smtp, MailOptions.SendGridOptions? SendGrid)
{
    private const int PortDefault = 587;
    private const int PortOfImplicitTls = 465;

    public enum MailSecurity
    {
        /// <summary>In the clear, because the operator said so.</summary>
        None,

        /// <summary>STARTTLS, without which nothing is sent.</summary>
        StartTls,

        /// <summary>TLS from the first byte.</summary>
        Tls,
    }

    internal static MailOptions? Read(SignInOptions.SettingReader read)
    {
        if (read.Text("SENDGRID_API_KEY") is { } key)
        {
            if (MailSender.Parse(read.Text("EMAIL_FROM_ADDRESS") ?? MailSender.AddressDefault) is { } from) return new MailOptions(null, new SendGridOptions { Key = key, From = from });
            read.Problem("EMAIL_FROM_ADDRESS is no e-mail address. No mail is sent.");
            return null;
        }

        return read.Text("SMTP_HOST") is { } host && ReadSmtp(read, host) is { } smtp ? new MailOptions(smtp, null) : null;
    }

    private static SmtpOptions? ReadSmtp(SignInOptions.SettingReader read, string host)
    {
        var port = SettingRules.MailPort.Number("SMTP_PORT", read.Text("SMTP_PORT")) ?? PortDefault;
        var wanted = read.Text("SMTP_USE_TLS")?.ToLowerInvariant() is null or "true" or "1" or "yes";
        if (MailSender.Parse(read.Text("SMTP_FROM") ?? MailSender.AddressDefault) is not { } from)
        {
            read.Problem("SMTP_FROM is no e-mail address. No mail is sent.");
            return null;
        }

        var smtp = new SmtpOptions
        {
            Host = host,
            Owner = read.OwnerOf(Credentials.MailServer),
            Port = port,
            User = read.Text("SMTP_USER"),
            Password = read.Text("SMTP_PASSWORD"),
            From = from,
            Security = port == PortOfImplicitTls ? MailSecurity.Tls : wanted ? MailSecurity.StartTls : MailSecurity.None,
        };
        if (read.Text("SMTP_CA_FILE") is not { } file) return smtp;
        try
        {
            return smtp with { Authority = X509CertificateLoader.LoadCertificateFromFile(file) };
        }
        catch (Exception fault) when (fault is CryptographicException or IOException or UnauthorizedAccessException)
        {
            read.Problem("SMTP_CA_FILE is no certificate that can be read. No mail is sent.");
            return null;
        }
    }

    public sealed record SmtpOptions
    {
        public required string Host { get; init; }

        public required int Port { get; init; }

        /// <summary>Who chose the mail server: one that admins chose may not be in a private network.</summary>
        public SettingOwner Owner { get; init; } = SettingOwner.Operator;

        public string? User { get; init; }

        public string? Password { get; init; }

        public required MailSender From { get; init; }

        public MailSecurity Security { get; init; } = MailSecurity.StartTls;

        /// <summary>Who signed the mail server's certificate, where that is nobody whom the machine trusts anyway.</summary>
        public X509Certificate2? Authority { get; init; }

        /// <summary>Without the password.</summary>
        public override string ToString() => $"{Host}:{Port}";
    }

    public sealed record SendGridOptions
    {
        public required string Key { get; init; }

        public required MailSender From { get; init; }

        /// <summary>SendGrid's own unless a test says otherwise.</summary>
        public Uri Address { get; init; } = new("https://api.sendgrid.com");

        /// <summary>Without the key.</summary>
        public override string ToString() => Address.Host;
    }
}
