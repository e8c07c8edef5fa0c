using System.Text.Json.Nodes;
using Agnes.Emulators.Jira;

namespace Agnes.Connectors.Tests.Jira;

/// <summary>The emulated site: the same by the same seed, cheap at any size, and changed as Jira changes.</summary>
public sealed class JiraSiteTests
{
    [Fact]
    public void Equal_seeds_make_equal_issues_and_others_do_not()
    {
        var (one, same) = (new JiraSite(new SiteShape { Seed = 5 }), new JiraSite(new SiteShape { Seed = 5 }));
        var other = new JiraSite(new SiteShape { Seed = 6 });
        foreach (var key in one.Keys()) one.Show(key)!.ToJsonString().ShouldBe(same.Show(key)!.ToJsonString());
        one.Keys().Count(key =>
            one.Show(key)!["fields"]!["summary"]!.ToJsonString() == other.Show(key)!["fields"]!["summary"]!.ToJsonString())
            .ShouldBeLessThan(20);
    }

    [Fact]
    public void An_issue_is_the_same_after_it_is_kept()
    {
        var site = new JiraSite();
        var before = site.Show("SUPPORT-5")!["fields"]!.AsObject();
        site.AddRemoteLink("SUPPORT-5", "https://example.com", "kept from here on");
        site.Show("SUPPORT-5")!["fields"]!.ToJsonString().ShouldBe(before.ToJsonString());
    }

    [Fact]
    public void Generated_issues_hold_together()
    {
        var site = new JiraSite(new SiteShape { Issues = 600, TalkativeOneIn = 40, RestlessOneIn = 40 });
        var shown = site.Keys().ToDictionary(key => key, key => site.Show(key)!, StringComparer.Ordinal);
        shown.Count.ShouldBe(600);
        foreach (var (key, issue) in shown)
        {
            var fields = issue["fields"]!;
            var histories = issue["changelog"]!["histories"]!.AsArray();
            ((string)histories[0]!["created"]!).ShouldBe((string)fields["updated"]!, key);
            ((string)histories[0]!["items"]![0]!["toString"]!).ShouldBe((string)fields["status"]!["name"]!, key);
            string.CompareOrdinal((string)fields["created"]!, (string)fields["updated"]!).ShouldBeLessThanOrEqualTo(0, key);
            foreach (var link in fields["issuelinks"]!.AsArray())
            {
                var isOutward = link!["outwardIssue"] is not null;
                var other = shown[(string)(link["outwardIssue"] ?? link["inwardIssue"])!["key"]!];
                var back = other["fields"]!["issuelinks"]!.AsArray().Single(one => (string)one!["id"]! == (string)link["id"]!)!;
                ((string)back[isOutward ? "inwardIssue" : "outwardIssue"]!["key"]!).ShouldBe(key);
            }
        }

        shown.Values.Sum(issue => issue["fields"]!["issuelinks"]!.AsArray().Count).ShouldBeGreaterThan(100);
        shown.Values.Count(issue => (int)issue["fields"]!["comment"]!["total"]! > 100).ShouldBeGreaterThan(3);
        shown.Values.Count(issue => (int)issue["changelog"]!["total"]! > 100).ShouldBeGreaterThan(3);
        shown.Values.ShouldContain(issue =>
            issue["fields"]!["labels"]!.AsArray().Any(label => ((string)label!).Any(letter => letter > '\u007f')));
        var ids = shown.Values.SelectMany(issue =>
            issue["fields"]!["comment"]!["comments"]!.AsArray().Select(comment => (string)comment!["id"]!)).ToList();
        ids.Distinct(StringComparer.Ordinal).Count().ShouldBe(ids.Count);
    }

    [Fact]
    public async Task Three_hundred_thousand_issues_are_found_page_by_page_and_only_the_changed_ones_are_kept()
    {
        await using var desk = await Desk.OpenAsync(300_000);
        var found = await desk.FindAsync("created >= 2020-01-01 ORDER BY created ASC", pageSize: 5_000);
        found.Count.ShouldBe(300_000);
        found.Distinct(StringComparer.Ordinal).Count().ShouldBe(300_000);
        desk.Server.Count(Step.Search).ShouldBe(60);
        ((string)(await desk.GetAsync("issue/OPS-100000"))["id"]!).ShouldBe("309999");
        desk.Site.Kept.ShouldBe(0);
        desk.Site.AddComment("OPS-100000", "the last one");
        desk.Site.Kept.ShouldBe(1);
    }

