using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.Features;

public sealed class PreferencesTests(Postgres postgres)
{
    [Theory, OnBothEngines]
    public async Task People_choose_among_what_they_may_read_and_see_their_own_choices_only(StateEngine engine)
    {
        await using var world = await World.NewAsync(engine, postgres);
        Task<Answer> AskAsync(string method, string path, string? body = null, Principal who = Principal.Analyst) => world.Server.SendAsync(method, path, body, world.TokenOf(who));
        (await AskAsync("PUT", "/api/settings/dataset", """{"dataset":"orders","enabled":true}""")).Body.ShouldBe("""{"dataset":"orders","enabled":true}""");
        foreach (var hidden in (string[])["salaries", "nothing"])
        {
            var refused = await AskAsync("PUT", "/api/settings/dataset", $$"""{"dataset":"{{hidden}}","enabled":true}""");
            (refused.Status, refused.Text("detail")).ShouldBe((403, $"No access to dataset '{hidden}'"));
        }

        (await AskAsync("PUT", "/api/settings/dataset", """{"dataset":"orders"}""")).Status.ShouldBe(422);
        (await AskAsync("PUT", "/api/settings/dataset", """{"enabled":true}""")).Status.ShouldBe(422);
        (await AskAsync("POST", "/api/sync/settings", """{"datasets":{"orders":false,"salaries":true}}""")).Body.ShouldBe("""{"updated":{"orders":{"enabled":false},"salaries":{"error":"no permission"}}}""");
        (await AskAsync("POST", "/api/sync/settings", """{"datasets":{"orders":"x"}}""")).Status.ShouldBe(422);
        (await AskAsync("POST", "/api/sync/table-subscriptions", """{"table_mode":"all","tables":{"orders":true,"salaries":true}}""")).Body.ShouldBe("""{"table_mode":"all","updated":1}""");
        (await AskAsync("PUT", "/api/settings/dataset", """{"dataset":"salaries","enabled":true}""", Principal.Admin)).Status.ShouldBe(200);

        var audited = (await world.Server.AuditAsync()).Where(entry => entry.Action == "preferences.updated").ToList();
        audited.Select(entry => entry.UserId).ShouldBe([world["analyst"], world["analyst"], world["analyst"], world["admin"]]);
        audited[1].Params!.ShouldContain("\"datasets\":{\"orders\":false}");
        audited[1].Params!.ShouldNotContain("salaries");

        var own = (await AskAsync("GET", "/api/settings")).Json;
        own["user_id"]!.GetValue<string>().ShouldBe(world["analyst"]);
        var row = own["sync_settings"]!.AsArray().ShouldHaveSingleItem()!;
        (row["dataset"]!.GetValue<string>(), row["enabled"]!.GetValue<bool>(), row["table_mode"]!.GetValue<string>(), row["tables"]).ShouldBe(("orders", true, "all", null));
        row["updated_at"]!.GetValue<string>().ShouldMatch(@"\A\d{4}-\d\d-\d\d \d\d:\d\d:\d\d");
        (await AskAsync("GET", "/api/sync/settings")).Json["enabled_datasets"]!.ToJsonString().ShouldBe("""["orders"]""");

        // A choice outlives the grant, its name is not shown; and goes with its owner.
        await world.AsAdminAsync("DELETE", "/api/admin/grants/{grant}");
        (await AskAsync("GET", "/api/sync/table-subscriptions")).Body.ShouldNotContain("orders");
        await world.AsAdminAsync("DELETE", "/api/users/{analyst}");
        (await world.Server.State.ReadAsync<long>("SELECT count(*) FROM user_sync_settings WHERE user_id = @id", new { id = world["analyst"] })).ShouldBe([0]);
    }
}
