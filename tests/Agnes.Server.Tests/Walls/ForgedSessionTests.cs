using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.Walls;

/// <summary>Who has the signing key has no session: one is what the server began and keeps in its table, for as long as the table says.</summary>
public sealed class ForgedSessionTests(Postgres postgres)
{
    [Theory, OnBothEngines]
    public async Task A_signed_token_without_its_row_is_no_session_whatever_it_claims(StateEngine engine)
    {
        await using var server = await TestServer.StartAsync(engine, postgres);
        var mine = await server.SignInAsync();
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(mine.Split('.')[1]))!.AsObject();
        var years = claims["iat"]!.GetValue<long>() + (31L * 365 * 86_400);
        string Forge(params (string Name, JsonNode? Value)[] changes)
        {
            var forged = claims.DeepClone().AsObject();
            foreach (var (name, value) in changes) forged[name] = value;
            return Sign(server.Services.GetRequiredService<SigningKey>().Bytes, forged);
        }

        (await StatusAsync(server, mine)).ShouldBe(200);
        (await StatusAsync(server, Forge(("jti", "0123456789abcdef0123456789abcdef")))).ShouldBe(401);
        (await StatusAsync(server, Forge(("jti", "0123456789abcdef0123456789abcdef"), ("exp", years)))).ShouldBe(401);

        // Nor with the id of a session that lives, as lists of them show it: neither longer, nor again, nor for somebody else.
        (await StatusAsync(server, Forge(("exp", years)))).ShouldBe(401);
        (await StatusAsync(server, Forge(("nonce", null)))).ShouldBe(401);
        (await StatusAsync(server, mine)).ShouldBe(200);
    }

    [Theory, OnBothEngines]
    public async Task What_the_table_says_of_a_session_counts(StateEngine engine)
    {
        await using var server = await TestServer.StartAsync(engine, postgres);
        var (deleted, cut, kept) = (await server.SignInAsync(), await server.SignInAsync(), await server.SignInAsync());
        string Id(string token) => JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]))!["jti"]!.GetValue<string>();
        await server.State.WriteAsync(async write =>
        {
            await write.ExecuteAsync("DELETE FROM sessions WHERE id = @id", new { id = Id(deleted) });
            await write.ExecuteAsync("UPDATE sessions SET expires_at = @at WHERE id = @id", new { id = Id(cut), at = write.Now.AddSeconds(30) });
        });
        server.Time.Advance(TimeSpan.FromSeconds(61));
        (await StatusAsync(server, deleted), await StatusAsync(server, cut), await StatusAsync(server, kept)).ShouldBe((401, 401, 200));
    }

    [Fact]
    public async Task A_session_that_another_server_began_is_one_and_what_it_ended_is_none()
    {
        var url = await postgres.NewDatabaseAsync();
        const string Key = "a key that both have, of more than thirty-two characters";
        Task<TestServer> StartAsync() => TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { StateUrl = url, JwtSecretKey = Key });
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        var session = await first.SignInAsync();
        (await StatusAsync(second, session)).ShouldBe(200);
        (await first.SendAsync("POST", "/auth/logout", token: session)).Status.ShouldBe(204);
        for (var tries = 0; tries < 100 && await StatusAsync(second, session) == 200; tries++) await Task.Delay(100, TestContext.Current.CancellationToken);
        (await StatusAsync(second, session)).ShouldBe(401);
    }

    [Fact]
    public async Task A_desktop_tokens_age_counts_from_when_it_was_issued()
    {
        const string Secret = "a key of the desktop, long enough for it";
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { SignIn = new SignInOptions { DesktopSecret = Secret } });
        var token = (await server.SendAsync("POST", "/api/desktop/authorize", token: await server.SignInAsync())).Text("url").Split("token=")[1];
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]))!.AsObject();
        claims["exp"] = claims["exp"]!.GetValue<long>() + (31L * 365 * 86_400);
        var forged = Sign(System.Text.Encoding.UTF8.GetBytes(Secret), claims);
        (await server.SendAsync("POST", "/api/desktop/refresh", token: forged)).Status.ShouldBe(200);
        server.Time.Advance(TimeSpan.FromDays(38));
        (await server.SendAsync("POST", "/api/desktop/refresh", token: forged)).Status.ShouldBe(401);
    }

    private static async Task<int> StatusAsync(TestServer server, string token) => (await server.SendAsync("GET", "/auth/me", token: token)).Status;

    private static string Sign(ReadOnlySpan<byte> key, JsonObject claims) => Jwt.Sign(key, json =>
    {
        foreach (var (name, value) in claims)
        {
            if (value is null) continue;
            json.WritePropertyName(name);
            JsonSerializer.Serialize(json, value);
        }
    });
}
