using System.Globalization;
using Agnes.Server.Features.SignIn;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.Walls;

/// <summary>Where a request comes from grants nothing, and a shared address takes nothing from those who share it.</summary>
public sealed class TrustByAddressTests(Postgres postgres)
{
    [Theory]
    [InlineData(null, null)] // as any program of this machine, and a proxy that adds nothing
    [InlineData("localhost", null)]
    [InlineData("127.0.0.1:8000", null)]
    [InlineData("data.example.com", null)]
    [InlineData(null, "203.0.113.7")]
    [InlineData(null, "127.0.0.1")]
    public async Task The_first_admin_needs_the_operators_code_from_anywhere(string? host, string? forwardedFor)
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { SeedAdminEmail = null, SeedAdminPassword = null });
        Task<Answer> AskAsync(string more) => server.SendAsync("POST", "/auth/bootstrap", $$"""{"email":"first@example.com","password":"longpass1"{{more}}}""", change: request =>
        {
            if (host is not null) request.Headers.Host = host;
            if (forwardedFor is not null) request.Headers.Add("X-Forwarded-For", forwardedFor);
        });
        foreach (var more in (string[])["", ",\"code\":\"\"", ",\"code\":null", ",\"code\":\"0\""])
        {
            var refused = await AskAsync(more);
            refused.Status.ShouldBe(403, more);
            refused.Body.ShouldContain(".bootstrap_code");
        }

        server.State.Snapshot.UsersById.ShouldBeEmpty();
        (await AskAsync($",\"code\":\"{await server.BootstrapCodeAsync()}\"")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Local_development_knows_nobody_but_who_opened_the_address_of_this_start()
    {
        Task<TestServer> StartAsync() => TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { LocalDevelopment = new LocalDevelopment("dev@localhost", []) });
        await using var server = await StartAsync();
        (await server.SendAsync("GET", "/auth/me")).Status.ShouldBe(401);
        (await server.SendAsync("GET", "/dashboard")).Header("Location").ShouldBe("/login?next=%2Fdashboard");
        (await server.SendAsync("POST", "/api/users", """{"email":"evil@example.com","name":"E"}""")).Status.ShouldBe(401);

        // A guest who asks for the developer's link does not get it.
        var link = await server.SendAsync("POST", "/auth/email/send-link", """{"email":"dev@localhost"}""");
        (link.Status, link.Body.Contains("token", StringComparison.OrdinalIgnoreCase)).ShouldBe((200, false));

        await using var other = await StartAsync();
        var path = server.Services.GetRequiredService<LocalDoor>().Path;
        path.ShouldNotBe(other.Services.GetRequiredService<LocalDoor>().Path);
        foreach (var wrong in (string[])["/auth/local/", "/auth/local/x", path[..^1], path + "0", other.Services.GetRequiredService<LocalDoor>().Path])
        {
            var answer = await server.SendAsync("GET", wrong);
            (answer.Status, answer.Header("Set-Cookie")).ShouldBe((404, null), wrong);
        }

        // The address is for the developer's eyes.
        var file = Path.Combine(server.StateDir, ".local_address");
        (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).ShouldEndWith(path);
        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        // What was made from its session goes on after it.
        var session = await server.OpenLocalDoorAsync();
        var token = (await server.SendAsync("POST", "/auth/tokens", """{"name":"agent"}""", session)).Text("token");
        (await server.SendAsync("GET", "/auth/me", token: token)).Text("email").ShouldBe("dev@localhost");
        (await server.AuditAsync()).ShouldContain(row => row.Action == "login" && row.Params!.Contains("local", StringComparison.Ordinal));

        // In earnest there is no such address.
        await using var earnest = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        (await earnest.SendAsync("GET", earnest.Services.GetRequiredService<LocalDoor>().Path)).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_client_that_calls_itself_a_proxy_does_not_get_another_address_by_it()
    {
        await using var server = await LimitedAsync();
        var statuses = new List<int>();
        for (var number = 1; number <= 40; number++) statuses.Add(await SignInAsync(server, TestServer.AdminEmail, TestServer.AdminPassword, $"203.0.113.{number}"));
        statuses.Count(status => status == 200).ShouldBe(10);
        statuses.ShouldContain(429);
        (await server.State.ReadAsync<string>("SELECT DISTINCT ip FROM sessions")).ShouldBe(["127.0.0.1"]);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("198.51.100.1")] // through a proxy that was not named
    public async Task One_guest_at_a_shared_address_closes_the_sign_in_for_nobody_else(string? forwardedFor)
    {
        await using var server = await LimitedAsync();
        foreach (var path in (string[])["/auth/token", "/auth/password/login"])
        {
            for (var number = 0; number < 25; number++) (await SignInAsync(server, $"nobody{number}@example.com", "wrong wrong", forwardedFor, path)).ShouldBe(401);
            (await SignInAsync(server, TestServer.AdminEmail, TestServer.AdminPassword, forwardedFor, path)).ShouldBe(200);
        }

        // One account is limited, as before.
        for (var number = 0; number < 25; number++) await SignInAsync(server, "nobody@example.com", "wrong wrong", forwardedFor);
        (await SignInAsync(server, "nobody@example.com", "wrong wrong", forwardedFor)).ShouldBe(429);

        // The operator hears of the proxy.
        var health = await server.SendAsync("GET", "/api/health/detailed", token: await server.SignInAsync());
        (health.Json["services"]!["proxy"]?["status"]?.GetValue<string>()).ShouldBe(forwardedFor is null ? null : "warning");
    }

    /// <summary>What a guest writes into a header decides neither whether they are counted nor as whom. The address that the named proxy added counts, for twenty times the usual.</summary>
    [Theory]
    [InlineData("198.51.100.{0}, 203.0.113.9")]
    [InlineData("garbage {0}, 203.0.113.9")]
    [InlineData("127.0.0.1, 203.0.113.9")]
    public async Task A_guest_who_adds_a_header_behind_a_named_proxy_that_appends_is_still_limited_by_address(string forwardedFor)
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { RateLimits = true, TrustedProxies = TestServer.ThisMachine });
        server.Time.Advance(TimeSpan.FromSeconds(61 - server.Time.GetUtcNow().Second));
        const int most = AskPasswordLink.PerMinuteMax * RateLimits.NearestShares;
        async Task<int> AskAsync(int number, string from) => (await server.SendAsync("POST", "/auth/password/reset", $"email=u{number}@example.com", change: request =>
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", string.Format(CultureInfo.InvariantCulture, from, number % 250)))).Status;
        for (var number = 0; number < most; number++) (await AskAsync(number, forwardedFor)).ShouldBeLessThan(400, $"{number}");
        for (var number = 0; number < 5; number++) (await AskAsync(most + number, forwardedFor)).ShouldBe(429);
        (await AskAsync(0, "198.51.100.1, 203.0.113.10")).ShouldBeLessThan(400, "another address has a window of its own");
        (await AskAsync(1, "203.0.113.9")).ShouldBeLessThan(400, "as has whoever writes nothing at the same address");
    }

    [Fact]
    public void A_flood_of_accounts_fills_nobody_elses_window()
    {
        var limits = new RateLimits(new ServerOptions { DataDir = "", StateDir = "", RateLimits = true }, TimeProvider.System);
        var (flood, others) = (At(int.MaxValue), At(5));
        for (var number = 0; number < 60_000; number++) limits.Take(flood, $"account{number}");
        Enumerable.Range(0, 100).Count(number =>
        {
            try
            {
                limits.Take(others, $"other{number}");
                return true;
            }
            catch (ProblemException)
            {
                return false;
            }
        }).ShouldBe(100);

        static DefaultHttpContext At(int perMinute)
        {
            var context = new DefaultHttpContext();
            context.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(new CallLimit(perMinute, "x")), "x"));
            return context;
        }
    }

    /// <summary>With the clock at the beginning of a minute, which is what limits count in.</summary>
    private async Task<TestServer> LimitedAsync()
    {
        var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { RateLimits = true });
        server.Time.Advance(TimeSpan.FromSeconds(61 - server.Time.GetUtcNow().Second));
        return server;
    }

    private static async Task<int> SignInAsync(TestServer server, string email, string password, string? forwardedFor, string path = "/auth/token") => (await server.SendAsync(
        "POST", path, $$"""{"email":"{{email}}","password":"{{password}}"}""", change: request =>
        {
            if (forwardedFor is not null) request.Headers.Add("X-Forwarded-For", forwardedFor);
        })).Status;
}
