using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.SignIn;

/// <summary>Sessions that the server knows: listed, ended, and limited in time.</summary>
public sealed class SessionTests(Postgres postgres)
{
    [Theory, OnBothEngines]
    public async Task Sessions_are_listed_and_each_can_be_ended_by_its_owner_or_an_admin(StateEngine engine)
    {
        await using var server = await TestServer.StartAsync(engine, postgres);
        var admin = await server.SignInAsync();
        var user = (await server.SendAsync("POST", "/api/users", """{"email":"ana@example.com","name":"Ana"}""", admin)).Text("id");
        await server.SendAsync("POST", $"/api/users/{user}/set-password", """{"password":"correct horse"}""", admin);
        var (first, second, third) = (await server.SignInAsync("ana@example.com", "correct horse"), await server.SignInAsync("ana@example.com", "correct horse"), await server.SignInAsync("ana@example.com", "correct horse"));
        var before = server.State.Snapshot.Version;

        var listed = (await server.SendAsync("GET", "/auth/sessions", token: first)).Json.AsArray();
        listed.Count.ShouldBe(3);
        listed.Count(session => session!["current"]!.GetValue<bool>()).ShouldBe(1);
        listed[0]!["method"]!.GetValue<string>().ShouldBe("password");
        foreach (var token in (string[])[first, second, third]) listed.ToJsonString().ShouldNotContain(token);
        string IdOf(string token) => System.Text.Json.Nodes.JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[1]))!["jti"]!.GetValue<string>();

        // Somebody else's, and one that never was, are the same.
        foreach (var id in (string[])[IdOf(admin), "none"]) (await server.SendAsync("DELETE", $"/auth/sessions/{id}", token: first)).Status.ShouldBe(404);
        (await server.SendAsync("DELETE", $"/auth/sessions/{IdOf(second)}", token: first)).Status.ShouldBe(204);
        (await server.SendAsync("GET", "/auth/me", token: second)).Status.ShouldBe(401);
        (await server.SendAsync("GET", "/auth/me", token: first)).Status.ShouldBe(200);
        server.State.Snapshot.Version.ShouldBe(before + 1);

        (await server.SendAsync("GET", $"/api/users/{user}/sessions", token: admin)).Json.AsArray().Count.ShouldBe(2);
        (await server.SendAsync("DELETE", $"/api/users/{user}/sessions/{IdOf(third)}", token: admin)).Status.ShouldBe(204);
        (await server.SendAsync("GET", "/auth/me", token: third)).Status.ShouldBe(401);
        (await server.SendAsync("DELETE", $"/api/users/{user}/sessions", token: admin)).Status.ShouldBe(204);
        (await server.SendAsync("GET", "/auth/me", token: first)).Status.ShouldBe(401);
        (await server.SendAsync("GET", $"/api/users/{user}/sessions", token: admin)).Json.AsArray().ShouldBeEmpty();

        // What was ended stays so for whoever loads the state.
        await using var again = engine == StateEngine.Postgres ? await StateDb.OpenAsync(server.State.Options) : null;
        again?.Snapshot.EndedSessions.Keys.ShouldBe([IdOf(second), IdOf(third)], ignoreOrder: true);
        (await server.SendAsync("DELETE", $"/api/users/{user}", token: admin)).Status.ShouldBe(204);
        server.State.Snapshot.EndedSessions.ShouldBeEmpty();
    }

    [Fact]
    public async Task Signing_out_and_signing_in_again_end_the_session_of_before()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        async Task<string> FormAsync(string? old)
        {
            var answer = await server.SendAsync("POST", "/auth/password/login/web", $"email={Uri.EscapeDataString(TestServer.AdminEmail)}&password={TestServer.AdminPassword}", change: request =>
            {
                if (old is null) return;
                request.Headers.Add("Cookie", $"access_token={old}");
                request.Headers.Add("Sec-Fetch-Site", "same-origin");
            });
            return SignInVisit.SessionOf(answer)!;
        }

        var first = await FormAsync(null);
        (await server.State.ReadAsync<long>("SELECT count(*) FROM sessions"))[0].ShouldBe(1); // before its token was handed out, not appended some time later
        var second = await FormAsync(first);
        second.ShouldNotBe(first);
        (await server.SendAsync("GET", "/auth/me", token: first)).Status.ShouldBe(401);
        (await server.SendAsync("GET", "/auth/me", token: second)).Status.ShouldBe(200);
        (await server.SendAsync("POST", "/auth/logout", change: request =>
        {
            request.Headers.Add("Cookie", $"access_token={second}");
            request.Headers.Add("Origin", server.Url);
        })).Status.ShouldBe(204);
        (await server.SendAsync("GET", "/auth/me", token: second)).Status.ShouldBe(401);
        (await server.AuditAsync()).Select(row => row.Action).ShouldBe(["user.create", "login", "login", "session.end", "logout"], ignoreOrder: true);
    }

    [Theory, OnBothEngines]
    public async Task A_session_ends_when_nobody_uses_it_and_at_its_time_in_any_case(StateEngine engine)
    {
        await using var server = await TestServer.StartAsync(engine, postgres, options => options with
        {
            SignIn = new SignInOptions { SessionIdle = TimeSpan.FromMinutes(30), SessionLifetime = TimeSpan.FromHours(2) },
        });
        var sweep = server.Services.GetRequiredService<SessionSweep>();
        var (used, unused) = (await server.SignInAsync(), await server.SignInAsync());
        for (var minutes = 0; minutes < 60; minutes += 20)
        {
            server.Time.Advance(TimeSpan.FromMinutes(20));
            (await server.SendAsync("GET", "/auth/me", token: used)).Status.ShouldBe(200);
            await sweep.SweepAsync(CancellationToken.None);
        }

        (await server.SendAsync("GET", "/auth/me", token: unused)).Status.ShouldBe(401);
        (await server.AuditAsync()).Count(row => row.Action == "session.end_idle").ShouldBe(1);
        server.Time.Advance(TimeSpan.FromMinutes(20));
        (await server.SendAsync("GET", "/auth/me", token: used)).Status.ShouldBe(200);
        server.Time.Advance(TimeSpan.FromMinutes(40));
        (await server.SendAsync("GET", "/auth/me", token: used)).Status.ShouldBe(401);

        // Long expired ones are forgotten, and nothing is left of them in memory.
        server.Time.Advance(TimeSpan.FromDays(2));
        await sweep.SweepAsync(CancellationToken.None);
        (await server.State.ReadAsync<long>("SELECT count(*) FROM sessions"))[0].ShouldBe(0);
        server.State.Snapshot.EndedSessions.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_desktop_token_opens_nothing_but_its_own_renewal()
    {
        const string Secret = "a key of the desktop, long enough for it";
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { JwtSecretKey = Secret, SignIn = new SignInOptions { DesktopSecret = Secret } });
        var session = await server.SignInAsync();
        (await server.SendAsync("POST", "/api/desktop/unlink", token: session)).Status.ShouldBe(400);
        var url = (await server.SendAsync("POST", "/api/desktop/authorize", token: session)).Text("url");
        url.ShouldStartWith("data-analyst://auth?token=eyJ");
        var token = url.Split("token=")[1];

        // Not even under the same key is it a session, or a session it.
        (await server.SendAsync("GET", "/auth/me", token: token)).Status.ShouldBe(401);
        (await server.SendAsync("POST", "/api/desktop/refresh", token: session)).Status.ShouldBe(401);
        server.Time.Advance(TimeSpan.FromDays(36));
        var renewed = await server.SendAsync("POST", "/api/desktop/refresh", token: token);
        renewed.Status.ShouldBe(200, renewed.Body);
        server.Time.Advance(TimeSpan.FromDays(2));
        (await server.SendAsync("POST", "/api/desktop/refresh", token: token)).Status.ShouldBe(401);
        (await server.SendAsync("POST", "/api/desktop/refresh", token: renewed.Text("token"))).Status.ShouldBe(200);
        (await server.SendAsync("POST", "/api/desktop/unlink", token: await server.SignInAsync())).Status.ShouldBe(200);
        (await server.SendAsync("POST", "/api/desktop/refresh", token: renewed.Text("token"))).Status.ShouldBe(401);
        (await server.SendAsync("POST", "/api/desktop/refresh")).Status.ShouldBe(401);
    }
}