    [Fact]
    public void A_moved_issue_has_another_key_and_the_same_id_and_its_old_key_leads_to_it()
    {
        var site = new JiraSite();
        var id = (string)site.Show("PLAT-3")!["id"]!;
        var moved = site.Move("PLAT-3", "SUPPORT");
        moved.Key.ShouldBe("SUPPORT-35"); // there were 34
        foreach (var name in (string[])["PLAT-3", "SUPPORT-35", id]) ((string)site.Show(name)!["key"]!).ShouldBe("SUPPORT-35");
        var body = moved.Events.ShouldHaveSingleItem().Json;
        ((string)body["issue_event_type_name"]!).ShouldBe("issue_moved");
        ((string)body["issue"]!["id"]!).ShouldBe(id);
        body["changelog"]!["items"]!.AsArray().Select(item => $"{item!["field"]}: {item["fromString"]} → {item["toString"]}")
            .ShouldBe(["project: Platform → Customer support", "Key: PLAT-3 → SUPPORT-35"]);
        site.Create("SUPPORT", "next").Key.ShouldBe("SUPPORT-36");
    }

    [Fact]
    public void A_deleted_issue_is_gone_with_the_links_to_it()
    {
        var site = new JiraSite();
        var (one, other) = (site.Create("PLAT", "one").Key, site.Create("PLAT", "other").Key);
        var link = site.Link(one, other, "Blocks").Id;
        site.LinkIds(one).ShouldBe([link!]);
        ((string)site.Show(other)!["fields"]!["issuelinks"]![0]!["inwardIssue"]!["key"]!).ShouldBe(one);
        site.AddComment(other, "first");
        var count = site.Count;
        var events = site.Delete(other).Events;
        events.Select(webhook => (webhook.Name, webhook.IsPrimary))
            .ShouldBe([("jira:issue_deleted", true), ("comment_deleted", false), ("issuelink_deleted", false)]);
        events[0].Json["issue_event_type_name"].ShouldBeNull();
        site.Show(other).ShouldBeNull();
        site.Count.ShouldBe(count - 1);
        site.Show(one)!["fields"]!["issuelinks"]!.AsArray().ShouldBeEmpty();
        Should.Throw<KeyNotFoundException>(() => site.AddComment(other, "too late"));
    }

    [Fact]
    public void A_field_takes_a_value_of_another_type()
    {
        var site = new JiraSite();
        site.Update("SUPPORT-1", "customfield_10004", new JsonObject { ["value"] = "Severity 2", ["id"] = "1" });
        var change = site.Update("SUPPORT-1", "customfield_10004", 7).Events[0].Json["changelog"]!["items"]![0]!;
        change.ToJsonString().ShouldBe("""{"field":"Severity","fieldtype":"custom","fieldId":"customfield_10004","from":"1","""
            + "\"fromString\":\"Severity 2\",\"to\":null,\"toString\":\"7\"}");
        ((int)site.Show("SUPPORT-1")!["fields"]!["customfield_10004"]!).ShouldBe(7);
    }

    [Fact]
    public void Transitions_set_the_resolution_and_take_it_away()
    {
        var site = new JiraSite();
        var key = site.Create("SUPPORT", "to be done").Key;
        var items = site.Transition(key, "Done").Events[0].Json["changelog"]!["items"]!.AsArray();
        items.Select(item => (string)item!["field"]!).ShouldBe(["resolution", "status"]);
        var done = site.Show(key)!["fields"]!;
        ((string)done["resolution"]!["name"]!).ShouldBe("Done");
        ((string)done["resolutiondate"]!).ShouldBe((string)done["updated"]!);
        site.Transition(key, "In Progress");
        site.Show(key)!["fields"]!["resolution"].ShouldBeNull();
    }

    [Fact]
    public void Service_levels_go_on_until_they_end_and_only_agents_see_them()
    {
        var site = new JiraSite(new SiteShape { Issues = 0 });
        var key = site.Create("SUPPORT", "help").Key;
        JsonNode Level(string field) => site.Show(key, Viewer.Service)!["fields"]![field]!;
        ((bool)Level("customfield_10328")["ongoingCycle"]!["breached"]!).ShouldBeFalse();
        site.Ahead += TimeSpan.FromHours(5);
        ((bool)Level("customfield_10328")["ongoingCycle"]!["breached"]!).ShouldBeTrue();
        ((long)Level("customfield_10328")["ongoingCycle"]!["elapsedTime"]!["millis"]!).ShouldBeInRange(5 * 3_600_000,
            (5 * 3_600_000) + 60_000);
        site.AddComment(key, "we are at it");
        Level("customfield_10328")["ongoingCycle"].ShouldBeNull();
        ((bool)Level("customfield_10328")["completedCycles"]![0]!["breached"]!).ShouldBeTrue();
        ((string)site.Show(key)!["fields"]!["customfield_10328"]!["errorMessage"]!).ShouldContain("permission");
        site.Show(site.Create("PLAT", "no service desk").Key, Viewer.Service)!["fields"]!["customfield_10161"].ShouldBeNull();
    }
}
