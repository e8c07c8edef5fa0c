using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Agnes.Emulators.SendGrid;
using Agnes.Emulators.Smtp;
using Agnes.Engine.Outbound;
using Agnes.Server.Features.SignIn.Mail;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.SignIn;

/// <summary>How letters leave, over real sockets, and when they do not.</summary>
public sealed class MailTransportTests
{
    private const string User = "agnes";
    private const string Password = "pass word:with a colon";
    private static readonly Letter Hello = new("ana@example.com", "Schöne Grüße — a subject that is longer than one line of a header may well be", "Öffne diesen Link:\n.\n..\nhttps://data.example.com/auth?a=b&c=d=\n");
    private static readonly X509Certificate2 Certificate = Make("localhost");

    [Theory]
    [InlineData(true, "PLAIN LOGIN")]
    [InlineData(true, "LOGIN")]
    [InlineData(false, "PLAIN")]
    public async Task A_letter_arrives_as_it_was_written_over_a_safe_line(bool atOnce, string signIn)
    {
        await using var server = Start(atOnce);
        (server.Account, server.SignIn) = ($"{User}:{Password}", signIn);
        await SendAsync(Options(server, atOnce));
        var mail = await server.NextAsync();
        (mail.From, mail.To.Single()).ShouldBe(("agnes@example.com", "ana@example.com"));
        mail.Text.ReplaceLineEndings("\n").ShouldBe(Hello.Text);
        mail.Subject.ShouldBe(Hello.Subject);
        mail.Sender.ShouldBe("\"Agnes,\" für uns <agnes@example.com>");
        mail.Data.ShouldContain("Auto-Submitted: auto-generated\r\n");
        mail.Data.Split("\r\n").ShouldAllBe(line => line.Length <= 200);
        server.HeardInTheClear.ShouldBeFalse();
    }

    [Fact]
    public async Task Without_the_line_that_was_asked_for_nothing_is_said()
    {
        await using var open = SmtpServer.Start();
        (await RefusedAsync(Options(open, atOnce: false))).ShouldBe(("the mail server offers no STARTTLS", false));
        await using var stranger = Start(atOnce: false);
        (await RefusedAsync(Options(stranger, atOnce: false) with { Authority = Make("localhost") })).ShouldBe(("the mail server's certificate is not trusted", false));
        (await RefusedAsync(Options(stranger, atOnce: false) with { Authority = null })).ShouldBe(("the mail server's certificate is not trusted", false));
        (await RefusedAsync(Options(stranger, atOnce: false) with { Host = "127.0.0.1" })).ShouldBe(("the mail server's certificate is not trusted", false)); // another name
        await using var tampered = Start(atOnce: false);
        tampered.Injected = "250-mail.example.com\r\n250 AUTH PLAIN"; // not believed: else it would be given the password
        (await RefusedAsync(Options(tampered, atOnce: false))).Reason.ShouldContain("neither PLAIN nor LOGIN");
        tampered.SignIns.ShouldBeEmpty();
        foreach (var server in (SmtpServer[])[open, stranger, tampered]) (server.Attempts, server.HeardInTheClear, server.TryNext()).ShouldBe((0, false, null));
    }

    [Fact]
    public async Task What_another_try_may_mend_is_told_from_what_it_cannot()
    {
        await using var server = Start(atOnce: true);
        server.Account = $"{User}:{Password}";
        (await RefusedAsync(Options(server, atOnce: true) with { Password = "wrong" })).ShouldBe(("the mail server answered 535", false));
        (await RefusedAsync(Options(server, atOnce: true) with { User = null })).ShouldBe(("the mail server answered 530", false));
        server.SignIn = "CRAM-MD5";
        (await RefusedAsync(Options(server, atOnce: true))).Reason.ShouldContain("neither PLAIN nor LOGIN");
        server.Account = null;
        server.RefuseNext(1);
        (await RefusedAsync(Options(server, atOnce: true) with { User = null })).ShouldBe(("the mail server answered 451", true));
        (await RefusedAsync(Options(server, atOnce: true) with { User = null }, Hello with { To = "ana@example.com>\r\nRCPT TO:<eve@example.com" })).Reason.ShouldBe("an address has characters that cannot be sent");
        var gone = Options(server, atOnce: true);
        await server.DisposeAsync();
        (await RefusedAsync(gone)).IsForNow.ShouldBeTrue();
    }

