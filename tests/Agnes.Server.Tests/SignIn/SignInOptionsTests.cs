using Agnes.Server.Platform.Config;

namespace Agnes.Server.Tests.SignIn;

/// <summary>What is wrong in the settings closes the way in that it belongs to, says so, and never opens one.</summary>
public sealed class SignInOptionsTests
{
    private static readonly (string, string)[] Google = [("GOOGLE_CLIENT_ID", "id"), ("GOOGLE_CLIENT_SECRET", "secret")];
    private static readonly (string, string)[] Oidc = [("OIDC_ISSUER", "https://id.example.com/realms/a"), ("OIDC_CLIENT_ID", "id"), ("OIDC_CLIENT_SECRET", "secret")];
    private static readonly (string, string) Domains = ("AGNES_ALLOWED_DOMAINS", " Example.com, @x.io ");

    [Fact]
    public void Nothing_set_up_offers_nothing_and_complains_of_nothing()
    {
        var options = Read();
        (options.Google, options.Oidc, options.Mail, options.AllowAnyDomain).ShouldBe((null, null, null, false));
        options.Problems.ShouldBeEmpty();
        options.IsAllowedDomain("example.com").ShouldBeFalse();
    }

    [Fact]
    public void A_whole_set_up_is_taken_as_it_is()
    {
        var options = Read([.. Google, .. Oidc, Domains, ("OIDC_GROUPS_CLAIM", "groups"), ("SMTP_HOST", "mail.example.com"), ("GOOGLE_ADMIN_SDK_MOCK_GROUPS", "")]);
        options.Problems.ShouldBeEmpty();
        options.Google!.MockGroups.ShouldBe([]);
        options.Oidc!.Issuer.ShouldBe("https://id.example.com/realms/a");
        (options.Mail!.Smtp!.Port, options.Mail.Smtp.Security, options.Mail.Smtp.From).ShouldBe((587, MailOptions.MailSecurity.StartTls, new MailSender("noreply@example.com", null)));
        foreach (var (domain, allowed) in ((string, bool)[])[("example.com", true), ("EXAMPLE.COM", true), ("x.io", true), ("sub.example.com", false), ("", false)]) options.IsAllowedDomain(domain).ShouldBe(allowed);
        foreach (var text in (string[])[options.Google.ToString(), options.Oidc.ToString(), options.Mail.ToString()]) text.ShouldNotContain("secret");
    }

    [Theory]
    [InlineData("AGNES_ALLOWED_DOMAINS", "google without domains")]
    [InlineData("AGNES_ALLOWED_DOMAINS", "oidc without domains")]
    [InlineData("AGNES_ALLOWED_DOMAINS", "domains of commas")]
    [InlineData("GOOGLE_CLIENT_SECRET", "google without secret")]
    [InlineData("OIDC_CLIENT_ID", "oidc without client")]
    [InlineData("OIDC_ISSUER", "oidc over http")]
    [InlineData("OIDC_ISSUER", "oidc with a user")]
    [InlineData("OIDC_SCOPES", "oidc without openid")]
    [InlineData("OIDC_GROUPS_CLAIM", "oidc admins without groups")]
    [InlineData("AGNES_GOOGLE_GROUP_PREFIX", "prefix without a directory")]
    [InlineData("SMTP_CA_FILE", "mail by a certificate that is not there")]
    [InlineData("EMAIL_FROM_ADDRESS", "mail by sendgrid from nobody")]
    [InlineData("SMTP_FROM", "mail from nobody")]
    [InlineData("DESKTOP_JWT_SECRET", "a short desktop key")]
    public void A_wrong_set_up_closes_and_names_its_variable(string named, string fault)
    {
        var options = fault switch
        {
            "google without domains" => Read(Google),
            "oidc without domains" => Read(Oidc),
            "domains of commas" => Read([.. Google, ("AGNES_ALLOWED_DOMAINS", " , ,")]),
            "google without secret" => Read(Google[0], Domains),
            "oidc without client" => Read(Oidc[0], Domains),
            "oidc over http" => Read([.. Oidc[1..], ("OIDC_ISSUER", "http://id.example.com"), Domains]),
            "oidc with a user" => Read([.. Oidc[1..], ("OIDC_ISSUER", "https://a:b@id.example.com"), Domains]),
            "oidc without openid" => Read([.. Oidc, ("OIDC_SCOPES", "email"), Domains]),
            "oidc admins without groups" => Read([.. Oidc, ("OIDC_ADMIN_GROUP", "admins"), Domains]),
            "prefix without a directory" => Read([.. Google, ("AGNES_GOOGLE_GROUP_PREFIX", "grp_"), Domains]),
            "mail by a certificate that is not there" => Read(("SMTP_HOST", "mail.example.com"), ("SMTP_CA_FILE", "/nowhere/ca.pem")),
            "mail by sendgrid from nobody" => Read(("SENDGRID_API_KEY", "SG.x"), ("EMAIL_FROM_ADDRESS", "nobody")),
            "mail from nobody" => Read(("SMTP_HOST", "mail.example.com"), ("SMTP_FROM", "nobody")),
            _ => Read(("DESKTOP_JWT_SECRET", "short")),
        };
        (options.Google, options.Oidc, options.Mail, options.DesktopSecret).ShouldBe((null, null, null, null));
        options.Problems.ShouldHaveSingleItem().ShouldContain(named);
    }

    [Theory]
    [InlineData("587", null, MailOptions.MailSecurity.StartTls)]
    [InlineData("587", "True", MailOptions.MailSecurity.StartTls)]
    [InlineData("25", "false", MailOptions.MailSecurity.None)]
    [InlineData("465", null, MailOptions.MailSecurity.Tls)]
    [InlineData("465", "false", MailOptions.MailSecurity.Tls)]
    public void The_port_and_one_word_say_how_safe_the_line_to_the_mail_server_is(string port, string? tls, MailOptions.MailSecurity security) =>
        Read(("SMTP_HOST", "mail.example.com"), ("SMTP_PORT", port), ("SMTP_USE_TLS", tls ?? "")).Mail!.Smtp!.Security.ShouldBe(security);

    [Fact]
    public void Sendgrid_goes_before_a_mail_server()
    {
        var mail = Read(("SENDGRID_API_KEY", "SG.secret"), ("EMAIL_FROM_ADDRESS", "Agnes <agnes@example.com>"), ("SMTP_HOST", "mail.example.com")).Mail!;
        (mail.SendGrid!.Key, mail.SendGrid.From, mail.Smtp).ShouldBe(("SG.secret", new MailSender("agnes@example.com", "Agnes"), null));
        mail.ToString().ShouldNotContain("secret");
    }

    [Theory]
    [InlineData("AGNES_SESSION_HOURS_MAX", "25")]
    [InlineData("AGNES_SESSION_HOURS_MAX", "0")]
    [InlineData("AGNES_SESSION_IDLE_MINUTES", "never")]
    [InlineData("SMTP_PORT", "99999")]
    public void Limits_stay_within_theirs(string name, string value) =>
        Should.Throw<OptionsException>(() => Read(("SMTP_HOST", "mail.example.com"), (name, value))).Message.ShouldContain(name);

    [Fact]
    public void Other_sites_may_not_call_unless_named() => ServerOptions.From([], _ => null).CorsOrigins.ShouldBeEmpty();

    private static SignInOptions Read(params (string Name, string Value)[] environment) => SignInOptions.From(name =>
    {
        foreach (var (known, value) in environment)
        {
            if (known == name) return value;
        }

        return null;
    });
}
