using Microsoft.AspNetCore.Http;

namespace Agnes.Cli.Tests;

/// <summary><c>agnes admin jira</c>: what it asks the server for, that it waits for the end of a job, and what its exit says.</summary>
public sealed class JiraAdminTests : IAsyncLifetime
{
    private readonly List<string> _started = [];
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;
    private string _end = "ok";
    private int _looks;

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

    [Theory]
    [InlineData("backfill", """POST /api/admin/jira/backfill {"skip_existing":true,"remote_links":false,"dry_run":false}""")]
    [InlineData("backfill|--jql|project = A|--no-skip-existing",
        """POST /api/admin/jira/backfill {"skip_existing":false,"remote_links":false,"dry_run":false,"jql":"project = A"}""")]
    [InlineData("backfill|--issue-keys|A-1, B-2|--dry-run",
        """POST /api/admin/jira/backfill {"skip_existing":true,"remote_links":false,"dry_run":true,"issue_keys":["A-1","B-2"]}""")]
    [InlineData("sla-poll|--missing", """POST /api/admin/jira/sla-poll {"missing":true,"dry_run":false}""")]
    [InlineData("check|--max-age-days|90|--no-auto-fix",
        """POST /api/admin/jira/consistency {"max_age_days":90,"auto_fix":false,"dry_run":false}""")]
    public async Task A_job_is_started_and_its_end_is_the_answer(string arguments, string request)
    {
        (await _agnes.RunAsync(["admin", "jira", .. arguments.Split('|')])).ShouldSucceed().Out.ShouldContain("downloaded: 3");
        _started.ShouldBe([request]);
        _looks.ShouldBeGreaterThan(1, "it was still going on at the first look");
    }

    [Fact]
    public async Task What_was_not_done_whole_fails_and_says_why()
    {
        _end = "partial";
        var run = await _agnes.RunAsync(["admin", "jira", "check"]);
        run.ExitCode.ShouldBe(1);
        run.Error.ShouldContain("2 issues could not be fetched.");
    }

    [Fact]
    public async Task The_status_shows_what_came_and_what_waits()
    {
        var shown = (await _agnes.RunAsync(["admin", "jira", "status"])).ShouldSucceed().Out;
        foreach (var text in (string[])["domain: site.example.com", "deliveries.taken: 7", "fetches.waiting: 4",
            "jira-backfill"]) shown.ShouldContain(text);
    }

    private async Task<bool> AnswerAsync(HttpContext context)
    {
        if (context.Request.Method == "POST")
        {
            _started.Add($"POST {context.Request.Path} {await new StreamReader(context.Request.Body).ReadToEndAsync()}");
            await FakeServer.JsonAsync(context, 200, """{"status":"started","run_id":"r1"}""");
            return true;
        }

        var isEnded = ++_looks > 1;
        var (status, ended) = isEnded ? (_end, "\"2026-11-30T10:00:00\"") : ("running", "null");
        await FakeServer.JsonAsync(context, 200, $$"""
            {"domain":"site.example.com","webhook_secret_set":true,"api_configured":true,"sla_configured":false,
            "deliveries":{"taken":7},"events":null,"fetches":{"waiting":4},
            "jobs":[{"run_id":"r1","kind":"jira-backfill","status":"{{status}}","trigger":"api",
            "created_at":"2026-11-30T09:00:00","finished_at":{{ended}},
            "error":{{(_end == "partial" ? "\"2 issues could not be fetched.\"" : "null")}},"result":{"downloaded":3} }]}
            """);
        return true;
    }
}
