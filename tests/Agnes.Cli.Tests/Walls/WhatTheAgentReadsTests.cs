using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Agnes.Cli.Tests.Walls;

/// <summary>What the agent's program may read unasked, in the form that it honours: this workspace, never keys and credentials.</summary>
public sealed partial class WhatTheAgentReadsTests : IAsyncLifetime
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
    public async Task A_new_workspace_lets_the_agent_read_itself_and_no_credentials()
    {
        (await Init()).ShouldSucceed();
        var (allow, deny) = Rules();
        allow.Where(rule => !rule.StartsWith("Bash(agnes ", StringComparison.Ordinal)).ShouldBe(["Read(./**)"]);
        allow.ShouldAllBe(rule => !rule.Contains("push") && !rule.Contains("self-upgrade") && !rule.Contains("refresh-marketplace"));
        foreach (var rule in (string[])["Read(~/.ssh/**)", "Read(~/.aws/**)", "Read(~/.config/agnes/**)", "Read(//**/.env)"]) deny.ShouldContain(rule);
        deny.ShouldContain($"Read(//{_agnes.Config.TrimStart('/')}/**)", "the token lies there");
        // A path begins at the home, or with two slashes at the root; one slash would begin at the workspace. Rules on Glob and Grep are not looked at.
        deny.Remove("Bash(agnes query *--allow-files*)").ShouldBeTrue("the option would open other folders to the allowed command");
        foreach (var rule in deny) PathRule().IsMatch(rule).ShouldBeTrue(rule);
    }

    [Fact]
    public async Task What_an_earlier_version_allowed_is_narrowed_once_and_what_the_user_wrote_stays()
    {
        Directory.CreateDirectory(_agnes.InWorkspace(".claude"));
        await File.WriteAllTextAsync(_agnes.InWorkspace(".claude", "settings.json"), """
            {"permissions":{"allow":["Read","Grep","Glob","Bash(agnes catalog:*)","Bash(ls:*)","Read(~/data/**)"],"deny":["WebFetch"]},"hooks":{}}
            """);
        (await Init()).ShouldSucceed().Error.ShouldContain("reads this folder");
        var (allow, deny) = Rules();
        allow.Intersect(["Read", "Grep", "Glob"]).ShouldBeEmpty();
        foreach (var kept in (string[])["Bash(ls:*)", "Read(~/data/**)", "Read(./**)"]) allow.ShouldContain(kept);
        deny[0].ShouldBe("WebFetch");
        deny.ShouldContain("Read(~/.ssh/**)");

        // Put back by hand, and one denial lifted: both are the user's, and said aloud.
        var settings = JsonNode.Parse(await File.ReadAllTextAsync(_agnes.InWorkspace(".claude", "settings.json")))!;
        settings["permissions"]!["allow"]!.AsArray().Add((JsonNode)"Read");
        settings["permissions"]!["deny"]!.AsArray().Remove(settings["permissions"]!["deny"]!.AsArray().Single(rule => (string?)rule == "Read(//**/.env)"));
        await File.WriteAllTextAsync(_agnes.InWorkspace(".claude", "settings.json"), settings.ToJsonString());
        (await Init("--force")).ShouldSucceed().Error.ShouldContain("everywhere");
        Rules().Allow.ShouldContain("Read");
        Rules().Deny.ShouldNotContain("Read(//**/.env)");
    }

    [Fact]
    public async Task A_broad_rule_in_settings_that_were_never_ours_is_kept_and_warned_of()
    {
        Directory.CreateDirectory(_agnes.InWorkspace(".claude"));
        await File.WriteAllTextAsync(_agnes.InWorkspace(".claude", "settings.json"), """{"permissions":{"allow":["Read"]}}""");
        (await Init()).ShouldSucceed().Error.ShouldContain("everywhere");
        Rules().Allow[0].ShouldBe("Read");
        Rules().Deny.ShouldContain("Read(~/.ssh/**)");
    }

    /// <summary>Settings that are there already say nothing of what we once wrote: only our own note does.</summary>
    [Theory]
    [InlineData("""{"permissions":{"allow":["Read(./**)"],"deny":["Read(~/.ssh/**)"]}}""")]
    [InlineData("""{"permissions":{"allow":["Read(./**)","Bash(agnes query:*)"]},"hooks":{}}""")]
    public async Task Every_denial_is_written_once_whatever_was_there(string settings)
    {
        (await Init()).ShouldSucceed();
        var all = Rules().Deny;
        using var other = new AgnesProgram();
        // The same workspace as it came to somebody else, with all that is in it.
        Directory.CreateDirectory(Path.Combine(other.Workspace, ".claude"));
        foreach (var file in Directory.GetFiles(_agnes.InWorkspace(".claude"))) File.Copy(file, Path.Combine(other.Workspace, ".claude", Path.GetFileName(file)));
        await File.WriteAllTextAsync(other.InWorkspace(".claude", "settings.json"), settings);
        (await other.RunAsync("init", "--force", "--server-url", _server.Url, "--token", FakeServer.Token)).ShouldSucceed();
        all.Where(rule => !rule.Contains(_agnes.Config, StringComparison.Ordinal)).Except(Rules(other).Deny).ShouldBeEmpty();

        // A new one of a later version comes even where the user lifted some.
        await File.WriteAllTextAsync(_agnes.InWorkspace(".claude", "settings.json"), """{"permissions":{"deny":["Read(~/.ssh/**)"]}}""");
        var notes = Path.Combine(_agnes.Config, "agent-rules.json");
        var known = JsonNode.Parse(await File.ReadAllTextAsync(notes))!;
        var written = known.AsObject().Single().Value!.AsArray();
        written.Remove(written.Single(rule => (string?)rule == "Read(~/.netrc)"));
        await File.WriteAllTextAsync(notes, known.ToJsonString());
        (await Init("--force")).ShouldSucceed();
        Rules().Deny.ShouldBe(["Read(~/.ssh/**)", "Read(~/.netrc)"]);
        // Settings that are made anew are whole.
        File.Delete(_agnes.InWorkspace(".claude", "settings.json"));
        (await Init("--force")).ShouldSucceed();
        Rules().Deny.ShouldBe(all, ignoreOrder: true);
    }

    [Theory]
    [InlineData("Read(**)")]
    [InlineData("Read(//**)")]
    [InlineData("Read(~/**)")]
    [InlineData("Read(/etc/**)")]
    [InlineData("Read(*)")]
    [InlineData("Read(./../**)")]
    [InlineData("Grep(*)")]
    [InlineData("Glob(//**)")]
    public async Task A_permission_to_read_elsewhere_is_said(string rule)
    {
        Directory.CreateDirectory(_agnes.InWorkspace(".claude"));
        await File.WriteAllTextAsync(_agnes.InWorkspace(".claude", "settings.json"), $$$"""{"permissions":{"allow":["{{{rule}}}","Read(./data/**)"]}}""");
        (await Init()).ShouldSucceed().Error.ShouldContain($"({rule})");
        Rules().Allow.ShouldContain(rule);
    }

    private Task<Outcome> Init(params string[] more) => _agnes.RunAsync(["init", "--server-url", _server.Url, "--token", FakeServer.Token, .. more]);

    private (List<string> Allow, List<string> Deny) Rules(AgnesProgram? of = null)
    {
        var permissions = JsonNode.Parse(File.ReadAllText((of ?? _agnes).InWorkspace(".claude", "settings.json")))!["permissions"]!;
        return ([.. permissions["allow"]!.AsArray().Select(rule => (string)rule!)], [.. permissions["deny"]!.AsArray().Select(rule => (string)rule!)]);
    }

    [GeneratedRegex(@"\ARead\((~/|//)[^()]+\)\z")]
    private static partial Regex PathRule();
}
