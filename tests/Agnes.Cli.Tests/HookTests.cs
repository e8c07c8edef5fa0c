using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Testing;
using Microsoft.AspNetCore.Http;

namespace Agnes.Cli.Tests;

/// <summary>The hooks that init writes, run as the agent runs them: JSON on stdin, the workspace as current folder, through a shell and without one.</summary>
public sealed class HookTests : IAsyncLifetime
{
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _server.Add("orders", Parquet.Number(1));
        _agnes = new AgnesProgram();
        (await Init()).ShouldSucceed();
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public void The_settings_hold_our_hooks_and_status_line()
    {
        var settings = Settings();
        Commands(settings, "SessionStart")[0].ShouldContain("agnes capture-session");
        Commands(settings, "SessionStart").ShouldContain(command => command.Contains("agnes pull --quiet"));
        Commands(settings, "SessionEnd").Single().ShouldContain("agnes push --quiet");
        Commands(settings, "SessionStart").Concat(Commands(settings, "SessionEnd")).ShouldAllBe(command => command.StartsWith("bash -c \"") && command.EndsWith('"') && command.Substring(9, command.Length - 10).IndexOf('"') < 0);
        ((string?)settings["statusLine"]!["command"]).ShouldBe("agnes statusline");
        File.ReadAllText(_agnes.InWorkspace(".claude", "commands", "agnes-private.md")).ShouldStartWith("---\ndescription: ");
    }

    [Fact]
    public async Task What_others_put_into_the_settings_stays_and_ours_is_there_once()
    {
        var path = _agnes.InWorkspace(".claude", "settings.json");
        await File.WriteAllTextAsync(path, """
            {"env":{"A":"b"},"hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"mine"}]},{"hooks":[{"type":"command","command":"da sync"}]},
            {"matcher":"startup","hooks":[{"type":"command","command":"agnes pull"},{"type":"command","command":"foreign"}]}],"Stop":[{"hooks":[{"type":"command","command":"beep"}]}]},
            "permissions":{"deny":["WebFetch"],"allow":["Bash(ls:*)"]},"statusLine":{"type":"command","command":"mine"},"last":1}
            """);
        (await Init("--force")).ShouldSucceed().Error.ShouldContain("status line");
        var first = await File.ReadAllTextAsync(path);
        first.ShouldEndWith("}\n");
        var settings = Settings();
        settings.Select(entry => entry.Key).ShouldBe(["env", "hooks", "permissions", "statusLine", "last"]);
        var start = Commands(settings, "SessionStart");
        start.Count(command => command == "mine").ShouldBe(1);
        start.ShouldContain("foreign");
        start.ShouldNotContain("da sync");
        start.Count(command => command.Contains("agnes capture-session")).ShouldBe(1);
        Commands(settings, "Stop").ShouldBe(["beep"]);
        ((string?)settings["statusLine"]!["command"]).ShouldBe("mine");
        ((string?)settings["permissions"]!["deny"]![0]).ShouldBe("WebFetch");
        settings["permissions"]!["allow"]!.AsArray().Select(rule => (string)rule!).ShouldContain("Bash(agnes query:*)");
        (await Init("--force")).ShouldSucceed();
        (await File.ReadAllTextAsync(path)).ShouldBe(first);
    }

