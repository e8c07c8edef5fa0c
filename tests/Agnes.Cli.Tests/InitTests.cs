using System.Text.Json;

namespace Agnes.Cli.Tests;

public sealed class InitTests : IAsyncLifetime
{
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;

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
    [Trait(AgnesProgram.Packed, AgnesProgram.Sample)]
    public async Task A_folder_becomes_a_workspace_with_its_tables()
    {
        _server.Add("orders", Parquet.Number(7));
        var outcome = await Init();
        outcome.ShouldSucceed().Out.ShouldContain("Tables: 1 of 1");
        (await File.ReadAllTextAsync(_agnes.InWorkspace("CLAUDE.md"))).ShouldContain("AI Data Analyst");
        foreach (var path in (string[])["AGNES_WORKSPACE.md", ".claude/settings.json", ".claude/CLAUDE.local.md", ".claude/init-complete", "user/duckdb/analytics.duckdb"]) File.Exists(_agnes.InWorkspace(path)).ShouldBeTrue(path);
        (await File.ReadAllLinesAsync(_agnes.InWorkspace(".claude", "init-complete"))).Select(line => line.Split(':')[0]).ShouldBe(["completed_at", "agnes_version", "server_url"]);
        (await _agnes.RunAsync("query", "FROM orders", "-f", "csv")).ShouldSucceed().Out.ShouldBe("n\n7\n");
        (await _agnes.RunAsync("status", "--json")).ShouldSucceed().Json.GetProperty("initialized").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task The_agent_may_run_our_reading_commands_and_no_shell()
    {
        (await Init()).ShouldSucceed();
        var allowed = JsonDocument.Parse(await File.ReadAllTextAsync(_agnes.InWorkspace(".claude", "settings.json"))).RootElement
            .GetProperty("permissions").GetProperty("allow").EnumerateArray().Select(rule => rule.GetString()!).ToList();
        allowed.ShouldContain("Bash(agnes query:*)");
        allowed.ShouldContain("Bash(agnes catalog:*)");
        allowed.ShouldNotContain("Bash");
        allowed.ShouldAllBe(rule => !rule.Contains("admin") && !rule.Contains("auth") && !rule.Contains("Bash(agnes:"));
    }

    [Fact]
    public async Task No_grants_leave_no_folders_for_data()
    {
        (await Init()).ShouldSucceed();
        Directory.Exists(_agnes.InWorkspace("server")).ShouldBeFalse();
        Directory.Exists(_agnes.InWorkspace(".claude", "rules")).ShouldBeFalse();
        File.Exists(_agnes.InWorkspace("user", "duckdb", "analytics.duckdb")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_bad_token_or_server_leaves_nothing_behind()
    {
        var refused = (await _agnes.RunAsync("init", "--server-url", _server.Url, "--token", "BAD")).ShouldFail(1).Error;
        refused.ShouldContain("auth_failed");
        refused.ShouldContain("(HTTP 401)");
        (await _agnes.RunAsync("init", "--server-url", "http://127.0.0.1:9", "--token", FakeServer.Token)).ShouldFail(1).Error.ShouldContain("server_unreachable");
        _server.Intercept = async context =>
        {
            await FakeServer.JsonAsync(context, 503, """{"detail":"starting"}""");
            return true;
        };
        (await Init()).ShouldFail(1).Error.ShouldContain("503");
        (await _agnes.RunAsync("init", "--server-url", "example.com", "--token", "x")).ShouldFail(2).Error.ShouldContain("https://");
        Directory.EnumerateFileSystemEntries(_agnes.Workspace).ShouldBeEmpty();
        Directory.EnumerateFiles(_agnes.Config).Select(Path.GetFileName).Except(["last-error.log"]).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_interrupted_init_is_continued_and_a_finished_one_is_not_repeated_unless_forced()
    {
        (await Init()).ShouldSucceed();
        (await Init()).ShouldFail(1).Error.ShouldContain("partial_state");
        File.Delete(_agnes.InWorkspace(".claude", "init-complete"));
        (await Init()).ShouldSucceed().Error.ShouldContain("continuing");

        await File.AppendAllTextAsync(_agnes.InWorkspace(".claude", "CLAUDE.local.md"), "mine");
        await File.AppendAllTextAsync(_agnes.InWorkspace("CLAUDE.md"), "edited");
        (await Init("--force")).ShouldSucceed();
        (await File.ReadAllTextAsync(_agnes.InWorkspace(".claude", "CLAUDE.local.md"))).ShouldEndWith("mine");
        (await File.ReadAllTextAsync(Directory.GetFiles(_agnes.Workspace, "CLAUDE.md.bak.*").Single())).ShouldEndWith("edited");
        (await File.ReadAllTextAsync(_agnes.InWorkspace("CLAUDE.md"))).ShouldNotEndWith("edited");
    }

    [Fact]
    public async Task Settings_of_the_user_are_left_alone_even_broken_ones()
    {
        Directory.CreateDirectory(_agnes.InWorkspace(".claude"));
        await File.WriteAllTextAsync(_agnes.InWorkspace(".claude", "settings.json"), "{broken");
        (await Init()).ShouldSucceed().Error.ShouldContain("settings.json");
        (await File.ReadAllTextAsync(_agnes.InWorkspace(".claude", "settings.json"))).ShouldBe("{broken");
    }

    [Fact]
    public async Task The_given_token_counts_and_not_a_stored_one()
    {
        _agnes.SignIn("stale.stored.token");
        (await Init()).ShouldSucceed();
        (await File.ReadAllTextAsync(Path.Combine(_agnes.Config, "token.json"))).ShouldContain(FakeServer.Token);
    }

    [Fact]
    public async Task The_servers_own_instructions_are_taken_where_it_has_some()
    {
        _server.Intercept = async context =>
        {
            if (context.Request.Path != "/api/welcome") return false;
            await FakeServer.JsonAsync(context, 200, """{"content":"# AI Data Analyst of Example Inc."}""");
            return true;
        };
        (await Init()).ShouldSucceed();
        (await File.ReadAllTextAsync(_agnes.InWorkspace("CLAUDE.md"))).ShouldBe("# AI Data Analyst of Example Inc.");
    }

    [Fact]
    public async Task Places_that_are_no_workspace_are_refused()
    {
        foreach (var place in (string[])["/", "/etc", "/tmp", Path.GetDirectoryName(_agnes.Workspace)! + "/home"])
        {
            (await _agnes.RunAsync("init", "--server-url", _server.Url, "--token", FakeServer.Token, "--workspace", place)).ShouldFail(2).Error.ShouldContain("no place for a workspace");
        }

        foreach (var name in (string[])[".git", ".ssh"])
        {
            var place = Directory.CreateDirectory(_agnes.InWorkspace(name, "sub")).FullName;
            (await _agnes.RunAsync("init", "--server-url", _server.Url, "--token", FakeServer.Token, "--workspace", place)).ShouldFail(2).Error.ShouldContain("no place for a workspace");
        }

        using var home = new Testing.TemporaryFolder();
        Directory.CreateSymbolicLink(_agnes.InWorkspace(".claude"), home.Path);
        (await Init()).ShouldFail(2).Error.ShouldContain("is a link to");
        Directory.EnumerateFileSystemEntries(home.Path).ShouldBeEmpty();
        _server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_server_is_told_who_was_introduced_and_an_init_does_not_depend_on_it()
    {
        (await Init()).ShouldSucceed();
        _server.Requests.ShouldContain("POST /api/me/onboarded");
        (await _agnes.RunAsync("onboarded", "on")).ShouldFail(2);
        _server.Intercept = async context =>
        {
            await FakeServer.JsonAsync(context, 200, """{"status":"ok","onboarded":false}""");
            return true;
        };
        (await _agnes.RunAsync("onboarded", "off")).ShouldSucceed();
        (await _agnes.RunAsync("onboarded", "status")).ShouldSucceed().Out.ShouldBe("not onboarded\n");
    }

    [Fact]
    public async Task A_folder_below_a_workspace_means_that_workspace()
    {
        _server.Add("orders", Parquet.Number(3));
        (await Init()).ShouldSucceed();
        var below = Directory.CreateDirectory(_agnes.InWorkspace("work", "deep")).FullName;
        using var query = _agnes.Start(["query", "FROM orders", "-f", "csv"], directory: below);
        (await AgnesProgram.FinishAsync(query)).ShouldSucceed().Out.ShouldBe("n\n3\n");
        using var pull = _agnes.Start(["pull"], directory: below);
        (await AgnesProgram.FinishAsync(pull)).ShouldSucceed();
        Directory.EnumerateFileSystemEntries(below).ShouldBeEmpty();
    }

    private Task<Outcome> Init(params string[] more) => _agnes.RunAsync(["init", "--server-url", _server.Url + "/", "--token", FakeServer.Token, .. more]);
}
