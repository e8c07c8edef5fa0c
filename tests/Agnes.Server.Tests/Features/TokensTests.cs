using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.Features;

[Collection("world")]
public sealed class TokensTests(Worlds worlds, Postgres postgres)
{
    private static readonly Scenario List = new("your tokens", "GET", "/auth/tokens", 200) { As = Principal.Analyst, Has = ["\"name\":\"laptop\"", "\"name\":\"lost\""], Lacks = ["\"name\":\"ci\"", "eyJ", "token_hash"] };
    private static readonly Scenario All = new("everybody's tokens", "GET", "/auth/admin/tokens", 200) { Has = ["\"name\":\"laptop\"", "\"name\":\"ci\"", "\"user_email\":\"ana@example.com\"", "\"last_used_ip\""], Lacks = ["eyJ", "token_hash"] };

    private static readonly Scenario[] Table =
    [
        List,
        List with { Name = "a token may list tokens", As = Principal.AnalystToken },
        .. List.Refusals(adminsOnly: false),
        All,
        .. All.Refusals(adminsOnly: true),
        new("one of your tokens", "GET", "/auth/tokens/{token:laptop}", 200) { As = Principal.Analyst, Has = ["\"prefix\":\""] },
        new("somebody else's token is as unknown as none", "GET", "/auth/tokens/{token:ci}", 404) { As = Principal.Analyst, Has = ["Token not found"], Lacks = ["ci"] },
        new("an unknown token", "GET", "/auth/tokens/none", 404) { As = Principal.Analyst, Has = ["Token not found"] },
        new("somebody else's token is not yours to revoke", "DELETE", "/auth/tokens/{token:ci}", 404) { As = Principal.Analyst, Has = ["Token not found"] },
        new("revoking again is no fault", "DELETE", "/auth/tokens/{token:lost}", 204) { As = Principal.Analyst, Audit = ["token.revoke"] },
        new("an admin revokes", "DELETE", "/auth/admin/tokens/{token:lost}", 204) { Audit = ["token.admin_revoke"] },
        new("an admin revokes what is not there", "DELETE", "/auth/admin/tokens/none", 404) { Has = ["Token not found"] },
        new("a token cannot make tokens", "POST", "/auth/tokens", 403) { As = Principal.AdminToken, Body = """{"name":"x"}""", Has = ["not a PAT"] },
        new("a name is needed", "POST", "/auth/tokens", 422) { Body = "{}", Has = ["\"type\":\"missing\"", "\"loc\":[\"body\",\"name\"]", "Field required"] },
        new("a blank name", "POST", "/auth/tokens", 400) { Body = """{"name":"  "}""" },
        new("no days", "POST", "/auth/tokens", 400) { Body = """{"name":"x","expires_in_days":0}""" },
        new("too many days", "POST", "/auth/tokens", 400) { Body = """{"name":"x","expires_in_days":3651}""" },
        new("no seconds", "POST", "/auth/tokens", 400) { Body = """{"name":"x","ttl_seconds":0}""" },
        new("too many seconds", "POST", "/auth/tokens", 400) { Body = """{"name":"x","ttl_seconds":315360001}""" },
        new("days that are no number", "POST", "/auth/tokens", 422) { Body = """{"name":"x","expires_in_days":"soon"}""", Has = ["int_parsing"] },
    ];

    [Theory, OnBothEngines]
    public async Task Tokens_answer_each_principal_as_specified(StateEngine engine) => await Scenarios.RunAsync(await worlds.OnAsync(engine, postgres), Table);