    [Theory]
    [InlineData("""[1,2]""")]
    [InlineData("""{"hooks":{"SessionStart":"text"},"permissions":{"allow":[]}}""")]
    [InlineData("""{"hooks":[],"permissions":[]}""")]
    public async Task Settings_of_an_unknown_form_keep_it(string content)
    {
        var path = _agnes.InWorkspace(".claude", "settings.json");
        await File.WriteAllTextAsync(path, content);
        (await Init("--force")).ShouldSucceed().Error.ShouldContain("settings.json");
        using var before = JsonDocument.Parse(content);
        using var after = JsonDocument.Parse(await File.ReadAllTextAsync(path));
        if (before.RootElement.ValueKind == JsonValueKind.Array) after.RootElement.GetRawText().ShouldBe(content);
        else JsonElement.DeepEquals(after.RootElement.GetProperty("hooks"), before.RootElement.GetProperty("hooks")).ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait(AgnesProgram.Packed, AgnesProgram.Sample)]
    public async Task A_session_with_a_good_server_is_captured_pulled_and_pushed_without_a_word(bool throughShell)
    {
        _server.Add("orders", Parquet.Number(2));
        var uploaded = new TaskCompletionSource<string>();
        _server.Intercept = async context =>
        {
            if (context.Request.Path != "/api/upload/sessions") return false;
            uploaded.TrySetResult((await context.Request.ReadFormAsync()).Files.Single().FileName);
            await FakeServer.JsonAsync(context, 200, "{}");
            return true;
        };
        var transcript = _agnes.Transcript("live", $$"""{"cwd":"{{_agnes.Workspace}}"}""");
        await RunAllAsync("SessionStart", transcript, throughShell);
        (await _agnes.RunAsync("query", "FROM orders", "-f", "csv")).ShouldSucceed().Out.ShouldBe("n\n2\n");
        await RunAllAsync("SessionEnd", transcript, throughShell);
        (await uploaded.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken)).ShouldBe("live.jsonl");
        await PushEndedAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_is_down_neither_blocks_nor_speaks(bool throughShell)
    {
        _agnes.Elsewhere("http://127.0.0.1:9");
        var transcript = _agnes.Transcript("lost", $$"""{"cwd":"{{_agnes.Workspace}}"}""");
        await RunAllAsync("SessionStart", transcript, throughShell);
        await RunAllAsync("SessionEnd", transcript, throughShell);
        await PushEndedAsync();
        File.ReadAllText(_agnes.InWorkspace(".claude", "agnes-sessions.txt")).ShouldContain(transcript);
        (await _agnes.RunAsync("query", "FROM orders", "-f", "csv")).ShouldSucceed().Out.ShouldBe("n\n1\n");
    }

    [Fact]
    public async Task A_server_that_does_not_answer_holds_a_session_up_for_a_bounded_time_and_its_end_not_at_all()
    {
        using var silent = new CancellationTokenSource();
        _server.Intercept = async context =>
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(silent.Token, context.RequestAborted);
            await Task.Delay(Timeout.Infinite, either.Token).ContinueWith(_ => Task.CompletedTask, TaskScheduler.Default);
            return true;
        };
        // As in the hook, with a shorter wait.
        var pull = (await _agnes.RunAsync("pull", "--quiet", "--within", "1")).ShouldFail(1);
        pull.Out.ShouldBeEmpty();
        pull.Error.ShouldContain("within 1 s");
        Commands(Settings(), "SessionStart").ShouldContain(command => command.Contains("--within 20 "));
        var started = Stopwatch.GetTimestamp();
        await RunAllAsync("SessionEnd", Path.Combine(_agnes.Config, "none.jsonl"), throughShell: true);
        Stopwatch.GetElapsedTime(started).ShouldBeLessThan(MachineLoad.Allow(TimeSpan.FromSeconds(15)));
        await silent.CancelAsync();
        await PushEndedAsync();
    }

    private Task<Outcome> Init(params string[] more) => _agnes.RunAsync(["init", "--server-url", _server.Url, "--token", FakeServer.Token, .. more]);

    private JsonObject Settings() => JsonNode.Parse(File.ReadAllText(_agnes.InWorkspace(".claude", "settings.json")))!.AsObject();

    private static List<string> Commands(JsonObject settings, string name) =>
        [.. settings["hooks"]![name]!.AsArray().SelectMany(entry => entry!["hooks"]!.AsArray()).Select(hook => (string)hook!["command"]!)];

    private async Task RunAllAsync(string name, string transcript, bool throughShell)
    {
        var input = new JsonObject { ["session_id"] = "live", ["transcript_path"] = transcript, ["cwd"] = _agnes.Workspace, ["hook_event_name"] = name, ["source"] = "startup" }.ToJsonString();
        foreach (var command in Commands(Settings(), name))
        {
            // Without a shell the agent itself splits the line: program, option, and what the quotes hold.
            using var process = throughShell ? _agnes.StartProgram("/bin/sh", ["-c", command]) : _agnes.StartProgram("bash", ["-c", command[9..^1]]);
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            (await AgnesProgram.FinishAsync(process)).ShouldBe(new Outcome(0, "", ""), command);
        }
    }

    /// <summary>The push runs on after its hook; the workspace must not be removed under it.</summary>
    private async Task PushEndedAsync()
    {
        var queue = _agnes.InWorkspace(".claude");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            try
            {
                await using var taken = new FileStream(Path.Combine(queue, "agnes-push.lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
                if (!Directory.EnumerateFiles(queue, "agnes-sessions.snapshot.*").Any()) return;
            }
            catch (IOException)
            {
                // Still at work, or not begun.
            }

            await Task.Delay(25, limit.Token);
        }
    }
}
