using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.SignIn;

/// <summary>The developer is whoever opened the address of this start, and nobody gets in by another name or through a proxy.</summary>
public sealed class LocalDevelopmentTests(Postgres postgres, DeveloperServer developer) : IClassFixture<DeveloperServer>
{
    private const string NewUser = """{"email":"new@example.com","name":"New"}""";

    [Fact]
    public async Task The_developer_needs_no_password_and_nobody_else_gets_in()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with
        {
            SeedAdminEmail = null,
            SeedAdminPassword = null,
            LocalDevelopment = new LocalDevelopment("dev@localhost", [new("eng@example.com", "Engineering")]),
        });
        var session = await server.OpenLocalDoorAsync();
        var me = await server.SendAsync("GET", "/auth/me", token: session);
        (me.Text("email"), me.Json["is_admin"]!.GetValue<bool>()).ShouldBe(("dev@localhost", true));
        me.Body.ShouldContain("eng@example.com");
        (await server.SendAsync("GET", "/login", token: session)).Header("Location").ShouldBe("/dashboard");
        (await server.SendAsync("GET", "/login")).Body.ShouldContain("open the address that the server showed");
        var made = await server.SendAsync("POST", "/auth/tokens", """{"name":"x"}""", session);
        made.Status.ShouldBe(201);
        (await server.SendAsync("POST", "/auth/tokens", """{"name":"y"}""", made.Text("token"))).Status.ShouldBe(403); // a token is still no session

        // A name that somebody points at this machine, for reading as for writing, with whatever credentials.
        foreach (var host in (string[])["evil.example.org", "localhost.evil.example.org", "127.0.0.1.evil.example.org", "192.168.0.1", "0.0.0.0", "dev"])
        {
            foreach (var (method, path) in ((string, string)[])[("GET", "/api/users"), ("GET", "/dashboard"), ("POST", "/api/users"), ("GET", "/api/health"), ("GET", "/no-such-page")])
            {
                var answer = await server.SendAsync(method, path, method == "POST" ? NewUser : null, made.Text("token"), request => request.Headers.Host = host);
                answer.Status.ShouldBe(403, $"{method} {path} at {host}");
                answer.Body.ShouldNotContain("dev@localhost");
            }
        }

        var port = new Uri(server.Url).Port;
        foreach (var host in (string[])[$"localhost:{port}", $"127.0.0.1:{port}", $"[::1]:{port}"]) (await server.SendAsync("GET", "/auth/me", token: session, change: request => request.Headers.Host = host)).Status.ShouldBe(200);
        foreach (var header in (string[])["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Via", "X-Real-IP"])
        {
            (await server.SendAsync("GET", "/auth/me", token: session, change: request => request.Headers.TryAddWithoutValidation(header, "127.0.0.1"))).Status.ShouldBe(403, header);
        }
    }

    [Theory]
    [InlineData("Origin", "https://evil.example.org", 403)]
    [InlineData("Origin", "null", 403)]
    [InlineData("Origin", "http://localhost:1", 403)]
    [InlineData("Sec-Fetch-Site", "cross-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-site", 403)]
    [InlineData("Origin", "self", 201)]
    [InlineData("Sec-Fetch-Site", "same-origin", 201)]
    [InlineData("Sec-Fetch-Site", "none", 201)]
    [InlineData("X-Nothing", "x", 201)]
    public async Task A_page_of_another_site_cannot_write_whatever_credentials_it_sends(string header, string value, int status)
    {
        var server = await developer.GetAsync();
        foreach (var credentials in (string[])[await server.OpenLocalDoorAsync(), "rubbish"])
        {
            var email = $"new{Guid.NewGuid():N}@example.com";
            var answer = await server.SendAsync("POST", "/api/users", $$"""{"email":"{{email}}","name":"New"}""", credentials, request => request.Headers.TryAddWithoutValidation(header, value == "self" ? server.Url : value));
            var expected = status == 201 && credentials == "rubbish" ? 401 : status;
            answer.Status.ShouldBe(expected, answer.Body);
            (server.State.Snapshot.UserByEmail(email) is not null).ShouldBe(expected == 201);
        }
    }

    [Theory]
    [InlineData("http://localhost:8000", null, null)]
    [InlineData("http://127.0.0.1:8000;http://[::1]:8000", null, null)]
    [InlineData("http://0.0.0.0:8000", null, "http://0.0.0.0:8000")]
    [InlineData("http://*:8000", null, "http://*:8000")]
    [InlineData("http://+:8000", null, "http://+:8000")]
    [InlineData("http://localhost:8000;http://10.0.0.5:8000", null, "10.0.0.5")]
    [InlineData("http://data.example.com:8000", null, "data.example.com")]
    [InlineData("http://localhost:8000", "data.example.com", "DOMAIN")]
    public void It_does_not_start_where_others_could_reach_it(string urls, string? domain, string? said)
    {
        ServerOptions Read() => ServerOptions.From([], name => name switch { "LOCAL_DEV_MODE" => "Yes", "ASPNETCORE_URLS" => urls, "DOMAIN" => domain, _ => null });
        if (said is null) Read().LocalDevelopment!.Email.ShouldBe("dev@localhost");
        else Should.Throw<OptionsException>(Read).Message.ShouldContain(said);
    }

    [Fact]
    public void Groups_come_from_a_list_and_rubbish_is_named()
    {
        LocalDevelopment Read(string groups) => ServerOptions.From([], name => name switch { "LOCAL_DEV_MODE" => "1", "LOCAL_DEV_GROUPS" => groups, _ => null }).LocalDevelopment!;
        Read("""[{"id":"a@x.io","name":"A","more":1},{"name":"no id"},5,{"id":"b@x.io"}]""").Groups.ShouldBe([new("a@x.io", "A"), new("b@x.io", "b@x.io")]);
        foreach (var rubbish in (string[])["{", "{}", "5"]) Read(rubbish).Problem.ShouldNotBeNull();
        ServerOptions.From([], name => name == "LOCAL_DEV_MODE" ? "0" : null).LocalDevelopment.ShouldBeNull();
    }
}

/// <summary>One server for the rows of a theory.</summary>
public sealed class DeveloperServer(Postgres postgres) : IAsyncDisposable
{
    private Task<TestServer>? _server;

    internal Task<TestServer> GetAsync() =>
        _server ??= TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { LocalDevelopment = new LocalDevelopment("dev@localhost", []) });

    public async ValueTask DisposeAsync()
    {
        if (_server is { IsCompletedSuccessfully: true }) await (await _server).DisposeAsync();
    }
}
