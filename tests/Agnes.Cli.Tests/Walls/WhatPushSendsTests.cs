using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Agnes.Cli.Tests.Walls;

/// <summary>Whatever queue, hook or workspace name: what a push sends is a transcript of this workspace, and the user's notes in it. Every secret here says so in its text.</summary>
public sealed class WhatPushSendsTests : IAsyncLifetime
{
    private const string Secret = "SECRET";
    private readonly ConcurrentDictionary<string, string> _sent = new(StringComparer.Ordinal);
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _agnes = new AgnesProgram(_server.Url);
        _agnes.SignIn();
        Directory.CreateDirectory(_agnes.InWorkspace(".claude"));
        _server.Intercept = async context =>
        {
            if (!context.Request.Path.StartsWithSegments("/api/upload")) return false;
            using var reader = new StreamReader(context.Request.Body);
            _sent[$"{context.Request.Path} {_sent.Count}"] = await reader.ReadToEndAsync();
            await FakeServer.JsonAsync(context, 200, "{}");
            return true;
        };
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Nothing_that_a_file_names_leaves_but_transcripts_of_this_workspace()
    {
        var own = _agnes.Transcript("own", $$"""{"type":"mode"}{{"\n"}}{"cwd":"{{_agnes.Workspace}}","text":"own words"}{{"\n"}}""");
        var secret = Path.Combine(_agnes.Home, "secret.jsonl");
        await File.WriteAllTextAsync(secret, Secret);
        var inWorkspace = _agnes.InWorkspace("notes.jsonl");
        await File.WriteAllTextAsync(inWorkspace, Secret);
        var neighbour = Path.Combine(Directory.CreateDirectory(_agnes.TranscriptsOf(_agnes.Workspace + "2")).FullName, "neighbour.jsonl");
        await File.WriteAllTextAsync(neighbour, Secret);
        var link = Path.Combine(_agnes.Transcripts, "link.jsonl");
        File.CreateSymbolicLink(link, secret);
        var viaFolder = Path.Combine(_agnes.Transcripts, "folder");
        Directory.CreateSymbolicLink(viaFolder, _agnes.Home);
        var hard = Path.Combine(_agnes.Transcripts, "hard.jsonl");
        (await RunAsync("ln", secret, hard)).ShouldBe(0);
        var pipe = Path.Combine(_agnes.Transcripts, "pipe.jsonl");
        (await RunAsync("mkfifo", pipe)).ShouldBe(0);
        var other = Path.Combine(_agnes.Transcripts, "settings.json");
        await File.WriteAllTextAsync(other, Secret);
        // The agent's name for a folder is that of others too; the transcript says where it began.
        var shared = _agnes.Transcript("shared", $$"""{"type":"mode"}{{"\n"}}{"type":"user","message":{"cwd":"/x"},"cwd":"{{_agnes.Workspace[..^1]}}","text":"{{Secret}}"}""");
        var whole = _agnes.Transcript("whole", $$"""{"type":"user","cwd":"{{_agnes.Workspace}}/below"}""");
        string[] named =
        [
            own, whole, "/etc/passwd", "/dev/zero", secret, inWorkspace, neighbour, link, Path.Combine(viaFolder, "secret.jsonl"), hard, pipe, other, shared,
            Path.Combine(_agnes.Transcripts, "..", Path.GetFileName(Path.GetDirectoryName(neighbour)!), "neighbour.jsonl"), Path.Combine(_agnes.Transcripts, "..", "..", "..", "secret.jsonl"),
            Path.Combine("..", "home", "secret.jsonl"), _agnes.Transcripts, "\0",
        ];
        await File.WriteAllLinesAsync(_agnes.InWorkspace(".claude", "agnes-sessions.txt"), named.Select((path, index) => $"s{index}\t{path}"));
        var hook = JsonSerializer.Serialize(new Dictionary<string, string> { ["session_id"] = "hook", ["transcript_path"] = secret });
        (await _agnes.RunWithInputAsync(hook, "capture-session")).ShouldSucceed();

        var plan = (await _agnes.RunAsync("push", "--dry-run", "--json")).ShouldSucceed().Json;
        plan.GetProperty("would_upload").GetProperty("sessions").EnumerateArray().Select(path => path.GetString()).ShouldBe([own, whole]);
        var report = (await _agnes.RunAsync("push", "--json")).ShouldSucceed();
        _sent.Count.ShouldBe(2, report.Out);
        _sent.Values.ShouldAllBe(body => !body.Contains(Secret) && !body.Contains("root:"));
        report.Json.GetProperty("sessions").GetInt32().ShouldBe(2);
        report.Json.GetProperty("errors").EnumerateArray().ShouldAllBe(error => error.GetProperty("error").GetString()!.Length > 0);
        File.Exists(_agnes.InWorkspace(".claude", "agnes-sessions.txt")).ShouldBeFalse("what is refused is not tried again");
        (await _agnes.RunAsync("push", "--json", "--legacy-scan")).ShouldSucceed().Json.GetProperty("sessions").GetInt32().ShouldBe(2);
        _sent.Values.ShouldAllBe(body => !body.Contains(Secret));
    }

