using System.Globalization;
using System.Text.Json.Nodes;
using Agnes.Emulators.Jira;

namespace Agnes.Connectors.Tests.Jira;

/// <summary>
/// The search of the emulator where jira.js cannot show it: the lag, tokens, what changes between pages, queries, and older servers.
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

    [Theory]
    [InlineData("project = PLAT ORDER BY key DESC", "10007 10004 10001")]
    [InlineData("project in (PLAT, \"Customer support\") AND key != PLAT-1 ORDER BY key ASC", "10004 10007 10000 10003 10006")]
    [InlineData("project not in (PLAT, OPS) order by created", "10006 10003 10000")]
    [InlineData("key in (OPS-1, plat-2, 10000) ORDER BY id ASC", "10000 10002 10004")]
    [InlineData("issuekey >= OPS-2 ORDER BY created ASC", "10005 10008")]
    [InlineData("created >= -5200d AND updated <= now() AND project != OPS AND project != PLAT ORDER BY created asc", "10000 10003 10006")]
    [InlineData("updated > 1d", "")]
    public async Task Queries_find_what_they_say(string jql, string ids)
    {
        await using var desk = await Desk.OpenAsync(9);
        string.Join(' ', await desk.FindAsync(jql, pageSize: 2)).ShouldBe(ids);
    }

    /// <summary>Bounds are minutes of the account's time zone, which is the one that times are shown in.</summary>
    [Theory]
    [InlineData("created", ">=", "yyyy-MM-dd HH:mm")]
    [InlineData("created", "<", "yyyy/MM/dd HH:mm")]
    [InlineData("updated", "<=", "yyyy-MM-dd")]
    [InlineData("updated", ">", "yyyy/MM/dd")]
    public async Task Times_are_compared_in_the_sites_time_zone(string field, string comparison, string form)
    {
        await using var desk = await Desk.OpenAsync(120);
        var shown = desk.Site.Keys().Select(key => desk.Site.Show(key)!).ToDictionary(
            issue => (string)issue["id"]!, issue => ((string)issue["fields"]![field]!)[..23], StringComparer.Ordinal);
        var bound = DateTime.ParseExact(shown["10060"][..16], "yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture);
        if (!form.Contains('H', StringComparison.Ordinal)) bound = bound.Date;
        var limit = bound.ToString("yyyy-MM-dd'T'HH:mm:ss.fff", CultureInfo.InvariantCulture);
        var expected = shown.Where(issue => Holds(string.CompareOrdinal(issue.Value, limit), comparison)).Select(issue => issue.Key);
        var found = await desk.FindAsync($"{field} {comparison} \"{bound.ToString(form, CultureInfo.InvariantCulture)}\"", pageSize: 50);
        found.Order(StringComparer.Ordinal).ShouldBe(expected.Order(StringComparer.Ordinal));
        found.Count.ShouldBeInRange(1, 119);
    }

    private static bool Holds(int order, string comparison) => comparison switch
    {
        "<" => order < 0,
        "<=" => order <= 0,
        ">" => order > 0,
        _ => order >= 0,
    };

    [Theory]
    [InlineData("nonsense = 1", "Field 'nonsense' does not exist or you do not have permission to view it.")]
    [InlineData("project = NONE", "The value 'NONE' does not exist for the field 'project'.")]
    [InlineData("key = PLAT-999", "Issue does not exist or you do not have permission to see it.")]
    [InlineData("created > yesterday", "Date value 'yesterday' for field 'created' is invalid.")]
    [InlineData("project = PLAT AND", "Error in the JQL Query: Expecting a field name before the end of the query.")]
    [InlineData("project PLAT", "Error in the JQL Query: Expecting operator but got 'PLAT'. (line 1, character 9)")]
    [InlineData("project = \"PLAT", "has not been completed")]
    [InlineData("project = PLAT created > 2020-01-01", "Expecting either 'OR' or 'AND' but got 'created'")]
    [InlineData("", "Unbounded JQL queries are not allowed here.")]
    public async Task Bad_queries_are_refused_with_a_reason(string jql, string reason)
    {
        await using var desk = await Desk.OpenAsync(9);
        (await desk.RefusedAsync(400, "search/jql", new JsonObject { ["jql"] = jql })).ShouldContain(reason);
        (await desk.RefusedAsync(400, $"search/jql?jql={Uri.EscapeDataString(jql)}")).ShouldContain(reason);
    }

    [Theory]
    [InlineData("""{"jql":"project = PLAT","maxResults":0}""", "between 1 and 5000")]
    [InlineData("""{"jql":"project = PLAT","maxResults":5001}""", "between 1 and 5000")]
    [InlineData("""{"jql":"project = PLAT","startAt":0}""", "Invalid request payload")]
    [InlineData("""{"jql":["project = PLAT"]}""", "Invalid request payload")]
    [InlineData("""{"jql":"project = PLAT","fields":"summary"}""", "Invalid request payload")]
    [InlineData("""{"jql":"project = PLAT","reconcileIssues":["x"]}""", "reconcileIssues")]
    public async Task Bad_requests_are_refused(string body, string reason)
    {
        await using var desk = await Desk.OpenAsync(9);
        (await desk.RefusedAsync(400, "search/jql", JsonNode.Parse(body))).ShouldContain(reason);
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
    public async Task The_old_search_is_gone_on_the_cloud_and_counts_elsewhere()
    {
        await using var desk = await Desk.OpenAsync(30);
        (await desk.RefusedAsync(410, "search?jql=project=PLAT")).ShouldBe("The requested API has been removed. Please migrate to the "
            + "/rest/api/3/search/jql API. A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046");
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
