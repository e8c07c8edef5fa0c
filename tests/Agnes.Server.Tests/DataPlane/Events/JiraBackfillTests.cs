using System.Text.Json.Nodes;
using Agnes.Emulators.Jira;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane.Events;

/// <summary>Issues that Jira had before it began to send: brought whole, whatever Jira it is and however it throttles, and once.</summary>
public sealed class JiraBackfillTests(Postgres postgres)
{
    [Theory]
    [InlineData(JiraEdition.Cloud)]
    [InlineData(JiraEdition.OlderCloud)]
    [InlineData(JiraEdition.Server)]
    public async Task All_issues_are_brought_whole_from_every_edition_within_its_limits(JiraEdition edition)
    {
        await using var jira = await JiraServer.StartAsync(new JiraSite(new SiteShape
        {
            Issues = 230,
            TalkativeOneIn = 40,
            RestlessOneIn = 40
        }));
        jira.Edition = edition;
        jira.Limit = new RateLimit(PerSecond: 120, Burst: 60);
        jira.PageTokenLife = TimeSpan.Zero; // each token has expired when it is used
        await using var shop = await JiraShop.OpenAsync(postgres, jira);
        var ended = await shop.RunAsync("backfill");
        ((string?)ended["status"]).ShouldBe("ok", ended.ToJsonString());
        ((int)ended["result"]!["downloaded"]!).ShouldBe(230);
        ((int)ended["result"]!["failed"]!).ShouldBe(0);
        var all = jira.Site.Keys().Select(key => jira.Site.Show(key)!).ToList();
        var comments = all.Sum(issue => issue["fields"]!["comment"]!["comments"]!.AsArray().Count);
        var items = all.Sum(issue => issue["changelog"]!["histories"]!.AsArray().Sum(history => history!["items"]!.AsArray().Count));
        await shop.SeenAsync(
            "SELECT (SELECT count(*) FROM issues), (SELECT count(*) FROM comments), (SELECT count(*) FROM changelog), "
            + "(SELECT count(DISTINCT issue_key) FROM issues)",
            $"[[230,{comments},{items},230]]");
        jira.Waits.Count(wait => wait.Waited < wait.Asked).ShouldBeLessThan(25,
            "but for what was on its way when the first was told to wait");
        jira.Faults.ShouldBeEmpty();

        var before = jira.Count(Step.Bulk) + jira.Count(Step.Issue);
        var again = await shop.RunAsync("backfill");
        ((int)again["result"]!["downloaded"]!).ShouldBe(0, "what was fetched is skipped");
        (jira.Count(Step.Bulk) + jira.Count(Step.Issue)).ShouldBe(before);
    }

    [Fact]
    public async Task What_is_named_is_brought_and_what_is_gone_is_said_to_be_so()
    {
        await using var jira = await JiraServer.StartAsync(new JiraSite(new SiteShape { Issues = 30 })
        {
            SearchLag = TimeSpan.FromHours(1),
        });
        await using var shop = await JiraShop.OpenAsync(postgres, jira);
        var keys = jira.Site.Keys();
        jira.Site.Delete(keys[0]);
        jira.Site.Hidden.Add(keys[3]);
        var named = await shop.RunAsync("backfill", $$"""{"issue_keys":["{{keys[1]}}","{{keys[2]}}","PLAT-4711"]}""");
        named["result"]!.ToJsonString().ShouldBe("""{"searched":3,"downloaded":2,"skipped":0,"missing":1,"failed":0}""");
        var dry = await shop.RunAsync("backfill", """{"jql":"project = PLAT ORDER BY key","dry_run":true}""");
        ((int)dry["result"]!["searched"]!).ShouldBe(10);
        await shop.SeenAsync("SELECT count(*) FROM issues", "[[2]]");

        var rest = await shop.RunAsync("backfill");
        rest["result"]!.ToJsonString().ShouldBe("""{"searched":28,"downloaded":26,"skipped":2,"missing":0,"failed":0}""");
        await shop.SeenAsync("SELECT count(*) FROM issues", "[[28]]");
        var wrong = await shop.RunAsync("backfill", """{"jql":"project = NOBODYS"}""");
        ((string?)wrong["status"]).ShouldBe("failed");
        ((string)wrong["error"]!).ShouldContain("NOBODYS");
        (await shop.Server.SendAsync("POST", "/api/admin/jira/backfill", """{"issue_keys":["../x"]}""", shop.Admin)).Status.ShouldBe(422);
    }

    [Fact]
    public async Task A_backfill_goes_on_where_it_stood_when_the_server_ended()
    {
        await using var jira = await JiraServer.StartAsync(new JiraSite(new SiteShape { Issues = 500 }));
        var (ended, run) = await BegunAsync(jira);
        await using var shop = await JiraShop.OpenAsync(postgres, jira, ended);
        var job = await shop.EndOfAsync(run);
        ((string?)job["status"], (int)job["attempts"]!).ShouldBe(("ok", 2));
        ((int)job["result"]!["downloaded"]!).ShouldBeInRange(400, 500); // the page that was begun is brought again, or skipped
        await shop.SeenAsync("SELECT count(*), count(DISTINCT issue_key) FROM issues", "[[500,500]]");
        jira.Calls.Count(call => call.Step == Step.RemoteLinks).ShouldBeLessThan(610, "500 issues, and a page of them at most twice");
    }

    private async Task<(EndedServer Ended, string Run)> BegunAsync(JiraServer jira)
    {
        jira.Limit = new RateLimit(PerSecond: 60, Burst: 60);
        await using var shop = await JiraShop.OpenAsync(postgres, jira);
        var started = await shop.Server.SendAsync("POST", "/api/admin/jira/backfill", "{}", shop.Admin);
        await shop.EventuallyAsync(async () => (int?)JobOf(await shop.StatusAsync())["checkpoint"]?["downloaded"] >= 100, true,
            "the first page is done");
        shop.IsEnded = true;
        return (await shop.Server.EndAsync(), started.Text("run_id"));
    }

    private static JsonNode JobOf(JsonNode status) => status["jobs"]!.AsArray().First(job => (string?)job!["kind"] == "jira-backfill")!;
}
