using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Emulators.Smtp;
using Agnes.Server.Features.SignIn;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.AspNetCore.Http;

namespace Agnes.Server.Tests.SignIn;

/// <summary>Links by mail, each good for one thing and once.</summary>
[Collection("world")]
public sealed partial class LinkTests(Worlds worlds, Postgres postgres)
{
    private const int RacersMax = 100;
    private const string Email = TestServer.AdminEmail;

    [Theory, OnBothEngines]
    public async Task Of_a_hundred_uses_of_one_link_exactly_one_wins(StateEngine engine)
    {
        await using var smtp = SmtpServer.Start();
        await using var server = await StartAsync(engine, smtp);
        var link = await MailedAsync(server, smtp, "/auth/email/send-link", Json(Email));
        link.Path.ShouldBe("/auth/email/verify");
        await RaceAsync(() => server.SendAsync("POST", "/auth/email/verify", Json(Email, link.Token)), answer => answer.Status, 200, 401);

        var reset = await MailedAsync(server, smtp, "/auth/password/reset", $"email={Uri.EscapeDataString(Email)}");
        await RaceAsync(
            () => server.SendAsync("POST", "/auth/password/reset/confirm", $"email={Uri.EscapeDataString(Email)}&token={reset.Token}&password=another+long+one&confirm_password=another+long+one"),
            answer => answer.Header("Set-Cookie") is null ? answer.Status == 302 ? 400 : answer.Status : 200,
            200,
            400);
        (await server.SignInAsync(Email, "another long one")).ShouldNotBeEmpty();
        (await server.State.ReadAsync<long>("SELECT count(*) FROM auth_tokens WHERE consumed_at IS NOT NULL"))[0].ShouldBe(2);
    }