    /// <summary>The folder of transcripts is that of others too, whose names differ in a character that the agent does not keep.</summary>
    [Fact]
    public async Task A_session_leaves_only_where_it_says_that_it_began_in_this_workspace()
    {
        var secret = $$""","text":"{{Secret}}"}""";
        var link = _agnes.InWorkspace("link");
        Directory.CreateSymbolicLink(link, _agnes.Home);
        var prompt = $$"""{"type":"queue-operation","content":"{{new string('x', 300_000)}}"}""";
        foreach (var (name, text) in ((string, string)[])[
            ("nothing", $$"""{"type":"mode"{{secret}}"""),
            ("empty", ""),
            ("long", $"{prompt}\n{{\"cwd\":\"{_agnes.Home}\"{secret}"),
            ("upwards", $"{{\"cwd\":\"{_agnes.Workspace}/../../other\"{secret}"),
            ("throughLink", $"{{\"cwd\":\"{link}\"{secret}"),
            ("mark", $"\uFEFF{{\"cwd\":\"{_agnes.Home}\"{secret}\n{{\"cwd\":\"{_agnes.Workspace}\"}}"),
            ("list", $"[{{\"cwd\":\"{_agnes.Workspace}\"{secret}]"),
            ("null", $"{{\"cwd\":null{secret}\n{{\"cwd\":7{secret}"),
            ("nul", $"{{\"cwd\":\"{_agnes.Workspace}/\\u0000\"{secret}"),
            ("half", $"{{\"cwd\":\"\\ud800\"{secret}"),
            ("relative", $"{{\"cwd\":\".\"{secret}")])
            _agnes.Transcript(name, text);
        var own = _agnes.Transcript("own", $"{prompt}\n{prompt}{prompt}\n{{\"type\":\"mode\"}}\n{{\"cwd\":\"{_agnes.Workspace}/\",\"text\":\"own\"}}\n{{\"cwd\":\"/x\"}}");

        var report = (await _agnes.RunAsync("push", "--json", "--legacy-scan")).ShouldSucceed();
        _sent.Values.ShouldAllBe(body => !body.Contains(Secret), report.Out);
        report.Json.GetProperty("sessions").GetInt32().ShouldBe(1, report.Out);
        _sent.Values.Single().ShouldContain(Path.GetFileName(own));
        report.Json.GetProperty("errors").GetArrayLength().ShouldBe(11);
    }

    [Theory]
    [InlineData(".claude/CLAUDE.local.md", "home/secret.jsonl")]
    [InlineData(".claude", "home")]
    [InlineData("user/sessions/x.jsonl", "home/secret.jsonl")]
    [InlineData("user/sessions", "home")]
    [InlineData("user", "home/user")]
    public async Task A_link_in_the_workspace_sends_nothing_from_where_it_leads(string link, string target)
    {
        target = Path.Combine(Path.GetDirectoryName(_agnes.Home)!, target);
        foreach (var path in (string[])["secret.jsonl", "CLAUDE.local.md", "user/sessions/secret.jsonl"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_agnes.Home, path))!);
            await File.WriteAllTextAsync(Path.Combine(_agnes.Home, path), Secret);
        }

        link = _agnes.InWorkspace(link.Split('/'));
        if (Directory.Exists(link)) Directory.Delete(link, recursive: true);
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        File.CreateSymbolicLink(link, target);
        (await _agnes.RunAsync("push", "--legacy-scan")).ShouldSucceed();
        _sent.ShouldBeEmpty();
        (await _agnes.RunAsync("push", "--dry-run", "--json", "--legacy-scan")).ShouldSucceed().Json.GetProperty("would_upload").GetProperty("local_md").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task A_transcript_beyond_the_servers_bound_is_not_even_begun()
    {
        var huge = _agnes.Transcript("huge", "");
        await using (var file = new FileStream(huge, FileMode.Open)) file.SetLength((50L << 20) + 1);
        await File.WriteAllTextAsync(_agnes.InWorkspace(".claude", "agnes-sessions.txt"), $"huge\t{huge}\n");
        var report = (await _agnes.RunAsync("push", "--json")).ShouldSucceed().Json;
        report.GetProperty("dropped_permanent").GetInt32().ShouldBe(1);
        report.GetProperty("errors")[0].GetProperty("status").GetInt32().ShouldBe(413);
        _sent.ShouldBeEmpty();
    }

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode;
    }
}
