using System.Globalization;
using System.Text.Json.Nodes;
using Agnes.Emulators.Jira;

namespace Agnes.Connectors.Tests.Jira;

/// <summary>
/// The search of the emulator where jira.js cannot show it: the lag, tokens, what changes between pages, and older servers.
/// </summary>
public sealed class JiraSearchTests
{
    [Fact]
    public async Task The_search_is_behind_what_was_written_and_reconciled_issues_are_not()
    {
        await using var desk = await Desk.OpenAsync(3);
        const string Jql = "project = PLAT AND created > 2020-01-01 ORDER BY created ASC";
        desk.Site.SearchLag = TimeSpan.FromSeconds(30);
        var created = (string)desk.Site.Show(desk.Site.Create("PLAT", "new").Key)!["id"]!;
        desk.Site.Delete("PLAT-1");
        (await desk.FindAsync(Jql)).ShouldBe(["10001"], "the deleted one is still found, the new one not yet");
        var reconciled = await desk.PostAsync("search/jql", new JsonObject
        {
            ["jql"] = Jql,
            ["reconcileIssues"] = new JsonArray(10_001, long.Parse(created, CultureInfo.InvariantCulture)),
        });
        reconciled["issues"]!.AsArray().Select(issue => (string)issue!["id"]!).ShouldBe([created]);
        (await desk.PostAsync("search/jql", new JsonObject { ["jql"] = Jql, ["fields"] = new JsonArray("summary") }))["issues"]!
            .AsArray().ShouldBeEmpty("what is gone has no fields to show");
        desk.Site.Ahead += TimeSpan.FromSeconds(31);
        (await desk.FindAsync(Jql)).ShouldBe([created]);
    }

    [Fact]
    public async Task A_lag_is_over_when_a_test_says_so()
    {
        await using var desk = await Desk.OpenAsync(3);
        desk.Site.SearchLag = TimeSpan.FromHours(1);
        desk.Site.Move("PLAT-1", "OPS");
        (await desk.FindAsync("project = OPS")).ShouldBe(["10002"]);
        desk.Site.CatchUp();
        (await desk.FindAsync("project = OPS ORDER BY key")).ShouldBe(["10002", "10001"]);
    }

    [Fact]
    public async Task The_search_misses_an_issue_for_a_while_that_is_there()
    {
        await using var desk = await Desk.OpenAsync(9);
        desk.Site.LoseFromSearch("PLAT-2", TimeSpan.FromMinutes(1));
        foreach (var order in (string[])["created ASC", "key ASC"])
            (await desk.FindAsync($"project = PLAT ORDER BY {order}")).ShouldBe(["10001", "10007"]);
        ((string)(await desk.GetAsync("issue/PLAT-2"))["id"]!).ShouldBe("10004");
        var reconciled = await desk.GetAsync("search/jql?jql=project=PLAT&reconcileIssues=10004");
        reconciled["issues"]!.AsArray().Count.ShouldBe(3);
        desk.Site.Ahead += TimeSpan.FromMinutes(1);
        (await desk.FindAsync("project = PLAT ORDER BY key ASC")).ShouldBe(["10001", "10004", "10007"]);
    }

    [Fact]
    public async Task A_page_token_is_good_for_its_query_and_for_its_time()
    {
        await using var desk = await Desk.OpenAsync(30);
        JsonObject Ask(string jql, string? token = null) => new() { ["jql"] = jql, ["maxResults"] = 3, ["nextPageToken"] = token };
        var token = (string)(await desk.PostAsync("search/jql", Ask("project = PLAT")))["nextPageToken"]!;
        (await desk.RefusedAsync(400, "search/jql", Ask("project = OPS", token))).ShouldContain("nextPageToken is invalid");
        (await desk.PostAsync("search/jql", Ask("project = PLAT", token)))["issues"]!.AsArray().Count.ShouldBe(3);
        desk.Site.Ahead += TimeSpan.FromDays(7) + TimeSpan.FromSeconds(1);
        (await desk.RefusedAsync(400, "search/jql", Ask("project = PLAT", token))).ShouldContain("has expired");
    }