    [Theory, OnBothEngines]
    public async Task Of_a_hundred_bootstraps_exactly_one_makes_an_admin(StateEngine engine)
    {
        await using var server = await TestServer.StartAsync(engine, postgres, options => options with { SeedAdminEmail = null, SeedAdminPassword = null });
        var (number, code) = (0, await server.BootstrapCodeAsync());
        await RaceAsync(
            () => server.SendAsync("POST", "/auth/bootstrap", $$"""{"email":"first{{Interlocked.Increment(ref number)}}@example.com","password":"longpass1","code":"{{code}}"}"""), answer => answer.Status, 200, 403);
        server.State.Snapshot.UsersById.Count.ShouldBe(1);
        File.Exists(Path.Combine(server.StateDir, ".bootstrap_code")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_link_signs_in_for_an_hour_after_a_button_and_for_its_own_purpose()
    {
        await using var smtp = SmtpServer.Start();
        await using var server = await StartAsync(StateEngine.DuckDb, smtp);
        var mail = await MailAsync(server, smtp, "/auth/email/send-link", Json(" ROOT@example.com"));
        (mail.Subject, mail.From).ShouldBe(("Login Link", "agnes@example.com"));
        mail.To.ShouldBe([Email]);
        var link = LinkOf(mail.Text);
        (await server.State.ReadAsync<string>("SELECT token_sha256 FROM auth_tokens")).Single().ShouldNotContain(link.Token);

        // Looking does not use it up, whoever looks; neither does another purpose.
        foreach (var method in (string[])["GET", "HEAD", "GET"]) (await server.SendAsync(method, link.PathAndQuery)).Header("Set-Cookie").ShouldBeNull();
        (await server.SendAsync("POST", "/auth/password/setup", new JsonObject { ["email"] = Email, ["token"] = link.Token, ["password"] = "long enough" }.ToJsonString())).Status.ShouldBe(400);
        (await server.SendAsync("POST", "/auth/email/verify", Json(Email, "wrong"))).Status.ShouldBe(401);
        (await server.SendAsync("POST", "/auth/email/verify", Json("other@example.com", link.Token))).Status.ShouldBe(401);

        var used = await server.SendAsync("POST", "/auth/email/verify/web", $"email={Uri.EscapeDataString(Email)}&token={link.Token}");
        (used.Status, used.Header("Location")).ShouldBe((302, "/dashboard"));
        (await server.SendAsync("GET", "/auth/me", token: SignInVisit.SessionOf(used))).Text("email").ShouldBe(Email);
        (await server.SendAsync("POST", "/auth/email/verify/web", $"email={Uri.EscapeDataString(Email)}&token={link.Token}")).Header("Location").ShouldBe("/login/email?error=link_used");

        // It leads on to where the person wanted to go, and to this server only.
        foreach (var (next, location) in ((string, string)[])[("/catalog?q=a", "/catalog?q=a"), ("//evil.example.com", "/dashboard")])
        {
            (await server.SendAsync("POST", "/auth/email/send-link/web", $"email={Uri.EscapeDataString(Email)}&next={Uri.EscapeDataString(next)}")).Status.ShouldBe(302);
            var address = new Uri(Address().Match((await smtp.NextAsync()).Text).Value);
            var fields = System.Web.HttpUtility.ParseQueryString(address.Query);
            (await server.SendAsync("GET", address.PathAndQuery)).Body.Contains("name=\"next\"", StringComparison.Ordinal).ShouldBe(next == location);
            var led = await server.SendAsync("POST", "/auth/email/verify/web", $"email={Uri.EscapeDataString(Email)}&token={fields["token"]}&next={Uri.EscapeDataString(next)}");
            led.Header("Location").ShouldBe(location);
        }

        var late = await MailedAsync(server, smtp, "/auth/email/send-link", Json(Email));
        server.Time.Advance(TimeSpan.FromMinutes(61));
        (await server.SendAsync("POST", "/auth/email/verify", Json(Email, late.Token))).Status.ShouldBe(401);

        // A newer link takes the place of the older one.
        var older = await MailedAsync(server, smtp, "/auth/email/send-link", Json(Email));
        var newer = await MailedAsync(server, smtp, "/auth/email/send-link", Json(Email));
        (await server.SendAsync("POST", "/auth/email/verify", Json(Email, older.Token))).Status.ShouldBe(401);
        (await server.SendAsync("POST", "/auth/email/verify", Json(Email, newer.Token))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task What_is_answered_is_the_same_for_everybody_and_mail_goes_to_active_accounts_only()
    {
        await using var smtp = SmtpServer.Start();
        await using var server = await StartAsync(StateEngine.DuckDb, smtp);
        var admin = await server.SignInAsync();
        var leaver = await server.SendAsync("POST", "/api/users", """{"email":"lee@example.com","name":"Lee"}""", admin);
        await server.SendAsync("POST", $"/api/users/{leaver.Text("id")}/deactivate", token: admin);
        var bodies = new HashSet<string>(StringComparer.Ordinal);
        foreach (var email in (string[])["lee@example.com", "nobody@example.com", "no address"]) bodies.Add((await server.SendAsync("POST", "/auth/email/send-link", Json(email))).Body);
        foreach (var path in (string[])["/auth/password/reset", "/auth/password/setup/request"])
        {
            var pages = new HashSet<string>(StringComparer.Ordinal);
            foreach (var email in (string[])["lee@example.com", "nobody@example.com"]) pages.Add((await server.SendAsync("POST", path, $"email={Uri.EscapeDataString(email)}")).Body);
            pages.Count.ShouldBe(1);
        }

        await server.SendAsync("POST", "/auth/password/setup/request", $"email={Uri.EscapeDataString(Email)}"); // has a password already
        bodies.Add((await server.SendAsync("POST", "/auth/email/send-link", Json(Email))).Body);
        bodies.Count.ShouldBe(1);
        (await smtp.NextAsync()).To.ShouldBe([Email]);
        smtp.Attempts.ShouldBe(1);

        // A first password, for who has none.
        await server.SendAsync("POST", "/api/users", """{"email":"new@example.com","name":"New"}""", admin);
        var setup = await MailedAsync(server, smtp, "/auth/password/setup/request", "email=new%40example.com");
        setup.Path.ShouldBe("/auth/password/setup");
        (await server.SendAsync("POST", "/auth/password/setup", new JsonObject { ["email"] = "new@example.com", ["token"] = setup.Token, ["password"] = "long enough" }.ToJsonString())).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_mailed_link_never_carries_a_strangers_host()
    {
        await using var smtp = SmtpServer.Start();
        await using var server = await StartAsync(StateEngine.DuckDb, smtp, options => options with { SignIn = options.SignIn with { AllowedHosts = ["c.example.com"] } });
        Task<Answer> AskAsync(string host) => server.SendAsync("POST", "/auth/password/reset", $"email={Uri.EscapeDataString(Email)}", change: request => request.Headers.Host = host);
        (await AskAsync("evil.example.org")).Status.ShouldBe(200);
        (await server.State.ReadAsync<long>("SELECT count(*) FROM auth_tokens"))[0].ShouldBe(0);
        smtp.Attempts.ShouldBe(0);
        await AskAsync("c.example.com");
        var mail = await smtp.NextAsync();
        mail.Subject.ShouldBe("Reset your password");
        mail.Text.ShouldContain("http://c.example.com/auth/password/reset?email=root%40example.com&token=");
    }

    [Theory]
    [InlineData("https://a.example.com", "b.example.com", "https://a.example.com")]
    [InlineData(null, "b.example.com", "https://b.example.com")]
    [InlineData(null, null, null)]
    public void A_configured_address_goes_before_what_a_request_says(string? serverUrl, string? domain, string? address)
    {
        var context = new DefaultHttpContext();
        context.Request.Host = new HostString("evil.example.org");
        PublicAddress.ForMail(new ServerOptions { DataDir = "", StateDir = "", ServerUrl = serverUrl, Domain = domain }, context).ShouldBe(address);
    }

    [Fact]
    public async Task Without_a_mail_server_no_link_is_offered_and_none_is_made()
    {
        var server = (await worlds.OnAsync(StateEngine.DuckDb, postgres)).Server;
        var before = (await server.State.ReadAsync<long>("SELECT count(*) FROM auth_tokens"))[0];
        (await server.SendAsync("GET", "/me/debug", token: await server.SignInAsync())).Status.ShouldBe(404); // nor is anything shown that was not asked for
        (await server.SendAsync("GET", "/login")).Body.ShouldNotContain("/login/email");
        (await server.SendAsync("GET", "/login/email")).Header("Location").ShouldBe("/login");
        (await server.SendAsync("POST", "/auth/email/send-link", Json(Email))).Status.ShouldBe(200);
        (await server.SendAsync("GET", "/login/password")).Body.ShouldNotContain("/login/reset");
        (await server.State.ReadAsync<long>("SELECT count(*) FROM auth_tokens"))[0].ShouldBe(before);
    }

    [Fact]
    public async Task Links_that_an_admin_makes_and_what_happened_to_an_account_are_mailed_to_its_owner()
    {
        await using var smtp = SmtpServer.Start();
        await using var server = await StartAsync(StateEngine.DuckDb, smtp);
        var admin = await server.SignInAsync();
        var made = await server.SendAsync("POST", "/api/users", """{"email":"ivy@example.com","name":"Ivy","send_invite":true}""", admin);
        made.Json["invite_email_sent"]!.GetValue<bool>().ShouldBeTrue();
        var invited = await smtp.NextAsync();
        (invited.Subject, invited.To.Single()).ShouldBe(("Set up your account", "ivy@example.com"));
        invited.Text.ShouldContain(LinkOf(made.Text("invite_url")).Token);
        (await server.SendAsync("POST", "/auth/password/setup", $$"""{"email":"ivy@example.com","token":"{{LinkOf(made.Text("invite_url")).Token}}","password":"first of mine"}""")).Status.ShouldBe(200);

        var reset = await server.SendAsync("POST", $"/api/users/{made.Text("id")}/reset-password", token: admin);
        reset.Json["email_sent"]!.GetValue<bool>().ShouldBeTrue();
        (await smtp.NextAsync()).Text.ShouldContain(LinkOf(reset.Text("reset_url")).Token);

        // Whoever sets the password anew: the owner hears of it, without a link to click.
        var ivy = await server.SignInAsync("ivy@example.com", "first of mine");
        (await server.SendAsync("POST", "/auth/password/change", """{"current_password":"first of mine","new_password":"second of mine"}""", ivy)).Status.ShouldBe(204);
        (await server.SendAsync("POST", $"/api/users/{made.Text("id")}/set-password", """{"password":"third of mine"}""", admin)).Status.ShouldBe(204);
        for (var count = 0; count < 2; count++)
        {
            var notice = await smtp.NextAsync();
            (notice.Subject, notice.To.Single()).ShouldBe(("Your password was changed", "ivy@example.com"));
            notice.Text.ShouldNotContain("token=");
        }

        smtp.TryNext().ShouldBeNull();
    }

    [Fact]
    public async Task Nobodys_mailbox_is_flooded_and_a_mail_server_that_is_busy_is_tried_again()
    {
        await using var smtp = SmtpServer.Start();
        await using var server = await StartAsync(StateEngine.DuckDb, smtp, options => options with { RateLimits = true, TrustedProxies = TestServer.ThisMachine });
        smtp.RefuseNext(1);
        server.Time.Advance(TimeSpan.FromSeconds(61 - server.Time.GetUtcNow().Second));
        Task<Answer> AskAsync(string email, string from) => server.SendAsync("POST", "/auth/email/send-link", Json(email), change: request => request.Headers.Add("X-Forwarded-For", from));
        for (var count = 0; count < 5; count++) (await AskAsync(Email, $"203.0.113.{count}")).Status.ShouldBe(200);
        (await AskAsync(Email.ToUpperInvariant(), "203.0.113.99")).Status.ShouldBe(429);
        for (var count = 0; count < 5; count++) (await AskAsync($"nobody{count}@example.com", "203.0.113.200")).Status.ShouldBe(200);
        (await AskAsync("nobody@example.com", "203.0.113.200")).Status.ShouldBe(429);
        for (var count = 0; count < 5; count++) (await smtp.NextAsync()).Subject.ShouldBe("Login Link");
        smtp.Attempts.ShouldBe(6);
    }

    private static async Task RaceAsync(Func<Task<Answer>> run, Func<Answer, int> outcome, int winner, int loser)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, RacersMax).Select(_ => run()));
        var outcomes = answers.Select(outcome).ToList();
        outcomes.Count(status => status == winner).ShouldBe(1);

        // So many passwords at once may be told to wait: that is no second winner.
        outcomes.Where(status => status != winner && status != 503).ShouldAllBe(status => status == loser);
    }

    private Task<TestServer> StartAsync(StateEngine engine, SmtpServer smtp, Func<ServerOptions, ServerOptions>? change = null) => TestServer.StartAsync(engine, postgres, options =>
    {
        var mailing = options with { SignIn = new SignInOptions { Mail = new MailOptions(new MailOptions.SmtpOptions { Host = "127.0.0.1", Port = smtp.Port, Security = MailOptions.MailSecurity.None, From = new MailSender("agnes@example.com", null) }, null) } };
        return change is null ? mailing : change(mailing);
    });

    private static async Task<ReceivedMail> MailAsync(TestServer server, SmtpServer smtp, string path, string body)
    {
        var answer = await server.SendAsync("POST", path, body);
        answer.Status.ShouldBe(200, answer.Body);
        return await smtp.NextAsync();
    }

    private static async Task<Link> MailedAsync(TestServer server, SmtpServer smtp, string path, string body) => LinkOf((await MailAsync(server, smtp, path, body)).Text);

    private static Link LinkOf(string text)
    {
        var uri = new Uri(Address().Match(text).Value);
        return new Link(uri.AbsolutePath, uri.PathAndQuery, uri.Query.Split("token=")[1]);
    }

    private static string Json(string email, string? token = null) => (token is null ? new JsonObject { ["email"] = email } : new JsonObject { ["email"] = email, ["token"] = token }).ToJsonString();

    [GeneratedRegex(@"http\S+")]
    private static partial Regex Address();

    private sealed record Link(string Path, string PathAndQuery, string Token);
}
