using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Agnes.Cli.Tests;

public sealed class AuthTests : IAsyncLifetime
{
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;

    private string TokenFile => Path.Combine(_agnes.Config, "token.json");

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _agnes = new AgnesProgram();
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Signing_in_stores_server_and_token_for_the_owner_alone()
    {
        await File.WriteAllTextAsync(Path.Combine(_agnes.Config, "config.yaml"), "# my notes\nserver: http://old.example.com  # the old one\ncolour: blue\n");
        JsonElement body = default;
        _server.Intercept = async context =>
        {
            if (context.Request.Path != "/auth/token") return false;
            body = (await JsonDocument.ParseAsync(context.Request.Body)).RootElement;
            await FakeServer.JsonAsync(context, 200, $$"""{"access_token":"{{FakeServer.Token}}","token_type":"bearer"}""");
            return true;
        };
        (await _agnes.RunWithInputAsync("s3cret\n", "auth", "login", "--email", "ana@example.com", "--server", _server.Url + "/")).ShouldSucceed().Out.ShouldContain("ana@example.com");
        body.GetProperty("password").GetString().ShouldBe("s3cret");
        (await File.ReadAllTextAsync(Path.Combine(_agnes.Config, "config.yaml"))).ShouldBe($"# my notes\nserver: {_server.Url}  # the old one\ncolour: blue\n");
        JsonDocument.Parse(await File.ReadAllTextAsync(TokenFile)).RootElement.GetProperty("email").GetString().ShouldBe("ana@example.com");
        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(TokenFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var me = (await _agnes.RunAsync("auth", "whoami")).ShouldSucceed().Out;
        me.ShouldContain("Email: ana@example.com");
        me.ShouldContain($"Server: {_server.Url}");
        (await _agnes.RunAsync("auth", "logout")).ShouldSucceed();
        File.Exists(TokenFile).ShouldBeFalse();
        (await _agnes.RunAsync("auth", "logout")).ShouldSucceed();
        (await _agnes.RunAsync("auth", "whoami")).ShouldFail(1).Error.ShouldContain("Not logged in");
    }

    [Theory]
    [InlineData("""{"detail":"Invalid credentials"}""", "Invalid credentials")]
    [InlineData("""{"detail":"This account uses external authentication"}""", "/tokens")]
    public async Task A_refused_sign_in_stores_nothing_and_says_what_to_do(string answer, string said)
    {
        _server.Intercept = async context =>
        {
            await FakeServer.JsonAsync(context, 401, answer);
            return true;
        };
        var outcome = (await _agnes.RunAsync("auth", "login", "--email", "a@b.c", "--password", "wrongpass", "--server", _server.Url)).ShouldFail(1);
        outcome.Error.ShouldContain(said);
        outcome.Error.ShouldNotContain("wrongpass");
        File.Exists(TokenFile).ShouldBeFalse();
    }

    [Fact]
    public async Task A_token_is_imported_from_the_standard_input_a_file_or_the_environment()
    {
        (await _agnes.RunWithInputAsync(FakeServer.Token + "\n", "auth", "import-token", "--token", "-", "--server", _server.Url)).ShouldSucceed().Out.ShouldContain("ana@example.com");
        File.Delete(TokenFile);
        await File.WriteAllTextAsync(_agnes.InWorkspace("t.txt"), FakeServer.Token);
        (await _agnes.RunAsync("auth", "import-token", "--token-file", "t.txt")).ShouldSucceed();
        File.Delete(TokenFile);
        _agnes.Environment["AGNES_TOKEN"] = FakeServer.Token;
        (await _agnes.RunAsync("auth", "import-token")).ShouldSucceed();
        File.Exists(TokenFile).ShouldBeTrue();
    }

    [Theory]
    [InlineData("no-token", 1)]
    [InlineData("a.b.c", 1)]
    [InlineData("two words.x.y", 2)]
    public async Task What_is_no_token_is_not_stored(string token, int exitCode)
    {
        (await _agnes.RunAsync("auth", "import-token", "--token", token, "--server", _server.Url)).ShouldFail(exitCode);
        File.Exists(TokenFile).ShouldBeFalse();
    }

    [Fact]
    public async Task A_token_that_the_server_refuses_is_not_stored_unless_asked()
    {
        var other = FakeServer.Token[..^4] + "xxxx";
        (await _agnes.RunAsync("auth", "import-token", "--token", other, "--server", _server.Url)).ShouldFail(1).Error.ShouldContain("Invalid or expired token");
        File.Exists(TokenFile).ShouldBeFalse();
        (await _agnes.RunAsync("auth", "import-token", "--token", other, "--server", _server.Url, "--skip-verify")).ShouldSucceed();
    }

    [Fact]
    public async Task Tokens_are_made_listed_and_revoked()
    {
        _agnes.SignIn();
        await File.WriteAllTextAsync(Path.Combine(_agnes.Config, "config.yaml"), $"server: {_server.Url}\n");
        var asked = new List<string>();
        _server.Intercept = context => Tokens(context, asked);
        (await _agnes.RunAsync("auth", "token", "create", "--name", "ci", "--ttl", "30d", "--raw")).ShouldSucceed().Out.ShouldBe("the.new.token\n");
        asked[^1].ShouldBe("""POST {"name":"ci","expires_in_days":30}""");
        (await _agnes.RunAsync("auth", "token", "create", "--name", "ci", "--ttl", "never")).ShouldSucceed().Out.ShouldContain("export AGNES_TOKEN=the.new.token");
        asked[^1].ShouldBe("""POST {"name":"ci","expires_in_days":null}""");
        (await _agnes.RunAsync("auth", "token", "list")).ShouldSucceed().Out.ShouldContain("revoked");
        (await _agnes.RunAsync("auth", "token", "list", "--json")).ShouldSucceed().Json.GetArrayLength().ShouldBe(2);
        (await _agnes.RunAsync("auth", "token", "revoke", "laptop")).ShouldSucceed();
        asked[^1].ShouldBe("DELETE /auth/tokens/id-2 ");
        (await _agnes.RunAsync("auth", "token", "revoke", "nope")).ShouldFail(1);
    }

    [Fact]
    public async Task The_first_admin_is_made_once_and_signed_in()
    {
        var isClosed = false;
        string? key = null;
        _server.Intercept = async context =>
        {
            key = context.Request.Headers["X-Bootstrap-Token"];
            if (isClosed) await FakeServer.JsonAsync(context, 403, """{"detail":"Bootstrap is closed: this server has an admin."}""");
            else await FakeServer.JsonAsync(context, 200, $$"""{"access_token":"{{FakeServer.Token}}"}""");
            return true;
        };
        _agnes.Environment["AGNES_BOOTSTRAP_TOKEN"] = "k1";
        (await _agnes.RunWithInputAsync("long-enough\n", "setup", "bootstrap", "ana@example.com", "--server", _server.Url)).ShouldSucceed();
        key.ShouldBe("k1");
        File.Exists(TokenFile).ShouldBeTrue();
        _agnes.Environment.Remove("AGNES_BOOTSTRAP_TOKEN");
        (await _agnes.RunWithInputAsync("long-enough\nc0de\n", "setup", "bootstrap", "ana@example.com")).ShouldSucceed();
        key.ShouldBe("c0de");
        isClosed = true;
        (await _agnes.RunWithInputAsync("long-enough\n", "setup", "bootstrap", "bo@example.com")).ShouldSucceed().Out.ShouldContain("agnes auth login");
        (await File.ReadAllTextAsync(TokenFile)).ShouldContain("ana@example.com");
        (await _agnes.RunAsync("setup", "init", "--server", "https://other.example.com/")).ShouldSucceed().Out.ShouldBe("Server: https://other.example.com\n");
    }

    private static async Task<bool> Tokens(HttpContext context, List<string> asked)
    {
        var body = await new StreamReader(context.Request.Body).ReadToEndAsync();
        switch (context.Request.Method)
        {
            case "POST":
                asked.Add($"POST {body}");
                await FakeServer.JsonAsync(context, 201, """{"id":"id-9","name":"ci","token":"the.new.token","expires_at":null}""");
                return true;
            case "DELETE":
                asked.Add($"DELETE {context.Request.Path} {body}");
                context.Response.StatusCode = 204;
                return true;
            default:
                await FakeServer.JsonAsync(context, 200, """[{"id":"id-1","name":"old","prefix":"11111111","created_at":"x","expires_at":null,"last_used_at":null,"revoked_at":"2026-01-01"},{"id":"id-2","name":"laptop","prefix":"22222222","created_at":"x","expires_at":null,"last_used_at":null,"revoked_at":null}]""");
                return true;
        }
    }
}
