using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Access;

public sealed class TokenScopeTests(Postgres postgres)
{
    private const string Secret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Fact]
    public async Task A_scope_only_takes_away_and_an_unknown_one_takes_all()
    {
        await using var world = await World.NewAsync(StateEngine.DuckDb, postgres);
        async Task<string> MakeAsync(Principal owner, string scope)
        {
            var made = await world.Server.SendAsync("POST", "/auth/tokens", new JsonObject { ["name"] = scope, ["scope"] = scope }.ToJsonString(), world.TokenOf(owner));
            made.Status.ShouldBe(201, made.Body);
            return made.Text("token");
        }

        async Task<int> StatusAsync(string method, string path, string token, string? body = null) => (await world.Server.SendAsync(method, path, body, token)).Status;
        var read = await MakeAsync(Principal.Admin, "read");
        (await StatusAsync("GET", "/api/users", read)).ShouldBe(200);
        (await StatusAsync("POST", "/api/query", read, """{"sql":"SELECT 1"}""")).ShouldBe(200);
        foreach (var (method, path, body) in ((string, string, string?)[])[("POST", "/api/users", """{"email":"x@example.com","name":"x"}"""), ("DELETE", "/auth/tokens/none", null), ("POST", "/api/me/onboarded", null)])
        {
            var refused = await world.Server.SendAsync(method, path, body, read);
            (refused.Status, refused.Body.Contains("scope 'read'", StringComparison.Ordinal)).ShouldBe((403, true), $"{path}: {refused.Body}");
        }

        var laptop = await MakeAsync(Principal.Admin, "bootstrap-analyst");
        (await StatusAsync("GET", "/api/sync/manifest", laptop)).ShouldBe(200);
        (await StatusAsync("POST", "/api/me/onboarded", laptop, "{}")).ShouldBe(200);
        (await StatusAsync("GET", "/api/users", laptop)).ShouldBe(403);

        var plugins = await MakeAsync(Principal.Analyst, "marketplace");
        foreach (var path in (string[])["/auth/me", "/api/sync/manifest", "/api/catalog/tables"]) (await StatusAsync("GET", path, plugins)).ShouldBe(403, path);

        (await world.Server.SendAsync("POST", "/auth/tokens", """{"name":"x","scope":"everything"}""", world.TokenOf(Principal.Admin))).Status.ShouldBe(400);
        await world.Server.State.WriteAsync(async write =>
        {
            var token = write.Before.Token(world["token:ci"])! with { Scopes = "of another program" };
            await write.ExecuteAsync("UPDATE personal_access_tokens SET scopes = @Scopes WHERE id = @Id", token);
            write.Apply(snapshot => snapshot.WithToken(token));
        });
        (await StatusAsync("GET", "/auth/me", world.TokenOf(Principal.AdminToken)!)).ShouldBe(403);
    }

    [Fact]
    public async Task The_schedulers_secret_is_an_account_that_can_be_switched_off_and_makes_no_tokens()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { SchedulerToken = Secret });
        var admin = await server.SignInAsync();
        (await server.SendAsync("GET", "/api/users", token: Secret)).Body.ShouldContain("scheduler@system.local");
        (await server.SendAsync("POST", "/api/admin/groups", """{"name":"By the clock"}""", Secret)).Status.ShouldBe(201);
        var scheduler = server.State.Snapshot.UserByEmail(ServiceSecret.Email)!;
        (await server.AuditAsync()).Last().UserId.ShouldBe(scheduler.Id);
        var token = await server.SendAsync("POST", "/auth/tokens", """{"name":"x"}""", Secret);
        (token.Status, token.Body.Contains("not a service token", StringComparison.Ordinal)).ShouldBe((403, true));
        (await server.SendAsync("GET", "/api/users", token: Secret[..^1])).Status.ShouldBe(401);
        (await server.SendAsync("GET", "/api/users", change: request => request.Headers.Add("Cookie", $"access_token={Secret}"))).Status.ShouldBe(401);

        // It does not count as the admin who could help.
        var root = server.State.Snapshot.UserByEmail(TestServer.AdminEmail)!.Id;
        (await server.SendAsync("DELETE", $"/api/users/{root}", token: Secret)).Status.ShouldBe(409);
        (await server.SendAsync("POST", $"/api/users/{scheduler.Id}/deactivate", token: admin)).Status.ShouldBe(200);
        (await server.SendAsync("GET", "/api/users", token: Secret)).Body.ShouldContain("Account deactivated");
    }

    [Fact]
    public async Task A_secret_that_could_be_guessed_is_none()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { SchedulerToken = "short", TokenDaysMax = 30 });
        (await server.SendAsync("GET", "/api/users", token: "short")).Status.ShouldBe(401);
        server.State.Snapshot.UserByEmail(ServiceSecret.Email).ShouldBeNull();

        // The same server's rule about the life of tokens.
        var admin = await server.SignInAsync();
        async Task<Answer> MakeAsync(string body) => await server.SendAsync("POST", "/auth/tokens", body, admin);
        (await MakeAsync("""{"name":"x","expires_in_days":31}""")).Status.ShouldBe(400);
        (await MakeAsync("""{"name":"x","expires_in_days":null}""")).Status.ShouldBe(400);
        (await MakeAsync("""{"name":"x","expires_in_days":30}""")).Status.ShouldBe(201);
        (await MakeAsync("""{"name":"x"}""")).Status.ShouldBe(201);
    }
}
