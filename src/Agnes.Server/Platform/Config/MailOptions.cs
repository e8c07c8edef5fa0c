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
    private const int PortMax = 65_535;
    private const int PortOfImplicitTls = 465;

    private static readonly Setting Host = new("email.smtp_host", "SMTP_HOST")
    {
        By = SettableBy.Admins,
        Example = "mail.example.com",
        Means = "The mail server.",
    };

    private static readonly Setting Port = new Setting("email.smtp_port", "SMTP_PORT")
    {
        Default = 587,
        By = SettableBy.Admins,
        Means = "On port 465 TLS from the first byte, on any other STARTTLS, without which neither password nor mail is sent.",
    }.Between(1, PortMax, "a number");

    private static readonly Setting User = new("email.smtp_user", "SMTP_USER")
    {
        By = SettableBy.Admins,
        Means = "As whom the mail server is signed in to.",
    };
    private static readonly Setting Password = new("email.smtp_password", "SMTP_PASSWORD")
    {
        Kind = "secret",
        By = SettableBy.Admins,
        Means = "Goes to a mail server that the same hand set.",
    };

    private static readonly Setting Authority = new(null, "SMTP_CA_FILE")
    {
        IsFile = true,
        Means = "In the environment alone: the certificate (PEM) of whoever signed the mail server's, where the machine does not " +
            "trust it anyway.",
    };

    /// <summary>Whom the authority vouches for is sent the password.</summary>
    private static readonly Credential Server = new("mail server", [Password], Host, Port, Authority) { With = [User] };

    internal static readonly SettingGroup Settings = new(
        "Mail",
        Host,
        Port,
        User,
        Password,
        new("email.from_address", "SMTP_FROM")
        {
            By = SettableBy.Admins,
            Default = MailSender.AddressDefault,
            Means = "Whom mails are from: an address, or a name with the address behind it in angle brackets.",
        },
        new(null, "SMTP_USE_TLS") { Kind = "bool", Default = true, Means = "Anything but `true`: in the clear (not on port 465)." },
        Authority,
        new(null, "SENDGRID_API_KEY")
        {
            Kind = "secret",
            By = SettableBy.Admins,
            NoDestination = "its service has one address, which nobody sets",
            Means = "SendGrid instead; goes before `SMTP_HOST`.",
        },
        new("email.from_address", "EMAIL_FROM_ADDRESS")
        {
            By = SettableBy.Admins,
            Default = MailSender.AddressDefault,
            Means = "The same as `SMTP_FROM`, for SendGrid.",
        })
    { Credentials = [Server] };

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
        var port = Port.Number(read.Text);
        var wanted = read.Text("SMTP_USE_TLS")?.ToLowerInvariant() is null or "true" or "1" or "yes";
        if (MailSender.Parse(read.Text("SMTP_FROM") ?? MailSender.AddressDefault) is not { } from)
        {
            read.Problem("SMTP_FROM is no e-mail address. No mail is sent.");
            return null;
        }

        var smtp = new SmtpOptions
        {
            Host = host,
            Owner = read.OwnerOf(Server),
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
