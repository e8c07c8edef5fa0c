using System.Collections.Concurrent;
using System.Text.Json;

namespace Agnes.Cli.Tests.Walls;

/// <summary>A stored token goes to the server that it was stored for, whoever names another one.</summary>
public sealed class WhereAStoredTokenGoesTests : IAsyncLifetime
{
    /// <summary>Commands that speak to a server in their own ways; the hooks' and the agent's are among them.</summary>
    private static readonly string[][] Speakers =
    [
        ["catalog"], ["pull"], ["pull", "--quiet"], ["push", "--quiet"], ["schema", "orders"], ["query", "--remote", "SELECT 1"], ["snapshot", "create", "orders", "--as", "mine"],
        ["self-upgrade", "--quiet"], ["diagnose"], ["status"], ["statusline"], ["setup", "test-connection"], ["auth", "whoami"], ["auth", "token", "list"],
        ["admin", "access", "simulate", "ana@example.com"], ["onboarded", "--from", "agnes_init"], ["mcp"],
    ];

    private readonly ConcurrentQueue<string> _seen = new();
    private FakeServer _own = null!;
    private FakeServer _other = null!;
    private AgnesProgram _agnes = null!;

    private string TokenFile => Path.Combine(_agnes.Config, "token.json");

    public async ValueTask InitializeAsync()
    {
        _own = await FakeServer.StartAsync();
        _other = await FakeServer.StartAsync();
        _other.Intercept = context =>
        {
            if (context.Request.Headers.Authorization.ToString() is { Length: > 0 } token) _seen.Enqueue($"{context.Request.Path} {token}");
            return Task.FromResult(false);
        };
        _own.Add("orders", Parquet.Number(1));
        _agnes = new AgnesProgram(_own.Url);
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _own.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task Not_to_one_that_a_variable_names()
    {
        await ImportAsync();
        _agnes.Environment["AGNES_SERVER"] = _other.Url;

        foreach (var speaker in Speakers)
        {
            using var process = _agnes.Start(speaker, withInput: true);
            if (speaker is ["mcp"]) await process.StandardInput.WriteLineAsync("""{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"catalog","arguments":{}}}""");
            process.StandardInput.Close();
            await AgnesProgram.FinishAsync(process);
        }

        _seen.ShouldBeEmpty();
        var error = (await _agnes.RunAsync("catalog")).ShouldFail(1).Error;
        error.ShouldContain($"the stored token is for {_own.Url} and is not sent to {_other.Url}, which AGNES_SERVER names");
        error.ShouldContain($"agnes auth login --server {_other.Url}");
        (await _agnes.RunAsync("diagnose")).ShouldFail(1).Out.ShouldContain("is not sent to");
    }

    [Fact]
    public async Task A_token_of_before_is_bound_to_the_configured_server_and_stays_so()
    {
        _agnes.SignIn();
        _agnes.Environment["AGNES_SERVER"] = _other.Url;
        (await _agnes.RunAsync("catalog")).ShouldFail(1);
        Bound().ShouldBe(_own.Url);
        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(TokenFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        _agnes.Environment.Remove("AGNES_SERVER");
        (await _agnes.RunAsync("pull")).ShouldSucceed();
        await File.WriteAllTextAsync(Path.Combine(_agnes.Config, "config.yaml"), $"server: {_other.Url}\n");
        (await _agnes.RunAsync("catalog")).ShouldFail(1).Error.ShouldContain("config.yaml names");
        _seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_address_that_is_stored_does_not_take_a_token_of_before_with_it()
    {
        _agnes.SignIn();
        (await _agnes.RunAsync("setup", "init", "--server", _other.Url)).ShouldSucceed();
        (await _agnes.RunAsync("catalog")).ShouldFail(1);
        Bound().ShouldBe(_own.Url);
        _seen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("http://localhost:{0}")]
    [InlineData("https://127.0.0.1:{0}")]
    public async Task Scheme_and_host_are_part_of_it_and_the_path_is_not(string other)
    {
        await ImportAsync();
        _agnes.Environment["AGNES_SERVER"] = string.Format(null, other, new Uri(_own.Url).Port);
        (await _agnes.RunAsync("catalog")).ShouldFail(1).Error.ShouldContain("is not sent to");
        _agnes.Environment["AGNES_SERVER"] = _own.Url + "/below/";
        (await _agnes.RunAsync("catalog")).Error.ShouldNotContain("is not sent to");
    }

    [Fact]
    public async Task A_token_of_the_environment_goes_with_the_server_of_the_environment_or_the_configured_one()
    {
        await ImportAsync();
        _agnes.Elsewhere(_other.Url);
        (await _agnes.RunAsync("pull")).ShouldSucceed();
        _seen.ShouldNotBeEmpty();

        _agnes.Environment.Remove("AGNES_SERVER");
        File.Delete(TokenFile);
        (await _agnes.RunAsync("pull")).ShouldSucceed();
    }

    [Fact]
    public async Task Signing_in_elsewhere_moves_it()
    {
        await ImportAsync();
        (await _agnes.RunAsync("auth", "import-token", "--token", FakeServer.Token, "--server", _other.Url)).ShouldSucceed();
        Bound().ShouldBe(_other.Url);
        (await _agnes.RunAsync("pull")).ShouldSucceed();
    }

    private async Task ImportAsync() => (await _agnes.RunAsync("auth", "import-token", "--token", FakeServer.Token, "--server", _own.Url)).ShouldSucceed();

    private string? Bound()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(TokenFile));
        return json.RootElement.GetProperty("server").GetString();
    }
}
