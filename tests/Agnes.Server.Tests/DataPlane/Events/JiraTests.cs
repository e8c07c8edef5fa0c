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
        await using var shop = await OpenAsync(engine);
        await EventuallyAsync(() => shop.Server.State.Snapshot.PublishedNamesOf("jira").Count, 6, "the tables are there before anything is sent");
        var taken = await shop.Server.DeliverAsync(JiraDeliveries.Updated("SUP-1", 101, "first", "2026-02-01T10:00:00.000+0000"));
        (taken.Status, taken.Body).ShouldBe((200, """{"status":"ok","event":"jira:issue_updated","issue":"SUP-1"}"""));
        await SeenAsync(shop, "SELECT issue_key, summary, created_at::VARCHAR, labels FROM issues", """[["SUP-1","first","2026-02-01 04:30:00+00","[\"a\", \"\\u010d\"]"]]""");
        await FoldAsync(shop);
        shop.Server.State.Snapshot.Tails["jira"].Runs.ShouldBeEmpty();
        shop.Server.State.Snapshot.PublishedTable("issues")!.Parts.Select(part => part.Name).ShouldBe(["2026-01.parquet"]);
        (await RowsAsync(shop, "SELECT issue_key, summary FROM issues")).ShouldBe("""[["SUP-1","first"]]""");

        await shop.Server.DeliverAsync(JiraDeliveries.Updated("SUP-1", 101, "second", "2026-02-01T11:00:00.000+0000"));
        await shop.Server.DeliverAsync(JiraDeliveries.Updated("SUP-2", 102, "other", "2026-02-01T11:00:00.000+0000", created: "2026-03-05T10:00:00.000+0000"));
        await SeenAsync(shop, "SELECT issue_key, summary FROM issues ORDER BY 1", """[["SUP-1","second"],["SUP-2","other"]]""");
        var january = shop.Server.State.Snapshot.PublishedTable("issues")!.Parts[0].Sha256;
        await FoldAsync(shop);
        await shop.Server.DeliverAsync(JiraDeliveries.Updated("SUP-2", 102, "gone", "2026-02-01T12:00:00.000+0000", name: "jira:issue_deleted"));
        await SeenAsync(shop, "SELECT issue_key, summary FROM issues", """[["SUP-1","second"]]""");
        await FoldAsync(shop);
        var parts = shop.Server.State.Snapshot.PublishedTable("issues")!.Parts;
        parts.Select(part => part.Name).ShouldBe(["2026-01.parquet"]);
        parts[0].Sha256.ShouldNotBe(january);
    }

    [Fact]
    public async Task Only_what_the_site_has_signed_and_means_something_is_taken_and_the_rest_is_told_why()
    {
        await using var shop = await OpenAsync(StateEngine.DuckDb);
        var good = JiraDeliveries.Updated("SUP-1", 101, "first", "2026-02-01T10:00:00.000+0000");
        async Task<(int, string)> Of(string body, string? signature = null, string header = "X-Hub-Signature")
        {
            var answer = await shop.Server.DeliverAsync(body, signature, header);
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
        (await shop.Server.DeliverAsync(good, address: "/api/jira/webhook")).Status.ShouldBe(200);
        (await shop.Server.SendAsync("GET", "/webhooks/jira/health")).Body.ShouldBe(
            """{"status":"ok","configured":false,"webhook_secret_set":true,"jira_domain":"site.example.com"}""");
        await SeenAsync(shop, "SELECT count(*), max(issue_url) FROM issues", """[[1,"https://site.example.com/browse/SUP-1"]]""");
    }

    /// <summary>Whether the server ends between the journal, the tail and the fold: nothing acknowledged is missing, nothing is there twice.</summary>
    [Fact]
    public async Task What_was_taken_outlives_the_server()
    {
        var shop = await OpenAsync(StateEngine.DuckDb);
        for (var i = 0; i < 40; i++)
            (await shop.Server.DeliverAsync(JiraDeliveries.Updated($"SUP-{i % 10}", i % 10 + 100, $"v{i}", $"2026-02-01T10:{i:00}:00.000+0000"))).Status.ShouldBe(200);
        var ended = await shop.Server.EndAsync();
        await using var again = await OpenAsync(StateEngine.DuckDb, ended);
        await SeenAsync(again, "SELECT count(*), min(summary), max(summary) FROM issues", """[[10,"v30","v39"]]""");
    }

    private async Task<Site> OpenAsync(StateEngine engine, EndedServer? from = null)
    {
        var variables = new Dictionary<string, string> { ["JIRA_WEBHOOK_SECRET"] = JiraDeliveries.Secret, ["JIRA_DOMAIN"] = "site.example.com" };
        var server = await TestServer.StartAsync(
            engine, postgres, options => options with { Variables = name => variables.GetValueOrDefault(name) ?? options.Variables(name) }, like: from);
        return new Site(server, await server.SignInAsync());
    }

    private static async Task FoldAsync(Site site)
    {
        await site.Server.Services.GetRequiredService<JobRunner>().StartAsync(FoldEventsJob.Request("jira"), Stop);
        await EventuallyAsync(() => site.Server.State.Snapshot.Tails["jira"].Runs.Count, 0, "the tail is folded");
    }

    private static async Task<string> RowsAsync(Site site, string sql)
    {
        var answer = await site.Server.SendAsync("POST", "/api/query", new JsonObject { ["sql"] = sql }.ToJsonString(), site.Admin);
        return answer.Status == 200 ? answer.Json["rows"]!.ToJsonString(Readable) : answer.Body;
    }

    private static Task SeenAsync(Site shop, string sql, string rows) => EventuallyAsync(async () => await RowsAsync(shop, sql), rows, sql);

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
