using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Access;

[Collection("world")]
public sealed class AuthenticationTests(Worlds worlds, Postgres postgres)
{
    [Theory]
    [InlineData("good", 200, "")]
    [InlineData("lower-case scheme", 200, "")]
    [InlineData("another scheme", 401, "Missing or invalid Authorization header")]
    [InlineData("no token", 401, "Missing or invalid Authorization header")]
    [InlineData("another key", 401, "Invalid or expired token")]
    [InlineData("no signature", 401, "Invalid or expired token")]
    [InlineData("alg none", 401, "Invalid or expired token")]
    [InlineData("alg HS512", 401, "Invalid or expired token")]
    [InlineData("padded signature", 401, "Invalid or expired token")]
    [InlineData("changed claims", 401, "Invalid or expired token")]
    [InlineData("expired this second", 401, "Invalid or expired token")]
    [InlineData("issued in the future", 401, "Invalid or expired token")]
    [InlineData("no exp", 401, "Invalid or expired token")]
    [InlineData("exp as text", 401, "Invalid or expired token")]
    [InlineData("sub as number", 401, "Invalid or expired token")]
    [InlineData("no jti", 401, "Invalid or expired token")]
    [InlineData("unknown user", 401, "User not found")]
    [InlineData("unknown pat", 401, "Token unknown")]
    [InlineData("rubbish", 401, "Invalid or expired token")]
    public async Task A_token_is_taken_only_when_everything_about_it_is_right(string name, int status, string detail)
    {
        var server = (await worlds.OnAsync(StateEngine.DuckDb, postgres)).Server;
        var key = await File.ReadAllTextAsync(Path.Combine(server.StateDir, ".jwt_secret"));
        var user = server.State.Snapshot.UserByEmail(TestServer.AdminEmail)!.Id;
        var now = server.Time.GetUtcNow().ToUnixTimeSeconds();
        await server.State.WriteAsync(write => write.ExecuteAsync(
            "INSERT INTO sessions (id, user_id, method, created_at, last_seen_at, expires_at) VALUES ('j', @user, 'password', @at, @at, @end) ON CONFLICT (id) DO NOTHING",
            new { user, at = write.Now, end = write.Now.AddDays(1) }));
        const string Header = """{"alg":"HS256","typ":"JWT"}""";
        string Claims(string? sub = null, string? exp = null, long? iat = null, string rest = ",\"jti\":\"j\"", string typ = "session") =>
            $$"""{"sub":{{sub ?? $"\"{user}\""}},"email":"x","typ":"{{typ}}","iat":{{iat ?? now}}{{exp ?? $",\"exp\":{now + 100}"}}{{rest}}}""";
        string Sign(string head, string claims, string? otherKey = null) => Signed(head, claims, otherKey ?? key);
        var good = Sign(Header, Claims());
        var header = name switch
        {
            "good" => $"Bearer {good}",
            "lower-case scheme" => $"bearer {good}",
            "another scheme" => $"Basic {good}",
            "no token" => "Bearer ",
            "another key" => $"Bearer {Sign(Header, Claims(), "another key of more than thirty-two characters")}",
            "no signature" => $"Bearer {good[..(good.LastIndexOf('.') + 1)]}",
            "alg none" => $"Bearer {Sign("""{"alg":"none"}""", Claims())}",
            "alg HS512" => $"Bearer {Sign("""{"alg":"HS512"}""", Claims())}",
            "padded signature" => $"Bearer {good}=",
            "changed claims" => $"Bearer {good.Split('.')[0]}.{Encode(Claims(exp: $",\"exp\":{now + 999}"))}.{good.Split('.')[2]}",
            "expired this second" => $"Bearer {Sign(Header, Claims(exp: $",\"exp\":{now}"))}",
            "issued in the future" => $"Bearer {Sign(Header, Claims(iat: now + 60, exp: $",\"exp\":{now + 160}"))}",
            "no exp" => $"Bearer {Sign(Header, Claims(exp: ""))}",
            "exp as text" => $"Bearer {Sign(Header, Claims(exp: ",\"exp\":\"never\""))}",
            "sub as number" => $"Bearer {Sign(Header, Claims(sub: "5"))}",
            "no jti" => $"Bearer {Sign(Header, Claims(rest: ""))}",
            "unknown user" => $"Bearer {Sign(Header, Claims(sub: "\"nobody\""))}",
            "unknown pat" => $"Bearer {Sign(Header, Claims(typ: "pat"))}",
            _ => "Bearer a.b.c",
        };
        foreach (var attempt in (int[])[1, 2])
        {
            // Twice: what the first attempt remembers must not help the second.
            var answer = await server.SendAsync("GET", "/auth/me", change: request => request.Headers.TryAddWithoutValidation("Authorization", header));
            answer.Status.ShouldBe(status, $"{name}, attempt {attempt}: {answer.Body}");
            if (detail.Length > 0) answer.Text("detail").ShouldBe(detail);
        }
    }

    [Theory]
    [InlineData("https://data.example.com", "Origin", 403)]
    [InlineData("http://127.0.0.1", "Origin", 403)]
    [InlineData("null", "Origin", 403)]
    [InlineData("self", "Origin", 204)]
    [InlineData("cross-site", "Sec-Fetch-Site", 403)]
    [InlineData("same-site", "Sec-Fetch-Site", 403)]
    [InlineData("same-origin", "Sec-Fetch-Site", 204)]
    [InlineData("none", "Sec-Fetch-Site", 204)]
    [InlineData("", "", 403)]
    [InlineData("XMLHttpRequest", "X-Requested-With", 204)]
    [InlineData("Basic YTpi", "Authorization", 403)] // what browsers add by themselves after user:password@ in an address: the cookie would decide
    [InlineData("Bearer ", "Authorization", 403)]
    public async Task A_page_of_another_site_cannot_use_the_cookie_to_write(string value, string header, int status)
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var (server, session) = (world.Server, world.TokenOf(Principal.Analyst)!);
        var made = await server.SendAsync("POST", "/auth/tokens", """{"name":"x"}""", session);
        void Browser(HttpRequestMessage request)
        {
            request.Headers.Add("Cookie", $"access_token={session}");
            if (header.Length > 0) request.Headers.TryAddWithoutValidation(header, value == "self" ? server.Url : value);
        }

        (await server.SendAsync("DELETE", $"/auth/tokens/{made.Text("id")}", change: Browser)).Status.ShouldBe(status);
        (await server.SendAsync("GET", "/auth/tokens", change: Browser)).Status.ShouldBe(200);
        if (header != "Authorization") (await server.SendAsync("DELETE", $"/auth/tokens/{made.Text("id")}", token: session, change: Browser)).Status.ShouldBe(204);
    }

    [Fact]
    public async Task A_page_of_another_site_cannot_sign_its_visitor_in()
    {
        var server = (await worlds.OnAsync(StateEngine.DuckDb, postgres)).Server;
        var answer = await server.SendAsync(
            "POST", "/auth/password/login/web", $"email={TestServer.AdminEmail}&password={TestServer.AdminPassword}", change: request => request.Headers.Add("Sec-Fetch-Site", "cross-site"));
        (answer.Status, answer.Header("Set-Cookie")).ShouldBe((403, null));
    }

    [Fact]
    public async Task Guessing_is_slowed_down_by_address()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { RateLimits = true, TrustedProxies = TestServer.ThisMachine });
        Task<Answer> GuessAsync(string email, string from) => server.SendAsync(
            "POST", "/auth/password/login", $$"""{"email":"{{email}}","password":"wrong"}""", change: request => request.Headers.Add("X-Forwarded-For", from));

        // A minute is a fixed window: begin at its start.
        server.Time.Advance(TimeSpan.FromSeconds(61 - server.Time.GetUtcNow().Second));
        for (var count = 0; count < 10; count++) (await GuessAsync($"u{count}@example.com", "203.0.113.1")).Status.ShouldBe(401);
        var limited = await GuessAsync("u@example.com", "203.0.113.1");
        (limited.Status, limited.Header("Retry-After"), limited.Text("detail")).ShouldBe((429, "60", "Too many requests — 10 per 1 minute"));
        (await server.SendAsync("POST", "/auth/password/login", "{}", change: request => request.Headers.Add("X-Forwarded-For", "203.0.113.1"))).Status.ShouldBe(429, "nobody reads a body that would be refused whatever it says");
        (await GuessAsync("u@example.com", "203.0.113.2")).Status.ShouldBe(401);

        server.Time.Advance(TimeSpan.FromMinutes(1));
        (await GuessAsync("w@example.com", "203.0.113.1")).Status.ShouldBe(401);
    }

    [Fact]
    public void What_is_remembered_of_callers_is_bounded()
    {
        var cache = new RecentCache<int, string>(100);
        for (var number = 0; number < 10_000; number++)
        {
            cache.Set(number, "x");
            cache.TryGet(0, out _).ShouldBeTrue(); // what is asked for stays
        }

        Enumerable.Range(0, 10_000).Count(number => cache.TryGet(number, out _)).ShouldBeLessThanOrEqualTo(300);
    }

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private static string Signed(string header, string claims, string key)
    {
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.ASCII.GetBytes(signed)))}";
    }
}
