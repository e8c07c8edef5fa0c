namespace Agnes.Server.Platform.Config;

/// <summary>The mail server that links go out through.</summary>
public sealed record MailOptions
{
    private const int PortDefault = 587;
    private const int PortOfImplicitTls = 465;
    private const int PortMax = 65_535;

    public required string Host { get; init; }

    public int Port { get; init; } = PortDefault;

    public string? User { get; init; }

    public string? Password { get; init; }

    public string From { get; init; } = "noreply@example.com";

    /// <summary>STARTTLS, without which nothing is sent.</summary>
    public bool Tls { get; init; } = true;

    /// <summary>Without the password.</summary>
    public override string ToString() => $"{Host}:{Port}";

    internal static MailOptions? Read(SignInOptions.SettingReader read)
    {
        if (read.Text("SMTP_HOST") is not { } host) return null;
        var mail = new MailOptions
        {
            Host = host,
            Port = read.Number("SMTP_PORT", 1, PortMax, PortDefault),
            User = read.Text("SMTP_USER"),
            Password = read.Text("SMTP_PASSWORD"),
            From = read.Text("SMTP_FROM") ?? "noreply@example.com",
            Tls = read.Text("SMTP_USE_TLS") is null or "true" or "1" or "yes",
        };
        if (mail.Port == PortOfImplicitTls) read.Problem("SMTP_PORT 465 (TLS from the first byte) is not supported: use 587 with STARTTLS. No mail is sent.");
        else if (!System.Net.Mail.MailAddress.TryCreate(mail.From, out _)) read.Problem("SMTP_FROM is no e-mail address. No mail is sent.");
        else return mail;
        return null;
    }
}