    [Fact]
    public async Task Issues_that_change_between_pages_are_not_lost_where_the_order_is_by_creation()
    {
        await using var desk = await Desk.OpenAsync(60);
        const string Jql = "created >= 2020-01-01 ORDER BY created ASC";
        var page = await desk.PostAsync("search/jql", new JsonObject { ["jql"] = Jql, ["maxResults"] = 20 });
        desk.Site.Delete("SUPPORT-1");
        desk.Site.Update("SUPPORT-2", "summary", "changed");
        var late = (string)desk.Site.Create("OPS", "late").Events[0].Json["issue"]!["id"]!;
        var found = page["issues"]!.AsArray().Select(issue => (string)issue!["id"]!).ToList();
        while ((string?)page["nextPageToken"] is { } token)
        {
            page = await desk.PostAsync("search/jql", new JsonObject { ["jql"] = Jql, ["maxResults"] = 20, ["nextPageToken"] = token });
            found.AddRange(page["issues"]!.AsArray().Select(issue => (string)issue!["id"]!));
        }

        found.ShouldBe([.. Enumerable.Range(10_000, 60).Select(id => $"{id}"), late]);
    }

    [Fact]
    public async Task Where_the_order_is_by_change_an_issue_that_changes_meanwhile_comes_again_at_its_new_place()
    {
        await using var desk = await Desk.OpenAsync(30);
        const string Jql = "created >= 2020-01-01 ORDER BY updated ASC, key ASC";
        var first = await desk.PostAsync("search/jql", new JsonObject { ["jql"] = Jql, ["maxResults"] = 10 });
        var ids = first["issues"]!.AsArray().Select(issue => (string)issue!["id"]!).ToList();
        desk.Site.Update(ids[^1], "summary", "changed after it was shown"); // the very issue that the token tells of
        var token = (string?)first["nextPageToken"];
        var rest = await desk.PostAsync("search/jql", new JsonObject { ["jql"] = Jql, ["maxResults"] = 100, ["nextPageToken"] = token });
        var after = rest["issues"]!.AsArray().Select(issue => (string)issue!["id"]!).ToList();
        after.Count.ShouldBe(21);
        after[^1].ShouldBe(ids[^1]);
        ids.Concat(after).Distinct(StringComparer.Ordinal).Count().ShouldBe(30);
    }

    [Fact]
    public async Task A_page_with_fields_is_smaller_than_one_of_ids()
    {
        await using var desk = await Desk.OpenAsync(300);
        var ids = await desk.GetAsync("search/jql?jql=created+>+2020-01-01&maxResults=5000");
        ids["issues"]!.AsArray().Count.ShouldBe(300);
        ids["issues"]![0]!.AsObject().Select(field => field.Key).ShouldBe(["id"]);
        var whole = await desk.GetAsync("search/jql?jql=created+>+2020-01-01&maxResults=5000&fields=*all,-comment");
        whole["issues"]!.AsArray().Count.ShouldBe(100);
        whole["issues"]![0]!["fields"]!.AsObject().ContainsKey("comment").ShouldBeFalse();
        whole["issues"]![0]!["fields"]!.AsObject().ContainsKey("worklog").ShouldBeTrue();
    }