    [Fact]
    public async Task A_server_that_says_nothing_is_left_when_patience_ends()
    {
        await using var stalled = SmtpServer.Start();
        stalled.Stalls = true;
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Should.ThrowAsync<OperationCanceledException>(() => With(Options(stalled, atOnce: false)).SendAsync(Hello, patience.Token));
    }

    [Fact]
    public async Task Sendgrid_gets_a_letter_whose_links_it_does_not_rewrite_and_a_second_try_when_it_is_busy()
    {
        await using var sendGrid = await SendGridServer.StartAsync();
        await using var services = new ServiceCollection().AddHttpClient().BuildServiceProvider();
        IMailTransport With(string key) => new SendGrid(services.GetRequiredService<IHttpClientFactory>(), new MailOptions.SendGridOptions { Key = key, From = new MailSender("agnes@example.com", null), Address = sendGrid.Address });
        async Task<(string Reason, bool IsForNow)> FaultAsync(string key)
        {
            var fault = await Should.ThrowAsync<MailException>(() => With(key).SendAsync(Hello, CancellationToken.None));
            return (fault.Message, fault.IsForNow);
        }

        (await FaultAsync("SG.wrong")).ShouldBe(("SendGrid answered 401", false));
        foreach (var status in (int[])[429, 500, 503])
        {
            sendGrid.AnswerNext(status);
            (await FaultAsync(SendGridServer.Key)).ShouldBe(($"SendGrid answered {status}", true));
        }

        sendGrid.AnswerNext((int)HttpStatusCode.TooManyRequests);
        await using var server = await Serving.TestServer.StartAsync(Platform.State.StateEngine.DuckDb, null!, adjust: all => all.AddSingleton<IOutlet>(new MailOutlet(With(SendGridServer.Key))));
        (await server.Services.GetRequiredService<Outgoing>().PostAsync("mail", Hello.Write(), CancellationToken.None)).ShouldBeTrue();
        for (var count = 0; count < 500 && sendGrid.Taken.Count == 0; count++) await Task.Delay(20);
        var letter = sendGrid.Taken.Single();
        ((string?)letter["personalizations"]![0]!["to"]![0]!["email"], (string?)letter["from"]!["email"]).ShouldBe((Hello.To, "agnes@example.com"));
        ((string?)letter["subject"], (string?)letter["content"]![0]!["value"]).ShouldBe((Hello.Subject, Hello.Text));
        letter["tracking_settings"]!["click_tracking"]!["enable"]!.GetValue<bool>().ShouldBeFalse();
    }

    private static SmtpServer Start(bool atOnce) => atOnce ? SmtpServer.StartWithTls(Certificate) : SmtpServer.StartWithStartTls(Certificate);

    private static MailOptions.SmtpOptions Options(SmtpServer server, bool atOnce) => new()
    {
        Host = "localhost",
        Port = server.Port,
        From = new MailSender("agnes@example.com", "Agnes, für uns"),
        User = User,
        Password = Password,
        Security = atOnce ? MailOptions.MailSecurity.Tls : MailOptions.MailSecurity.StartTls,
        Authority = Certificate,
    };

    private static Smtp With(MailOptions.SmtpOptions options) => new(options, new OutboundGuard([], (host, stop) => Dns.GetHostAddressesAsync(host, stop)), TimeProvider.System);

    private static async Task SendAsync(MailOptions.SmtpOptions options)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await With(options).SendAsync(Hello, patience.Token);
    }

    private static async Task<(string Reason, bool IsForNow)> RefusedAsync(MailOptions.SmtpOptions options, Letter? letter = null)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var fault = await Should.ThrowAsync<MailException>(() => With(options).SendAsync(letter ?? Hello, patience.Token));
        return (fault.Message, fault.IsForNow);
    }

    /// <summary>Its own authority, for a machine of that name.</summary>
    internal static X509Certificate2 Make(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