    [Theory, OnBothEngines]
    public async Task A_token_is_a_signed_jwt_of_which_only_the_hash_is_kept(StateEngine engine)
    {
        await using var server = await TestServer.StartAsync(engine, postgres);
        var session = await server.SignInAsync();
        var made = await server.SendAsync("POST", "/auth/tokens", """{"name":"ci"}""", session);
        made.Status.ShouldBe(201);
        var token = made.Text("token");
        var claims = Claims(token);
        claims["typ"]!.GetValue<string>().ShouldBe("pat");
        claims["scope"]!.GetValue<string>().ShouldBe("general");
        claims["jti"]!.GetValue<string>().ShouldBe(made.Text("id"));
        (claims["exp"]!.GetValue<long>() - claims["iat"]!.GetValue<long>()).ShouldBe(90 * 86_400);
        made.Text("prefix").ShouldBe(made.Text("id")[..8]);
        made.Text("expires_at").ShouldMatch(@"\A\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?\+00:00\z");
        var stored = await server.State.ReadAsync<string>("SELECT token_hash FROM personal_access_tokens");
        stored.ShouldBe([Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(token)))]);

        var key = await File.ReadAllTextAsync(Path.Combine(server.StateDir, ".jwt_secret"));
        key.ShouldMatch(@"\A[0-9a-f]{64}\z");
        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(Path.Combine(server.StateDir, ".jwt_secret")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var dot = token.LastIndexOf('.');
        Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.ASCII.GetBytes(token[..dot]))).ShouldBe(token[(dot + 1)..]);
    }

    [Fact]
    public async Task Lifetimes_follow_what_was_asked_and_the_scope_bounds_them()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        var session = await server.SignInAsync();
        async Task<JsonNode> MadeAsync(string body) => Claims((await server.SendAsync("POST", "/auth/tokens", body, session)).Text("token"));

        (await MadeAsync("""{"name":"never","expires_in_days":null}"""))["exp"].ShouldBeNull();
        var bootstrap = await MadeAsync("""{"name":"new laptop","scope":"bootstrap-analyst","expires_in_days":90}""");
        (bootstrap["exp"]!.GetValue<long>() - bootstrap["iat"]!.GetValue<long>()).ShouldBeLessThanOrEqualTo(3600);
        var never = await MadeAsync("""{"name":"new laptop","scope":"bootstrap-analyst","expires_in_days":null}""");
        (never["exp"]!.GetValue<long>() - never["iat"]!.GetValue<long>()).ShouldBeLessThanOrEqualTo(3600);
        var seconds = await MadeAsync("""{"name":"short","expires_in_days":90,"ttl_seconds":60}""");
        (seconds["exp"]!.GetValue<long>() - seconds["iat"]!.GetValue<long>()).ShouldBe(60);
    }

    [Theory, OnBothEngines]
    public async Task A_token_ends_when_revoked_expired_swapped_or_its_owner_goes(StateEngine engine)
    {
        await using var server = await TestServer.StartAsync(engine, postgres);
        var session = await server.SignInAsync();
        var made = await server.SendAsync("POST", "/auth/tokens", """{"name":"ci","expires_in_days":1}""", session);
        var token = made.Text("token");
        (await server.SendAsync("GET", "/auth/tokens", token: token)).Status.ShouldBe(200);

        // Not good from the cookie: a token is for programs.
        var cookie = await server.SendAsync("GET", "/auth/tokens", change: request => request.Headers.Add("Cookie", $"access_token={token}"));
        cookie.Status.ShouldBe(401);
        (await server.SendAsync("GET", "/auth/tokens", change: request => request.Headers.Add("Cookie", $"access_token={session}"))).Status.ShouldBe(200);

        await server.State.WriteAsync(async write =>
        {
            var row = write.Before.Token(made.Text("id"))! with { TokenHash = new string('0', 64) };
            await write.ExecuteAsync("UPDATE personal_access_tokens SET token_hash = @TokenHash WHERE id = @Id", row);
            write.Apply(snapshot => snapshot.WithToken(row));
        });
        var mismatch = await server.SendAsync("GET", "/auth/tokens", token: token);
        (mismatch.Status, mismatch.Text("detail")).ShouldBe((401, "Token mismatch"));

        var second = await server.SendAsync("POST", "/auth/tokens", """{"name":"ci","expires_in_days":null}""", session);
        (await server.SendAsync("DELETE", $"/auth/tokens/{second.Text("id")}", token: second.Text("token"))).Status.ShouldBe(204);
        (await server.SendAsync("GET", "/auth/tokens", token: second.Text("token"))).Text("detail").ShouldBe("Token revoked");

        var third = await server.SendAsync("POST", "/auth/tokens", """{"name":"ci","ttl_seconds":60}""", session);
        (await server.SendAsync("GET", "/auth/tokens", token: third.Text("token"))).Status.ShouldBe(200);
        server.Time.Advance(TimeSpan.FromSeconds(61));
        (await server.SendAsync("GET", "/auth/tokens", token: third.Text("token"))).Text("detail").ShouldBe("Invalid or expired token");
        server.Time.Advance(TimeSpan.FromHours(24));
        (await server.SendAsync("GET", "/auth/tokens", token: session)).Text("detail").ShouldBe("Invalid or expired token");
    }

    [Fact]
    public async Task A_use_from_another_address_through_a_trusted_proxy_is_audited_once()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { TrustedProxies = TestServer.ThisMachine });
        var made = await server.SendAsync("POST", "/auth/tokens", """{"name":"ci"}""", await server.SignInAsync());
        Task<Answer> UseAsync(string? from) => server.SendAsync("GET", "/auth/tokens", token: made.Text("token"), change: request =>
        {
            if (from is not null) request.Headers.Add("X-Forwarded-For", from);
        });

        (await UseAsync(null)).Status.ShouldBe(200);
        (await UseAsync("203.0.113.7")).Status.ShouldBe(200);
        (await UseAsync("203.0.113.7")).Status.ShouldBe(200);
        (await UseAsync(null)).Status.ShouldBe(200);
        (await UseAsync("203.0.113.7")).Status.ShouldBe(200);
        var uses = (await server.AuditAsync()).Where(row => row.Action == "token.first_use_new_ip").ToList();
        uses.Count.ShouldBe(1);
        var parameters = JsonNode.Parse(uses[0].Params!)!;
        (parameters["ip"]!.GetValue<string>(), parameters["previous_ip"]!.GetValue<string>()).ShouldBe(("203.0.113.7", "127.0.0.1"));
    }

    private static JsonNode Claims(string token) => JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]))!;
}
