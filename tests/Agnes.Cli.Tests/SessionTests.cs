using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Agnes.Cli.Tests;

/// <summary>Captured sessions: noted by a hook, marked private by their user, uploaded by a push.</summary>
public sealed class SessionTests : IAsyncLifetime
{
    private readonly ConcurrentDictionary<string, string> _uploads = new(StringComparer.Ordinal);
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;
    private Func<string, int> _status = _ => 200;

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _agnes = new AgnesProgram(_server.Url);
        _agnes.SignIn();
        _server.Intercept = AnswerAsync;
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_session_is_noted_and_nothing_is_said()
    {
        var outcome = await Capture("""{"session_id":"S","transcript_path":"/x/S.jsonl","hook_event_name":"SessionStart","source":"startup"}""");
        outcome.Out.ShouldBeEmpty();
        outcome.Error.ShouldBeEmpty();
        Queue().ShouldBe("S\t/x/S.jsonl\n");
        foreach (var (input, expected) in ((string, string)[])[("garbage", "bad_json"), ("", "empty_stdin"), ("[1]", "not_object"), ("{}", "no_transcript_path"), ("""{"transcript_path":7}""", "no_transcript_path"), ("\uFEFF" + """{"transcript_path":"/x/T.jsonl"}""", "ok")])
        {
            var told = (await _agnes.RunWithInputAsync(input, "capture-session", "--verbose")).ShouldSucceed();
            told.Out.ShouldBeEmpty();
            told.Error.ShouldContain(expected);
            File.ReadLines(Claude("agnes-capture-session.log")).Last().Split('\t')[1].ShouldBe(expected);
        }

        Queue().ShouldBe("S\t/x/S.jsonl\n\t/x/T.jsonl\n");
    }