    [Fact]
    public async Task Issues_come_in_bulk_by_their_ids_with_a_short_changelog()
    {
        await using var desk = await Desk.OpenAsync(9);
        for (var i = 0; i < 60; i++) desk.Site.Update("OPS-1", "summary", $"{i}");
        desk.Site.Hidden.Add("OPS-2");
        desk.Site.Move("SUPPORT-3", "PLAT");
        var bulk = await desk.PostAsync("issue/bulkfetch", JsonNode.Parse(
            """{"issueIdsOrKeys":["SUPPORT-3","ops-1","10002","OPS-2","NONE-1"],"fields":["comment"],"expand":["changelog"]}""")!);
        bulk["issues"]!.AsArray().Select(issue => (string)issue!["key"]!).ShouldBe(["OPS-1", "PLAT-4"]);
        bulk["issues"]![0]!["changelog"]!["histories"]!.AsArray().Count.ShouldBe(40);
        ((int)bulk["issues"]![0]!["changelog"]!["total"]!).ShouldBeGreaterThan(60);
        bulk["issues"]![0]!["fields"]!.AsObject().Select(field => field.Key).ShouldBe(["comment"]);
        var many = new JsonArray([.. Enumerable.Range(0, 101).Select(id => (JsonNode)$"{10_000 + id}")]);
        (await desk.RefusedAsync(400, "issue/bulkfetch", new JsonObject { ["issueIdsOrKeys"] = many })).ShouldContain("between 1 and 100");
        desk.Server.Count(Step.Bulk).ShouldBe(2);
    }

    [Fact]
    public async Task The_old_search_is_gone_on_the_cloud_and_counts_elsewhere()
    {
        await using var desk = await Desk.OpenAsync(30);
        (await desk.RefusedAsync(410, "search?jql=project=PLAT")).ShouldBe("The requested API has been removed. Please migrate to the "
            + "/rest/api/3/search/jql API. A full migration guideline is available at "
            + "https://developer.atlassian.com/changelog/#CHANGE-2046");
        desk.Server.Edition = JiraEdition.OlderCloud;
        var page = await desk.PostAsync("search", new JsonObject { ["jql"] = "ORDER BY key ASC", ["startAt"] = 28, ["maxResults"] = 10 });
        ((int)page["total"]!, (int)page["startAt"]!, page["issues"]!.AsArray().Count).ShouldBe((30, 28, 2));
        ((string)page["issues"]![1]!["key"]!).ShouldBe("SUPPORT-10");
        page["issues"]![1]!["fields"]!["summary"].ShouldNotBeNull();
        (await desk.FindAsync("project = PLAT")).Count.ShouldBe(10);
    }

    [Fact]
    public async Task A_server_of_ones_own_has_version_2_alone_and_shows_issues_whole()
    {
        await using var desk = await Desk.OpenAsync(30);
        desk.Server.Edition = JiraEdition.Server;
        for (var i = 0; i < 120; i++) desk.Site.AddComment("PLAT-1", $"said {i}");
        await desk.RefusedAsync(404, "issue/PLAT-1");
        await desk.RefusedAsync(404, "/rest/api/2/search/jql?jql=project=PLAT");
        var issue = await desk.GetAsync("/rest/api/2/issue/PLAT-1?expand=changelog");
        issue["fields"]!["comment"]!["comments"]!.AsArray().Count.ShouldBeGreaterThanOrEqualTo(120);
        ((string)issue["fields"]!["comment"]!["comments"]!.AsArray()[^1]!["body"]!).ShouldBe("said 119");
        ((int)(await desk.GetAsync("/rest/api/2/search?jql=project=PLAT"))["total"]!).ShouldBe(10);
        ((string)(await desk.GetAsync("/rest/api/2/serverInfo"))["deploymentType"]!).ShouldBe("Server");
    }

    [Fact]
    public async Task What_the_account_may_not_see_is_not_there()
    {
        await using var desk = await Desk.OpenAsync(9);
        desk.Site.Hidden.Add("PLAT-1");
        (await desk.RefusedAsync(404, "issue/PLAT-1")).ShouldBe("Issue does not exist or you do not have permission to see it.");
        await desk.RefusedAsync(404, "issue/10001/comment");
        (await desk.FindAsync("project = PLAT ORDER BY key")).ShouldBe(["10004", "10007"]);
        await desk.GetAsync($"/ex/jira/{JiraServer.CloudId}/rest/api/3/issue/PLAT-1", isService: true);
    }
}
