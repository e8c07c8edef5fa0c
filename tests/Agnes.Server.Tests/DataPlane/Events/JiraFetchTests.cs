using Agnes.Emulators.Jira;
using Agnes.Server.Platform.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane.Events;

/// <summary>
/// What deliveries leave out is asked of Jira, once for many, and whatever becomes of the asking, what was delivered
/// stays.
/// </summary>
public sealed class JiraFetchTests(Postgres postgres)
{
    [Theory, State.OnBothEngines]
    public async Task What_deliveries_leave_out_is_fetched_once_for_many_of_them(StateEngine engine)
    {
        await using var jira = await JiraServer.StartAsync(new JiraSite(new SiteShape
        {
            Issues = 3,
            TalkativeOneIn = 1,
            RestlessOneIn = 1
        }));
        var key = jira.Site.Keys().First(one => jira.Site.CommentIds(one).Count > 100);
        jira.Site.AddRemoteLink(key, "https://wiki.example.com/a", "A page");
        await using var shop = await JiraShop.OpenAsync(postgres, jira, engine: engine);
        var events = Enumerable.Range(0, 30).SelectMany(i => jira.Site.Update(key, "summary", $"Summary {i}").Events).ToList();
        await shop.PostAsync(events);
        var issue = jira.Site.Show(key)!;
        var items = issue["changelog"]!["histories"]!.AsArray().Sum(history => history!["items"]!.AsArray().Count);
        items.ShouldBeGreaterThan(100);
        await shop.SeenAsync($"SELECT count(*), min(comment_id) FROM comments WHERE issue_key = '{key}'",
            $"[[{jira.Site.CommentIds(key).Count},\"{jira.Site.CommentIds(key).Min(StringComparer.Ordinal)}\"]]");
        await shop.SeenAsync("SELECT count(*) FROM changelog", $"[[{items}]]");
        await shop.SeenAsync("SELECT url, title FROM remote_links", """[["https://wiki.example.com/a","A page"]]""");
        await shop.SeenAsync("SELECT summary, comment_count FROM issues", $"[[\"Summary 29\",{jira.Site.CommentIds(key).Count}]]");
        jira.Count(Step.Issue).ShouldBeLessThan(10, "of thirty deliveries, some of which came while it was asked");
        jira.Faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_delivery_that_only_names_an_issue_is_taken_and_the_issue_is_fetched()
    {
        await using var jira = await JiraServer.StartAsync(new JiraSite(new SiteShape { Issues = 3 }));
        await using var shop = await JiraShop.OpenAsync(postgres, jira);
        var key = jira.Site.Keys()[0];
        var taken = await shop.Server.DeliverAsync($$"""{"webhookEvent":"jira:issue_updated","issue_key":"{{key}}","issue":null}""");
        (taken.Status, taken.Body).ShouldBe((200, $$"""{"status":"ok","event":"jira:issue_updated","issue":"{{key}}"}"""));
        await shop.SeenAsync("SELECT issue_key, summary FROM issues",
            $"[[\"{key}\",\"{(string)jira.Site.Show(key)!["fields"]!["summary"]!}\"]]");

        (await shop.Server.DeliverAsync("""{"webhookEvent":"jira:issue_updated","issue_key":"PLAT-999","issue":null}"""))
            .Status.ShouldBe(200);
        await shop.EventuallyAsync(async () => (int)(await shop.StatusAsync())["fetches"]!["missing"]!, 1, "Jira has no such issue");
        (await shop.RowsAsync("SELECT count(*) FROM issues")).ShouldBe("[[1]]");
    }

    /// <summary>Jira is away, then the server too; nothing that was to be asked is forgotten, and no delivery waits.</summary>
    [Fact]
    public async Task What_is_to_be_fetched_outlives_an_outage_and_the_server()
    {
        await using var jira = await JiraServer.StartAsync(new JiraSite(new SiteShape { Issues = 6 }));
        var ended = await WhileAwayAsync(jira);
        jira.Mend();
        jira.Break(Step.Issue, new Trouble(429) { RetryAfterSeconds = 1 }, new Trouble(500), new Trouble { IsNoJson = true },
            new Trouble { BreaksOff = true });
        await using var shop = await JiraShop.OpenAsync(postgres, jira, ended);
        await shop.SeenAsync("SELECT count(*) FILTER (created_at IS NOT NULL) FROM issues", "[[6]]");
        jira.IsMended.ShouldBeTrue();
        await shop.EventuallyAsync(async () => (await shop.StatusAsync())["fetches"]!["waiting"]!.GetValue<int>(), 0, "all are fetched");
        (await shop.StatusAsync())["fetches"]!["failed"]!.AsArray().ShouldBeEmpty();
    }

    private async Task<Serving.EndedServer> WhileAwayAsync(JiraServer jira)
    {
        jira.Break(Step.ServerInfo, [.. Enumerable.Repeat(new Trouble { Resets = true }, 100)]);
        await using var shop = await JiraShop.OpenAsync(postgres, jira);
        foreach (var key in jira.Site.Keys()) (await shop.Server.DeliverAsync($$"""{"webhookEvent":"x","issue_key":"{{key}}"}"""))
            .Status.ShouldBe(200);
        await shop.EventuallyAsync(async () => (await shop.StatusAsync())["fetches"]!["waiting"]!.GetValue<int>(), 6, "they wait");
        shop.IsEnded = true;
        return await shop.Server.EndAsync();
    }
}