    [Fact]
    public async Task Many_hooks_at_once_lose_no_line()
    {
        await Task.WhenAll(Enumerable.Range(0, 12).Select(index => Capture($$"""{"session_id":"s{{index}}","transcript_path":"/x/s{{index}}.jsonl"}""")));
        Queue().Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal).ShouldBe(Enumerable.Range(0, 12).Select(index => $"s{index}\t/x/s{index}.jsonl").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_private_session_is_shown_and_never_uploaded()
    {
        (await _agnes.RunAsync("mark-private")).ShouldFail(1).Error.ShouldContain("CLAUDE_CODE_SESSION_ID");
        _agnes.Environment["CLAUDE_CODE_SESSION_ID"] = "S";
        (await _agnes.RunAsync("mark-private")).ShouldSucceed();
        (await _agnes.RunAsync("mark-private")).ShouldSucceed().Out.ShouldContain("already");
        File.ReadAllText(Claude("agnes-sessions-private.txt")).ShouldBe("S\n");
        (await _agnes.RunWithInputAsync("""{"session_id":"S"}""", "statusline")).ShouldSucceed().Out.ShouldBe("🔒 agnes-private\n");
        (await _agnes.RunWithInputAsync("""{"session_id":"other"}""", "statusline")).ShouldSucceed().Out.ShouldBeEmpty();
        (await Capture("""{"session_id":"S","transcript_path":"/x/S.jsonl"}""")).Out.ShouldBeEmpty();
        File.Exists(Claude("agnes-sessions.txt")).ShouldBeFalse();

        Enqueue(("S", Transcript("S")), ("T", Transcript("T")));
        var report = (await _agnes.RunAsync("push", "--json")).ShouldSucceed().Json;
        report.GetProperty("sessions").GetInt32().ShouldBe(1);
        report.GetProperty("private_skipped").GetInt32().ShouldBe(1);
        _uploads.Keys.ShouldBe(["T.jsonl"]);
        File.ReadAllText(Claude("agnes-sessions-private-skipped.txt")).ShouldContain("\tS\t");
        File.Exists(Claude("agnes-sessions.txt")).ShouldBeFalse();
        (await _agnes.RunAsync("status", "--json")).ShouldSucceed().Json.GetProperty("sessions_pending_upload").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task The_status_line_touches_nothing_and_survives_anything()
    {
        foreach (var input in (string[])["", "garbage", "[]", """{"session_id":5}"""]) (await _agnes.RunWithInputAsync(input, "statusline")).ShouldSucceed().ShouldBe(new Outcome(0, "", ""));
        Directory.EnumerateFileSystemEntries(_agnes.Workspace).ShouldBeEmpty();
        _server.Add("t", Parquet.Number(1));
        (await _agnes.RunAsync("pull")).ShouldSucceed();
        (await _agnes.RunWithInputAsync("{}", "statusline")).ShouldSucceed().Out.ShouldBe("agnes: pulled moments ago\n");
        File.SetLastWriteTimeUtc(Claude("agnes-sync-state.json"), DateTime.UtcNow.AddDays(-3));
        (await _agnes.RunWithInputAsync("{}", "statusline")).ShouldSucceed().Out.ShouldBe("⚠ agnes: pulled 3 days ago (agnes pull)\n");
    }

    [Fact]
    public async Task Each_answer_of_the_server_decides_what_becomes_of_an_entry()
    {
        _status = name => name switch { "big.jsonl" => 413, "busy.jsonl" => 503, "late.jsonl" => 429, _ => 200 };
        Enqueue(("a", Transcript("a")), ("big", Transcript("big")), ("busy", Transcript("busy")), ("late", Transcript("late")), ("gone", Path.Combine(_agnes.Transcripts, "gone.jsonl")), ("a", Transcript("a")));
        await File.WriteAllTextAsync(Claude("agnes-sessions.snapshot.1.0123abcd.txt"), $"{Transcript("old")}\n");
        await File.WriteAllTextAsync(Claude("CLAUDE.local.md"), "my notes");
        var outcome = (await _agnes.RunAsync("push", "--json")).ShouldSucceed();
        var report = outcome.Json;
        report.GetProperty("sessions").GetInt32().ShouldBe(2);
        report.GetProperty("local_md").GetBoolean().ShouldBeTrue();
        report.GetProperty("skipped").GetInt32().ShouldBe(1);
        report.GetProperty("dropped_permanent").GetInt32().ShouldBe(1);
        report.GetProperty("errors").EnumerateArray().Count(error => error.TryGetProperty("status", out _)).ShouldBe(3);
        File.ReadAllText(Claude("agnes-sessions-failed.txt")).ShouldContain("\tbig\t413\t");
        Queue().ShouldBe($"busy\t{Transcript("busy")}\nlate\t{Transcript("late")}\n");
        File.ReadLines(Claude("agnes-sessions-uploaded.txt")).Select(line => Path.GetFileName(line.Split('\t')[1])).ShouldBe(["old.jsonl", "a.jsonl"]);
        _uploads["a.jsonl"].ShouldBe(TextOf("a"));
        Directory.EnumerateFiles(Claude(), "agnes-sessions.snapshot.*").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_refused_token_or_an_absent_server_keeps_everything()
    {
        _status = _ => 401;
        Enqueue(("a", Transcript("a")), ("b", Transcript("b")));
        (await _agnes.RunAsync("push", "--quiet")).ShouldSucceed().Error.ShouldContain("401");
        _uploads.ShouldBeEmpty();
        Queue().ShouldBe($"a\t{Transcript("a")}\nb\t{Transcript("b")}\n");
        _agnes.Elsewhere("http://127.0.0.1:9");
        (await _agnes.RunAsync("push", "--json")).ShouldSucceed().Json.GetProperty("errors")[0].GetProperty("error").GetString().ShouldNotBeNullOrEmpty();
        Queue().ShouldBe($"a\t{Transcript("a")}\nb\t{Transcript("b")}\n");
        _agnes.Elsewhere(null);
        File.Delete(Path.Combine(_agnes.Config, "token.json"));
        (await _agnes.RunAsync("push", "--quiet")).ShouldFail(1).Error.ShouldContain("auth_failed");
    }

    [Fact]
    public async Task A_dry_run_and_a_push_beside_another_change_nothing()
    {
        Enqueue(("a", Transcript("a")));
        var plan = (await _agnes.RunAsync("push", "--dry-run", "--json")).ShouldSucceed().Json;
        plan.GetProperty("would_upload").GetProperty("sessions")[0].GetString().ShouldBe(Transcript("a"));
        plan.GetProperty("summary").GetProperty("sessions_count").GetInt32().ShouldBe(1);
        using (new FileStream(Claude("agnes-push.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            (await _agnes.RunAsync("push", "--json")).ShouldSucceed().Json.GetProperty("skipped").GetString().ShouldBe("locked");
        }

        _uploads.ShouldBeEmpty();
        Queue().ShouldBe($"a\t{Transcript("a")}\n");
        using var elsewhere = new AgnesProgram(_server.Url);
        elsewhere.SignIn();
        (await elsewhere.RunAsync("push")).ShouldSucceed();
        Directory.EnumerateFileSystemEntries(elsewhere.Workspace).ShouldBeEmpty();
    }

    private Task<Outcome> Capture(string input) => _agnes.RunWithInputAsync(input, "capture-session");

    private string Claude(params string[] parts) => _agnes.InWorkspace([".claude", .. parts]);

    private string Queue() => File.ReadAllText(Claude("agnes-sessions.txt"));

    private string Transcript(string name) => _agnes.Transcript(name, TextOf(name));

    private string TextOf(string name) => $$"""{"cwd":"{{_agnes.Workspace}}","text":"transcript of {{name}}"}""";

    private void Enqueue(params (string Id, string Path)[] entries)
    {
        Directory.CreateDirectory(Claude());
        File.WriteAllLines(Claude("agnes-sessions.txt"), entries.Select(entry => $"{entry.Id}\t{entry.Path}"));
    }

    private async Task<bool> AnswerAsync(HttpContext context)
    {
        if (context.Request.Path == "/api/upload/local-md")
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body);
            body.RootElement.GetProperty("content").GetString().ShouldBe("my notes");
            await FakeServer.JsonAsync(context, 200, """{"status":"ok"}""");
            return true;
        }

        if (context.Request.Path != "/api/upload/sessions") return false;
        var form = await context.Request.ReadFormAsync();
        var file = form.Files.Single();
        var status = _status(file.FileName);
        if (status == 200)
        {
            using var reader = new StreamReader(file.OpenReadStream());
            _uploads[file.FileName] = await reader.ReadToEndAsync();
        }

        await FakeServer.JsonAsync(context, status, """{"status":"ok"}""");
        return true;
    }
}
