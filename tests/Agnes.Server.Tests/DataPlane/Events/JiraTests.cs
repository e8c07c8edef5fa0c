using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Features.Sources.Events;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.DataPlane.Events;

/// <summary>What Jira sends is kept, seen at once, folded into months, and seen once whatever happens.</summary>
public sealed class JiraTests(Postgres postgres)
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, State.OnBothEngines]
    public async Task A_delivery_is_queryable_at_once_and_folded_into_the_month_of_its_issue(StateEngine engine)
    {
        await using var site = await OpenAsync(engine);
        await EventuallyAsync(() => site.Server.State.Snapshot.PublishedNamesOf("jira").Count, 6, "the tables are there before anything is sent");
        var taken = await site.Server.DeliverAsync(JiraDeliveries.Updated("SUP-1", 101, "first", "2026-02-01T10:00:00.000+0000"));
        (taken.Status, taken.Body).ShouldBe((200, """{"status":"ok","event":"jira:issue_updated","issue":"SUP-1"}"""));
        await SeenAsync(site, "SELECT issue_key, summary, created_at::VARCHAR, labels FROM issues", """[["SUP-1","first","2026-02-01 04:30:00+00","[\"a\", \"\\u010d\"]"]]""");
        await FoldAsync(site);
        site.Server.State.Snapshot.Tails["jira"].Runs.ShouldBeEmpty();
        site.Server.State.Snapshot.PublishedTable("issues")!.Parts.Select(part => part.Name).ShouldBe(["2026-01.parquet"]);
        (await RowsAsync(site, "SELECT issue_key, summary FROM issues")).ShouldBe("""[["SUP-1","first"]]""");

        await site.Server.DeliverAsync(JiraDeliveries.Updated("SUP-1", 101, "second", "2026-02-01T11:00:00.000+0000"));
        await site.Server.DeliverAsync(JiraDeliveries.Updated("SUP-2", 102, "other", "2026-02-01T11:00:00.000+0000", created: "2026-03-05T10:00:00.000+0000"));
        await SeenAsync(site, "SELECT issue_key, summary FROM issues ORDER BY 1", """[["SUP-1","second"],["SUP-2","other"]]""");
        var january = site.Server.State.Snapshot.PublishedTable("issues")!.Parts[0].Sha256;
        await FoldAsync(site);
        await site.Server.DeliverAsync(JiraDeliveries.Updated("SUP-2", 102, "gone", "2026-02-01T12:00:00.000+0000", name: "jira:issue_deleted"));
        await SeenAsync(site, "SELECT issue_key, summary FROM issues", """[["SUP-1","second"]]""");
        await FoldAsync(site);
        var parts = site.Server.State.Snapshot.PublishedTable("issues")!.Parts;
        parts.Select(part => part.Name).ShouldBe(["2026-01.parquet"]);
        parts[0].Sha256.ShouldNotBe(january);
    }

    [Fact]
    public async Task Only_what_the_site_has_signed_and_means_something_is_taken_and_the_rest_is_told_why()
    {
        await using var site = await OpenAsync(StateEngine.DuckDb);
        var good = JiraDeliveries.Updated("SUP-1", 101, "first", "2026-02-01T10:00:00.000+0000");
        async Task<(int, string)> Of(string body, string? signature = null, string header = "X-Hub-Signature")
        {
            var answer = await site.Server.DeliverAsync(body, signature, header);
            return (answer.Status, answer.Body);
        }

        (await Of(good, "")).ShouldBe((401, """{"detail":"Invalid signature"}"""));
        (await Of(good, "sha1=0123")).Item1.ShouldBe(401);
        (await Of(good, header: "X-Hub-Signature-256")).Item1.ShouldBe(200);
        (await Of("")).ShouldBe((400, """{"detail":"Empty payload"}"""));
        (await Of("{")).ShouldBe((400, """{"detail":"Invalid JSON payload"}"""));
        foreach (var empty in (string[])["{}", "[]", "null", "0", "false", "\"\""]) (await Of(empty)).ShouldBe((400, """{"detail":"Empty payload"}"""), empty);
        foreach (var key in (string[])["../x", "test-1", "TEST-1\\n", "TEST-\u0663", "A_B-1", new string('A', 100) + "-1"])
            (await Of($$$"""{"webhookEvent":"x","issue":{"key":"{{{key}}}","fields":{} } }""")).ShouldBe((400, """{"detail":"Malformed or missing issue key"}"""), key);
        (await Of("""{"webhookEvent":"x","issue":null}""")).Item1.ShouldBe(400);
        (await Of("""[1]""")).Item1.ShouldBe(400);
        (await Of("""{"webhookEvent":"x","issue_key":"SUP-9","issue":null}""")).ShouldBe((503, """{"status":"error","message":"Jira service not configured"}"""));
        (await site.Server.DeliverAsync(good, address: "/api/jira/webhook")).Status.ShouldBe(200);
        (await site.Server.SendAsync("GET", "/webhooks/jira/health")).Body.ShouldBe(
            """{"status":"ok","configured":false,"webhook_secret_set":true,"jira_domain":"site.example.com"}""");
        await SeenAsync(site, "SELECT count(*), max(issue_url) FROM issues", """[[1,"https://site.example.com/browse/SUP-1"]]""");
    }

    [Fact]
    public async Task A_column_is_read_from_the_field_that_the_configuration_says()
    {
        using var config = new TemporaryFolder();
        await File.WriteAllTextAsync(config["instance.yaml"], "jira:\n  fields:\n    severity: customfield_777\n", Stop);
        var variables = new Dictionary<string, string> { ["JIRA_WEBHOOK_SECRET"] = JiraDeliveries.Secret };
        var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with
        {
            ConfigDir = config.Path,
            Variables = name => variables.GetValueOrDefault(name) ?? options.Variables(name),
        });
        await using var site = new Site(server, await server.SignInAsync());
        await server.DeliverAsync(JiraDeliveries.Updated("SUP-1", 101, "first", "2026-02-01T10:00:00.000+0000")
            .Replace("\"summary\"", """
            "customfield_777":{"value":"high"},"customfield_10004":{"value":"low"},"summary"
            """, StringComparison.Ordinal));
        await SeenAsync(site, "SELECT severity FROM issues", """[["high"]]""");
    }

    [Fact]
    public async Task What_came_since_a_time_is_folded_again_and_the_status_says_what_came_of_it()
    {
        await using var site = await OpenAsync(StateEngine.DuckDb);
        for (var i = 0; i < 5; i++) await site.Server.DeliverAsync(JiraDeliveries.Updated($"SUP-{i}", 100 + i, "first", "2026-02-01T10:00:00.000+0000"));
        await site.Server.DeliverAsync(JiraDeliveries.Updated("SUP-0", 100, "older", "2026-01-01T10:00:00.000+0000"));
        await SeenAsync(site, "SELECT count(*) FROM issues WHERE summary = 'first'", "[[5]]");
        await EventuallyAsync(async () => (await StatusAsync(site))["waiting_bytes"]!.GetValue<long>(), 0, "the older one is in the tail too, so that it is folded with the others");
        await FoldAsync(site);
        File.Delete(Path.Combine(DataDir(site), "extracts", "jira", "raw", "issues", "SUP-3.json"));
        (await site.Server.SendAsync("POST", "/api/admin/events/jira/replay?from=soon", null, site.Admin)).Status.ShouldBe(422);
        (await site.Server.SendAsync("POST", "/api/admin/events/jira/replay", null, site.Admin)).Status.ShouldBe(202);
        await EventuallyAsync(() => File.Exists(Path.Combine(DataDir(site), "extracts", "jira", "raw", "issues", "SUP-3.json")), true, "what was lost is there again");
        await SeenAsync(site, "SELECT count(*) FROM issues WHERE summary = 'first'", "[[5]]");
        (await site.Server.AuditAsync()).ShouldContain(entry => entry.Action == "events.replay" && entry.Resource == "source:jira");
        var status = await StatusAsync(site);
        (status["source"]!.GetValue<string>(), status["applied"]!.GetValue<long>(), status["known"]!.GetValue<long>(), status["waiting_bytes"]!.GetValue<long>())
            .ShouldBe(("jira", 6, 6, 0), status.ToJsonString());
    }

    /// <summary>Whether the server ends between the journal, the tail and the fold: nothing acknowledged is missing, nothing is there twice.</summary>
    [Fact]
    public async Task What_was_taken_outlives_the_server()
    {
        var site = await OpenAsync(StateEngine.DuckDb);
        for (var i = 0; i < 40; i++)
            (await site.Server.DeliverAsync(JiraDeliveries.Updated($"SUP-{i % 10}", i % 10 + 100, $"v{i}", $"2026-02-01T10:{i:00}:00.000+0000"))).Status.ShouldBe(200);
        var ended = await site.Server.EndAsync();
        await using var again = await OpenAsync(StateEngine.DuckDb, ended);
        await SeenAsync(again, "SELECT count(*), min(summary), max(summary) FROM issues", """[[10,"v30","v39"]]""");
    }

    /// <summary>A fold of a large table takes long; what is sent meanwhile must not cost every statement a file more with each delivery.</summary>
    [Fact]
    public async Task Runs_that_come_while_others_are_folded_are_made_fewer_and_those_stay()
    {
        await using var site = await OpenAsync(StateEngine.DuckDb);
        await EventuallyAsync(() => site.Server.State.Snapshot.PublishedNamesOf("jira").Count, 6, "the tables are there");
        Task DeliverAsync(int i) => site.Server.DeliverAsync(JiraDeliveries.Updated($"SUP-{i}", 100 + i, $"v{i}", "2026-02-01T10:00:00.000+0000"));
        await DeliverAsync(0);
        await SeenAsync(site, "SELECT count(*) FROM issues", "[[1]]");
        var intake = site.Server.Services.GetRequiredService<EventIntakes>().Find("jira")!;
        var folded = await intake.BeginFoldAsync(Stop);
        for (var i = 1; i <= 12; i++)
        {
            await DeliverAsync(i);
            await SeenAsync(site, "SELECT count(*) FROM issues", $"[[{i + 1}]]");
        }

        await EventuallyAsync(() => site.Server.State.Snapshot.Tails["jira"].Runs.Count <= folded.Count + 6, true, "they are made fewer");
        site.Server.State.Snapshot.Tails["jira"].Runs.Take(folded.Count).Select(run => run.Number).ShouldBe(folded.Select(run => run.Number));
        intake.EndFold();
        await FoldAsync(site);
        await SeenAsync(site, "SELECT count(*), count(DISTINCT summary) FROM issues", "[[13,13]]");
    }

    /// <summary>A journal that closes before the jobs that add to it fails them, instead of having the next process take them up.</summary>
    [Fact]
    public async Task What_a_job_still_adds_while_the_server_stops_is_kept()
    {
        var variables = new Dictionary<string, string> { ["JIRA_WEBHOOK_SECRET"] = JiraDeliveries.Secret };
        var last = new LastWords();
        var server = await TestServer.StartAsync(
            StateEngine.DuckDb, postgres, options => options with { Variables = name => variables.GetValueOrDefault(name) ?? options.Variables(name) },
            services => services.AddSingleton<IJobHandler>(last));
        last.Intakes = server.Services.GetRequiredService<EventIntakes>();
        await server.Services.GetRequiredService<JobRunner>().StartAsync(new JobRequest(last.Kind, null, "k", "test", null), Stop);
        await last.Begun.Task.WaitAsync(TimeSpan.FromSeconds(30), Stop);
        await server.DisposeAsync();
        last.Kept.ShouldBeTrue();
    }

    private sealed class LastWords : IJobHandler
    {
        public string Kind => "last-words";

        public EventIntakes Intakes { get; set; } = null!;

        public TaskCompletionSource Begun { get; } = new();

        public bool Kept { get; private set; }

        public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
        {
            Begun.SetResult();
            await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Intakes.Find("jira")!.AppendAsync(1, "", "{}"u8.ToArray(), CancellationToken.None);
            Kept = true;
            throw new OperationCanceledException(cancellation);
        }
    }

    /// <summary>Documents are not flushed one by one: a crash of the machine loses the last, some whole, some without their bytes.</summary>
    [Fact]
    public async Task After_a_crash_of_the_machine_what_it_may_have_lost_is_folded_again()
    {
        var site = await OpenAsync(StateEngine.DuckDb);
        for (var i = 1; i <= 3; i++) await site.Server.DeliverAsync(JiraDeliveries.Updated($"SUP-{i}", 100 + i, "first", "2026-02-01T10:00:00.000+0000"));
        await SeenAsync(site, "SELECT count(*) FROM issues", "[[3]]");
        var source = Path.Combine("extracts", "jira");
        var mark = Path.Combine(source, "flushed");
        await EventuallyAsync(() => File.Exists(Path.Combine(DataDir(site), mark)), true, "it is noted what is on disk");
        var ended = await site.Server.EndAsync();
        await using (var calm = await OpenAsync(StateEngine.DuckDb, ended))
        {
            await EventuallyAsync(async () => (await StatusAsync(calm))["waiting_bytes"]!.GetValue<long>(), 0, "it is at work");
            (await StatusAsync(calm))["known"]!.GetValue<long>().ShouldBe(0, "the machine is the same, and nothing is folded again");
        }

        string Document(string folder, int issue) => Path.Combine(folder, source, "raw", "issues", $"SUP-{issue}.json");
        File.Delete(Document(ended.Folder.Path, 2));
        await File.WriteAllTextAsync(Document(ended.Folder.Path, 3), "", Stop);
        await File.WriteAllTextAsync(ended.Folder[mark], "another-machines-boot 0", Stop);
        await using var again = await OpenAsync(StateEngine.DuckDb, ended);
        foreach (var issue in (int[])[2, 3])
        {
            var document = Document(DataDir(again), issue);
            await EventuallyAsync(() => File.Exists(document) && new FileInfo(document).Length > 100, true, $"SUP-{issue} is known again");
        }

        await SeenAsync(again, "SELECT count(*), count(DISTINCT issue_key) FROM issues", "[[3,3]]");
        await EventuallyAsync(() => File.ReadAllText(Path.Combine(DataDir(again), mark)).StartsWith(FlushedMark.ThisBoot, StringComparison.Ordinal), true, "that is noted");
    }

    /// <summary>State names the files of a tail, not where they are: a data folder can be moved.</summary>
    [Fact]
    public async Task A_tail_is_read_where_its_data_folder_is_now()
    {
        var site = await OpenAsync(StateEngine.DuckDb);
        await EventuallyAsync(() => site.Server.State.Snapshot.PublishedNamesOf("jira").Count, 6, "the tables are there");
        await site.Server.DeliverAsync(JiraDeliveries.Updated("SUP-1", 101, "first", "2026-02-01T10:00:00.000+0000"));
        await SeenAsync(site, "SELECT issue_key, summary FROM issues", """[["SUP-1","first"]]""");
        site.Server.State.Snapshot.Tails["jira"].Runs.ShouldNotBeEmpty("nothing has folded it yet");
        var ended = await site.Server.EndAsync();
        await using var moved = await OpenAsync(StateEngine.DuckDb, ended);
        ended.Folder.Dispose();
        moved.Server.State.Snapshot.Tails["jira"].Runs.ShouldNotBeEmpty();
        await SeenAsync(moved, "SELECT issue_key, summary FROM issues", """[["SUP-1","first"]]""");
    }

    private async Task<Site> OpenAsync(StateEngine engine, EndedServer? from = null)
    {
        var variables = new Dictionary<string, string> { ["JIRA_WEBHOOK_SECRET"] = JiraDeliveries.Secret, ["JIRA_DOMAIN"] = "site.example.com" };
        var server = await TestServer.StartAsync(
            engine, postgres, options => options with { Variables = name => variables.GetValueOrDefault(name) ?? options.Variables(name) }, like: from);
        return new Site(server, await server.SignInAsync());
    }

    private static string DataDir(Site site) => site.Server.Services.GetRequiredService<Agnes.Server.Platform.Config.ServerOptions>().DataDir;

    private static async Task FoldAsync(Site site)
    {
        var jobs = site.Server.Services.GetRequiredService<JobRunner>();
        await EventuallyAsync(
            async () =>
            {
                // One that was already at work, which this would join, may have begun before the last run was there.
                await jobs.StartAsync(FoldEventsJob.Request("jira"), Stop);
                return site.Server.State.Snapshot.Tails["jira"].Runs.Count;
            },
            0, "the tail is folded");
    }

    private static async Task<JsonNode> StatusAsync(Site site) =>
        (await site.Server.SendAsync("GET", "/api/admin/events", null, site.Admin)).Json["sources"]![0]!;

    private static async Task<string> RowsAsync(Site site, string sql)
    {
        var answer = await site.Server.SendAsync("POST", "/api/query", new JsonObject { ["sql"] = sql }.ToJsonString(), site.Admin);
        return answer.Status == 200 ? answer.Json["rows"]!.ToJsonString(Readable) : answer.Body;
    }

    private static Task SeenAsync(Site site, string sql, string rows) => EventuallyAsync(async () => await RowsAsync(site, sql), rows, sql);

    private static Task EventuallyAsync<T>(Func<T> look, T expected, string what) => EventuallyAsync(() => Task.FromResult(look()), expected, what);

    private static async Task EventuallyAsync<T>(Func<Task<T>> look, T expected, string what)
    {
        T last = default!;
        for (var i = 0; i < 200; i++)
        {
            last = await look();
            if (Equals(last, expected)) return;
            await Task.Delay(100, Stop);
        }

        last.ShouldBe(expected, what);
    }

    private sealed record Site(TestServer Server, string Admin) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
