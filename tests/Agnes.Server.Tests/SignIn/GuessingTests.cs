using Agnes.Emulators.Smtp;
using Agnes.Server.Features.SignIn;
using Agnes.Server.Features.SignIn.Guessing;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.SignIn;

/// <summary>Guessing at an account becomes slow, stays so across restarts and replicas, and does not lock the owner out.</summary>
public sealed class GuessingTests(Postgres postgres)
{
    private const int GuessersAtOnce = 40;

    [Fact]
    public void The_wait_doubles_and_has_an_end()
    {
        Guesses.Delay(Guesses.FreeMax - 1).ShouldBe(TimeSpan.Zero);
        Enumerable.Range(Guesses.FreeMax, 7).Select(wrong => Guesses.Delay(wrong).TotalSeconds).ShouldBe([30, 60, 120, 240, 480, 900, 900]);
        Guesses.Delay(int.MaxValue).ShouldBe(TimeSpan.FromMinutes(15));
        Enumerable.Range(0, 100).Where(Guesses.IsWorthTelling).ShouldBe([5, 10, 20, 40, 80]);
    }

    [Theory, OnBothEngines]
    public async Task Wrong_passwords_make_wait_longer_and_longer_whether_the_account_exists_or_not(StateEngine engine)
    {
        await using var smtp = SmtpServer.Start();
        await using var server = await StartAsync(engine, smtp: smtp);
        foreach (var email in (string[])[TestServer.AdminEmail, "nobody@example.com"])
        {
            var statuses = new List<int>();
            for (var count = 0; count < 6; count++) statuses.Add((await GuessAsync(server, email, count)).Status);
            statuses.ShouldBe([401, 401, 401, 401, 401, 429], email);
            (await GuessAsync(server, $" {email.ToUpperInvariant()} ", 7)).Status.ShouldBe(429);
            var right = await GuessAsync(server, email, 8, TestServer.AdminPassword);
            (right.Status, int.Parse(right.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture)).ShouldSatisfyAllConditions(
                answer => answer.Status.ShouldBe(429), answer => answer.Item2.ShouldBeInRange(25, 30));
            right.Text("detail").ShouldContain("Too many wrong passwords for this account: try again in");

            // After the wait one more try, then twice the wait.
            server.Time.Advance(TimeSpan.FromSeconds(31));
            (await GuessAsync(server, email, 9)).Status.ShouldBe(401);
            server.Time.Advance(TimeSpan.FromSeconds(31));
            (await GuessAsync(server, email, 10)).Status.ShouldBe(429);
            server.Time.Advance(TimeSpan.FromSeconds(31));
        }

        // The owner was told, nobody else; and the right password ends it.
        (await smtp.NextAsync()).ShouldSatisfyAllConditions(mail => mail.To.ShouldBe([TestServer.AdminEmail]), mail => mail.Subject.ShouldBe("Wrong passwords for your account"));
        smtp.TryNext().ShouldBeNull();
        (await GuessAsync(server, TestServer.AdminEmail, 11, TestServer.AdminPassword)).Status.ShouldBe(200);
        (await GuessAsync(server, TestServer.AdminEmail, 12)).Status.ShouldBe(401);
        (await server.AuditAsync()).Count(row => row is { Action: "login_failed", Result: "locked" }).ShouldBe(8);

        // From a page it is said on the page.
        for (var count = 0; count < 5; count++) await GuessAsync(server, TestServer.AdminEmail, 20 + count);
        var form = await server.SendAsync("POST", "/auth/password/login/web", $"email={TestServer.AdminEmail}&password=x&next=/tokens", change: request => request.Headers.Add("X-Forwarded-For", "203.0.113.99"));
        form.Header("Location")!.ShouldMatch(@"\A/login/password\?error=locked&retry=\d+&next=%2Ftokens\z");
        (await server.SendAsync("GET", form.Header("Location")!)).Body.ShouldContain("Too many wrong passwords for this account: try again in");
    }

