using System.Net;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Walls;

/// <summary>What <c>docs/operator/proxies.md</c> tells operators to write, run as it stands there in front of a real server; and the proxy of who read nothing.</summary>
public sealed partial class ProxyRecipeTests(Postgres postgres)
{
    private const string First = "first@example.com";
    private const string Password = "longpass1";

    [Theory]
    [InlineData("nginx")]
    [InlineData("caddyfile")]
    public async Task Behind_a_proxy_as_documented_the_server_knows_who_asks(string recipe)
    {
        var documented = ServerOptions.From([], Settings().GetValueOrDefault);
        await using var server = await StartAsync(options => options with { TrustedProxies = documented.TrustedProxies, Domain = documented.Domain });
        await using var proxy = await RunAsync(recipe, server);
        static void Lie(HttpRequestMessage request) => request.Headers.Add("X-Forwarded-For", "203.0.113.9");

        // Coming through the proxy of this machine is no ground for anything.
        (await proxy.SendAsync("POST", "/auth/bootstrap", Json(First, Password))).Status.ShouldBe(403);
        var made = await proxy.SendAsync("POST", "/auth/bootstrap", Json(First, Password), request =>
        {
            Lie(request);
            request.Headers.Add("X-Bootstrap-Token", File.ReadAllText(Path.Combine(server.StateDir, ".bootstrap_code")));
        });
        made.Status.ShouldBe(200, made.Body);
        made.Header("Set-Cookie")!.ShouldStartWith("__Host-access_token=eyJ");
        made.Header("Strict-Transport-Security").ShouldNotBeNull();

        // The client's own address, whatever it says it is.
        var session = made.Text("access_token");
        var seen = await proxy.SendAsync("GET", "/auth/sessions", change: request =>
        {
            Lie(request);
            request.Headers.Add("Cookie", $"__Host-access_token={session}");
            request.Headers.Add("Sec-Fetch-Site", "same-origin");
        });
        seen.Json[0]!["ip"]!.GetValue<string>().ShouldBe(ProxyProcess.Address.ToString());
        (await server.AuditAsync()).Single(row => row.Action == "bootstrap_completed").Params!.ShouldContain(ProxyProcess.Address.ToString());
        (await server.SendAsync("GET", "/api/health/detailed", token: session)).Json["services"]!["proxy"].ShouldBeNull();

        // So that it is slowed down, by whatever name it calls itself, and nobody else with it.
        if (IPAddress.IsLoopback(ProxyProcess.Address)) return;
        server.Time.AdvanceToNextMinute();
        var statuses = new List<int>();
        for (var number = 0; number < 12; number++) statuses.Add((await proxy.SendAsync("POST", "/auth/token", Json($"nobody{number}@example.com", "wrong wrong"), request => request.Headers.Add("X-Forwarded-For", $"203.0.113.{number}"))).Status);
        statuses.Count(status => status == 401).ShouldBe(10);
        statuses[^1].ShouldBe(429);
        (await proxy.SendAsync("POST", "/auth/token", Json(First, Password), from: IPAddress.Loopback)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Behind_a_proxy_that_nobody_told_anything_a_guest_is_a_guest_and_closes_nothing()
    {
        await using var server = await StartAsync();
        await using var proxy = await BareAsync(server);
        Task<Answer> SendAsync(string method, string path, string? body = null, Action<HttpRequestMessage>? change = null) => proxy.SendAsync(method, path, body, change, scheme: "http");

        var refused = await SendAsync("POST", "/auth/bootstrap", Json(First, Password));
        (refused.Status, server.State.Snapshot.UsersById.Count).ShouldBe((403, 0));
        var code = await server.BootstrapCodeAsync();
        for (var number = 0; number < 10; number++) (await SendAsync("POST", "/auth/bootstrap", $$"""{"email":"{{First}}","code":"guess{{number}}"}""")).Status.ShouldBe(403);
        (await SendAsync("POST", "/auth/bootstrap", Json(First, Password), request => request.Headers.Add("X-Bootstrap-Token", code))).Status.ShouldBe(200);

        for (var number = 0; number < 30; number++) (await SendAsync("POST", "/auth/token", Json($"nobody{number}@example.com", "wrong wrong"))).Status.ShouldBe(401);
        var session = await SendAsync("POST", "/auth/token", Json(First, Password));
        session.Status.ShouldBe(200);
        (await server.SendAsync("GET", "/api/health/detailed", token: session.Text("access_token"))).Json["services"]!["proxy"]!["detail"]!.GetValue<string>().ShouldContain("AGNES_TRUSTED_PROXIES");
    }

    [Fact]
    public async Task Behind_a_proxy_that_nobody_told_anything_nobody_is_the_developer()
    {
        await using var server = await StartAsync(options => options with { LocalDevelopment = new LocalDevelopment("dev@localhost", []) });
        await using var proxy = await BareAsync(server);
        (await proxy.SendAsync("GET", "/auth/me", scheme: "http")).Status.ShouldBe(401);
        (await proxy.SendAsync("POST", "/api/users", """{"email":"evil@example.com","name":"E"}""", scheme: "http")).Status.ShouldBe(401);
        (await proxy.SendAsync("POST", "/auth/bootstrap", Json(First, Password), scheme: "http")).Status.ShouldBe(403);
        server.State.Snapshot.UsersById.Values.Select(user => user.Email).ShouldBe(["dev@localhost"]);
    }

    private Task<TestServer> StartAsync(Func<ServerOptions, ServerOptions>? change = null) => TestServer.StartAsync(StateEngine.DuckDb, postgres, options =>
    {
        var limited = options with { SeedAdminEmail = null, SeedAdminPassword = null, RateLimits = true };
        return change is null ? limited : change(limited);
    });

    /// <summary>The blocks of the page with this test's ports and certificate in the place of an operator's.</summary>
    private static async Task<ProxyProcess> RunAsync(string recipe, TestServer server)
    {
        var port = ProxyProcess.FreePort();
        var text = Block(recipe).Replace("127.0.0.1:8000", new Uri(server.Url).Authority, StringComparison.Ordinal);
        if (recipe != "nginx") return await ProxyProcess.CaddyAsync(Replaced(text, $"{ProxyProcess.Host} {{", $"{ProxyProcess.Host}:{port} {{\n\ttls internal"), port);
        text = Replaced(Replaced(text, "listen 443 ssl;", $"listen {port} ssl;"), "listen 80;", $"listen {ProxyProcess.FreePort()};");
        return await ProxyProcess.NginxAsync(Replaced(text, "/etc/nginx/tls/", "{folder}/"), port);
    }

    private static Task<ProxyProcess> BareAsync(TestServer server)
    {
        var port = ProxyProcess.FreePort();
        return ProxyProcess.NginxAsync($"server {{ listen {port}; location / {{ proxy_pass {server.Url}; }} }}", port);
    }

    private static string Replaced(string text, string what, string by)
    {
        text.ShouldContain(what);
        return text.Replace(what, by, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Settings() => Block("sh").Split('\n').Select(line => line.Trim().Split('=', 2)).Where(pair => pair.Length == 2).ToDictionary(pair => pair[0], pair => pair[1]);

    private static string Block(string language)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Agnes.slnx"))) folder = folder.Parent ?? throw new InvalidOperationException("The sources are not above this program.");
        var page = File.ReadAllText(Path.Combine(folder.FullName, "docs", "operator", "proxies.md"));
        return Blocks().Matches(page).Single(match => match.Groups["language"].Value == language).Groups["text"].Value;
    }

    private static string Json(string email, string password) => $$"""{"email":"{{email}}","password":"{{password}}"}""";

    [GeneratedRegex("```(?<language>[a-z]+)\n(?<text>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Blocks();
}
