namespace Agnes.Cli.Tests;

/// <summary>CLAUDE.md follows the server, and a text that somebody edited is never lost.</summary>
public sealed class InstructionsTests : IAsyncLifetime
{
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;
    private string _text = "# AI Data Analyst, one";
    private int _status = 200;

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _server.Intercept = async context =>
        {
            if (context.Request.Path != "/api/welcome") return false;
            await FakeServer.JsonAsync(context, _status, $$"""{"content":"{{_text}}"}""");
            return true;
        };
        _agnes = new AgnesProgram(_server.Url);
        (await _agnes.RunAsync("init", "--server-url", _server.Url, "--token", FakeServer.Token)).ShouldSucceed();
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_pull_brings_the_servers_new_text_where_nobody_edited_the_old_one()
    {
        var written = File.GetLastWriteTimeUtc(_agnes.InWorkspace("CLAUDE.md"));
        (await _agnes.RunAsync("pull", "--json")).ShouldSucceed().Json.GetProperty("instructions").GetString().ShouldBe("unchanged");
        File.GetLastWriteTimeUtc(_agnes.InWorkspace("CLAUDE.md")).ShouldBe(written);
        foreach (var text in (string[])["# AI Data Analyst, two", "# AI Data Analyst, three"])
        {
            _text = text;
            (await _agnes.RunAsync("pull", "--dry-run")).ShouldSucceed();
            ClaudeMd().ShouldNotBe(text);
            (await _agnes.RunAsync("pull")).ShouldSucceed().Out.ShouldContain("CLAUDE.md updated");
            ClaudeMd().ShouldBe(text);
        }

        File.Delete(_agnes.InWorkspace("CLAUDE.md"));
        (await _agnes.RunAsync("pull", "--quiet")).ShouldSucceed().Out.ShouldBeEmpty();
        ClaudeMd().ShouldBe(_text);
    }

    [Fact]
    public async Task An_edited_text_stays_and_the_servers_lies_beside_it()
    {
        await File.AppendAllTextAsync(_agnes.InWorkspace("CLAUDE.md"), "\nmine");
        _text = "# AI Data Analyst, two";
        (await _agnes.RunAsync("pull")).ShouldSucceed().Out.ShouldContain("was edited here and stays");
        ClaudeMd().ShouldEndWith("mine");
        (await File.ReadAllTextAsync(_agnes.InWorkspace(".claude", "agnes-instructions.md"))).ShouldBe(_text);
        (await _agnes.RunAsync("pull")).ShouldSucceed().Out.ShouldNotContain("CLAUDE.md");
        (await _agnes.RunAsync("init", "--server-url", _server.Url, "--token", FakeServer.Token, "--force")).ShouldSucceed();
        ClaudeMd().ShouldBe(_text);
        (await File.ReadAllTextAsync(Directory.GetFiles(_agnes.Workspace, "CLAUDE.md.bak.*").Single())).ShouldEndWith("mine");
        File.Exists(_agnes.InWorkspace(".claude", "agnes-instructions.md")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_server_without_a_text_for_now_does_not_fail_the_pull()
    {
        _server.Add("orders", Parquet.Number(5));
        _status = 500;
        var pulled = (await _agnes.RunAsync("pull", "--json")).ShouldSucceed();
        pulled.Json.GetProperty("tables_updated").GetInt32().ShouldBe(1);
        pulled.Error.ShouldContain("CLAUDE.md was not refreshed");
        ClaudeMd().ShouldBe(_text);
        File.Delete(_agnes.InWorkspace(".claude", "init-complete"));
        (await _agnes.RunAsync("pull", "--json")).ShouldSucceed().Error.ShouldBeEmpty();
    }

    private string ClaudeMd() => File.ReadAllText(_agnes.InWorkspace("CLAUDE.md"));
}
