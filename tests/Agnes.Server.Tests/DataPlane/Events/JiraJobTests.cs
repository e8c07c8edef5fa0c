using System.Text.Json.Nodes;
using Agnes.Emulators.Jira;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane.Events;

/// <summary>What goes on without events, and what no event told: times of service, and issues that are missing or gone.</summary>
public sealed class JiraJobTests(Postgres postgres)
{
    [Fact]
    public async Task Times_of_service_are_asked_for_with_the_account_that_sees_them_and_resolved_issues_are_healed()
    {
        await using var jira = await JiraServer.StartAsync(new JiraSite(new SiteShape
        {
            Issues = 6,
            Projects = [new Project("SUP", "Support", "service_desk")]
        }));
        foreach (var one in jira.Site.Keys()) jira.Site.Transition(one, "In Progress");
        await using var shop = await JiraShop.OpenAsync(postgres, jira);
        await shop.RunAsync("backfill");
        await shop.SeenAsync("SELECT count(*), count(time_to_resolution_elapsed_millis) FROM issues", "[[6,0]]");
        var first = await shop.RunAsync("sla-poll", """{"missing":true}""");
        first["result"]!.ToJsonString().ShouldBe("""{"found":6,"updated":6,"healed":0,"skipped":0,"missing":0,"failed":0}""");
        await shop.SeenAsync("SELECT count(time_to_resolution_elapsed_millis), count(*) FILTER (status_category <> 'Done') FROM issues",
            "[[6,6]]");

        var keys = jira.Site.Keys();
        jira.Site.Transition(keys[0], "Done"); // and nothing is posted
        jira.Break(Step.Issue, new Trouble(403));
        var before = jira.Count(Step.Issue);
        var dry = await shop.RunAsync("sla-poll", """{"dry_run":true}""");
        ((int)dry["result"]!["found"]!).ShouldBe(6);
        jira.Count(Step.Issue).ShouldBe(before, "a dry run asks nothing");
        var second = await shop.RunAsync("sla-poll");
        ((string?)second["status"]).ShouldBe("partial");
        ((int)second["result"]!["failed"]!).ShouldBe(1);
        var third = await shop.RunAsync("sla-poll");
        ((string?)third["status"], (int)third["result"]!["failed"]!).ShouldBe(("ok", 0));
        await shop.SeenAsync($"SELECT status_category, resolved_at IS NOT NULL FROM issues WHERE issue_key = '{keys[0]}'",
            """[["Done",true]]""");
        ((int)second["result"]!["healed"]! + (int)third["result"]!["healed"]!).ShouldBe(1);
        jira.Calls.Where(call => call.Account == Viewer.Service)
            .ShouldAllBe(call => call.Step == Step.Issue || call.Step == Step.ServerInfo);
    }

    [Fact]
    public async Task Few_missing_issues_are_fetched_many_are_said_and_a_search_that_lags_or_misses_is_not_believed()
    {
        await using var jira = await JiraServer.StartAsync(new JiraSite(new SiteShape
        {
            Issues = 20,
            End = DateTimeOffset.UtcNow.AddDays(-1)
        }));
        await using var shop = await JiraShop.OpenAsync(postgres, jira);
        var keys = jira.Site.Keys();
        await shop.RunAsync("backfill", new JsonObject
        {
            ["issue_keys"] = new JsonArray([.. keys.Take(17)
            .Select(key => (JsonNode)key)])
        }.ToJsonString());
        await shop.SeenAsync("SELECT count(*) FROM issues", "[[17]]");
        jira.Site.LoseFromSearch(keys[2], TimeSpan.FromHours(1));
        jira.Site.Delete(keys[4]); // and nothing is posted
        jira.Break(Step.Issue, new(), new(), new(), new(404), new(404)); // after the three that are missing: both, when they are asked for first
        var check = await shop.RunAsync("consistency", """{"max_age_days":2000}""");
        ((string?)check["status"]).ShouldBe("ok", check.ToJsonString());
        var report = check["result"]!;
        report["counts"]!.ToJsonString().ShouldBe("""{"jira_api":19,"raw_json":20,"parquet":20}""");
        report["discrepancies"]!["missing_in_json"]!.AsArray().Count.ShouldBe(3);
        report["discrepancies"]!["deleted_keys"]!.ToJsonString().ShouldBe($"[\"{keys[4]}\"]", "the one that the search missed, and that was not answered at first, is there");
        jira.IsMended.ShouldBeTrue();
        report["actions"]!["auto_backfilled"]!.AsArray().Count.ShouldBe(3);
        ((string?)report["alert_level"], (string?)report["check_type"]).ShouldBe(("INFO", "deep"));
        var file = Path.Combine(Path.GetDirectoryName(shop.Server.StateDir)!, "extracts", "jira", "raw", "_consistency_report.json");
        JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!["alert_level"]!.ToString()
            .ShouldBe("INFO");
        (await shop.RowsAsync("SELECT count(*) FROM issues")).ShouldBe("[[20]]", "nothing is removed by a check");
    }

    [Fact]
    public async Task More_than_ten_missing_issues_are_left_and_told()
    {
        await using var jira = await JiraServer.StartAsync(new JiraSite(new SiteShape
        {
            Issues = 11,
            End = DateTimeOffset.UtcNow.AddDays(-1)
        }));
        await using var shop = await JiraShop.OpenAsync(postgres, jira);
        var check = await shop.RunAsync("consistency", """{"max_age_days":2000}""");
        ((string?)check["status"], (string?)check["result"]!["alert_level"]).ShouldBe(("partial", "ERROR"));
        check["result"]!["discrepancies"]!["missing_in_json"]!.AsArray().Count.ShouldBe(11);
        jira.Count(Step.RemoteLinks).ShouldBe(0);
        var audited = (await shop.Server.AuditAsync()).Where(row => row.Action == "jira.consistency.started").ToList();
        audited.Count.ShouldBe(1);
    }
}