    [Fact]
    public async Task The_owner_at_a_known_network_and_with_a_new_password_gets_in_while_strangers_wait()
    {
        await using var server = await StartAsync(StateEngine.DuckDb);

        // Of many at once no more are looked at than one after the other.
        var answers = await Task.WhenAll(Enumerable.Range(0, GuessersAtOnce).Select(number => GuessAsync(server, "crowd@example.com", number)));
        answers.GroupBy(answer => answer.Status).Select(group => (group.Key, group.Count())).Order().ShouldBe([(401, Guesses.FreeMax), (429, GuessersAtOnce - Guesses.FreeMax)]);
        server.Time.Advance(TimeSpan.FromMinutes(1)); // the limits by address

        (await GuessAsync(server, TestServer.AdminEmail, 1, TestServer.AdminPassword)).Status.ShouldBe(200); // from 203.0.113.1
        for (var count = 0; count < 6; count++) await GuessAsync(server, TestServer.AdminEmail, 100 + count);
        (await GuessAsync(server, TestServer.AdminEmail, 110, TestServer.AdminPassword)).Status.ShouldBe(429);
        (await GuessAsync(server, TestServer.AdminEmail, 1, TestServer.AdminPassword)).Status.ShouldBe(200);

        // Whoever guesses there waits as well.
        for (var count = 0; count < 5; count++) (await GuessAsync(server, TestServer.AdminEmail, 1)).Status.ShouldBe(401);
        (await GuessAsync(server, TestServer.AdminEmail, 1, TestServer.AdminPassword)).Status.ShouldBe(429);

        // After a day it is forgotten, and the next five are free again.
        server.Time.Advance(Guesses.RememberedFor + TimeSpan.FromMinutes(1));
        for (var count = 0; count < 5; count++) (await GuessAsync(server, TestServer.AdminEmail, 130 + count)).Status.ShouldBe(401);
        (await GuessAsync(server, TestServer.AdminEmail, 140)).Status.ShouldBe(429);

        // A mailed link is another way in, and a new password begins anew.
        var token = await server.State.WriteAsync(write => PasswordLinks.CreateAsync(write, write.Before.UserByEmail(TestServer.AdminEmail)!.Id, LinkPurpose.Reset));
        (await server.SendAsync("POST", "/auth/password/reset/confirm", $"email={TestServer.AdminEmail}&token={token}&password=another+long+one&confirm_password=another+long+one")).Header("Location").ShouldBe("/login/password?msg=password_reset");
        (await GuessAsync(server, TestServer.AdminEmail, 120, "another long one")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_restart_and_another_replica_know_what_was_guessed()
    {
        var database = await postgres.NewDatabaseAsync();
        ServerOptions Shared(ServerOptions options) => options with { StateUrl = database, JwtSecretKey = "a key that both of the replicas were given" };
        await using (var first = await StartAsync(StateEngine.DuckDb, Shared))
        {
            for (var count = 0; count < 5; count++) (await GuessAsync(first, TestServer.AdminEmail, count)).Status.ShouldBe(401);
        }

        await using var second = await StartAsync(StateEngine.DuckDb, Shared);
        (await GuessAsync(second, TestServer.AdminEmail, 50, TestServer.AdminPassword)).Status.ShouldBe(429);
        second.Time.Advance(TimeSpan.FromDays(2));
        await second.Services.GetRequiredService<SessionSweep>().SweepAsync(CancellationToken.None);
        (await second.State.ReadAsync<long>("SELECT count(*) FROM sign_in_guesses"))[0].ShouldBe(0);
    }

    private static Task<Answer> GuessAsync(TestServer server, string email, int from, string password = "wrong wrong wrong") => server.SendAsync(
        "POST", "/auth/password/login", $$"""{"email":"{{email}}","password":"{{password}}"}""", change: request => request.Headers.Add("X-Forwarded-For", $"203.0.113.{from}"));

    private Task<TestServer> StartAsync(StateEngine engine, Func<ServerOptions, ServerOptions>? change = null, SmtpServer? smtp = null) => TestServer.StartAsync(engine, postgres, options =>
    {
        var limited = options with { RateLimits = true, TrustedProxies = TestServer.ThisMachine };
        if (smtp is not null) limited = limited with { SignIn = new SignInOptions { Mail = new MailOptions(new MailOptions.SmtpOptions { Host = "127.0.0.1", Port = smtp.Port, Security = MailOptions.MailSecurity.None, From = new MailSender("agnes@example.com", null) }, null) } };
        return change is null ? limited : change(limited);
    });
}
