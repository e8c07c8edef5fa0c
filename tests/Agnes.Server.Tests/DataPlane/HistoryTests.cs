using System.Text.Json.Nodes;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>What a table was before is kept, listed to those who may read it, and can be gone back to.</summary>
public sealed class HistoryTests(Postgres postgres)
{
    private const string History = "/api/v2/history/bills";
    private const string Back = "/api/admin/registry/bills/rollback";

    [Theory]
    [OnEitherEngine]
    public async Task An_admin_goes_back_and_those_rows_stay_until_the_source_brings_others(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres);
        await RegisterAsync(shop, "id,amount\n1,10\n2,20\n");
        await WriteAsync(shop, "id,amount\n1,10\n2,-5\n3,30\n");
        var history = await shop.AsAnalystAsync("GET", History);
        history.Status.ShouldBe(200, history.Body);
        var (now, before) = (history.Json["versions"]![0]!, history.Json["versions"]![1]!);
        (now["is_current"]!.GetValue<bool>(), now["rows"]!.GetValue<long>(), now["rows_more"]!.GetValue<long>(), now["parts_new"]!.GetValue<int>())
            .ShouldBe((true, 3, 1, 1));
        (before["is_current"]!.GetValue<bool>(), before["rows_more"]).ShouldBe((false, null));

        var number = before["number"]!.GetValue<long>();
        (await shop.AsAnalystAsync("POST", Back, Body(number))).Status.ShouldBe(403);
        (await shop.AsAdminAsync("POST", Back, Body(1))).Status.ShouldBe(404);
        (await shop.AsAdminAsync("POST", Back, """{"number":"x"}""")).Status.ShouldBe(422);
        (await shop.AsAdminAsync("POST", Back, Body(now["number"]!.GetValue<long>()))).Status.ShouldBe(409);
        var back = await shop.AsAdminAsync("POST", Back, Body(number));
        (back.Status, back.Json["is_rollback"]!.GetValue<bool>()).ShouldBe((200, true), back.Body);
        (await shop.RowsAsync("SELECT sum(amount) FROM bills")).ShouldBe("[[30]]");

        // The source still offers what was gone back behind: neither a look at it nor a sync brings it again, also after a restart of what is remembered.
        await shop.RunAsync(PublishJob.Request("test"));
        shop.Server.Services.GetService(typeof(SourcePublisher)).ShouldBeOfType<SourcePublisher>().Forget("csv");
        await shop.RunAsync(PublishJob.Request("test"));
        (await shop.SyncAsync("""["bills"]"""))["status"]!.GetValue<string>().ShouldBe("ok");
        (await shop.RowsAsync("SELECT sum(amount) FROM bills")).ShouldBe("[[30]]");
        // The same rows again: they are not published, but their table was pulled, and is not due at once again.
        var pulled = shop.Server.State.Snapshot.SyncStates["bills"].LastSync;
        await WriteAsync(shop, "id,amount\n1,10\n2,-5\n3,30\n");
        (await shop.RowsAsync("SELECT sum(amount) FROM bills")).ShouldBe("[[30]]");
        shop.Server.State.Snapshot.SyncStates["bills"].LastSync.ShouldNotBe(pulled);
        await WriteAsync(shop, "id,amount\n1,11\n");
        (await shop.RowsAsync("SELECT sum(amount) FROM bills")).ShouldBe("[[11]]");
        (await shop.Server.AuditAsync()).ShouldContain(entry => entry.Action == "rollback_table" && entry.Resource == "bills");
    }

    [Fact]
    public async Task The_newest_versions_are_kept_however_old_they_are_and_the_others_go()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { Limits = options.Limits with { VersionsKept = 2 } });
        await RegisterAsync(shop, "id,amount\n1,0\n");
        for (var i = 1; i <= 3; i++) await WriteAsync(shop, $"id,amount\n1,{i}\n");
        (await shop.AsAnalystAsync("GET", History)).Json["versions"]!.AsArray().Count.ShouldBe(4);
        shop.Server.Time.Advance(TimeSpan.FromDays(40));
        await shop.SignInAgainAsync();
        await shop.RunAsync(PurgeJob.Request("test"));
        var kept = (await shop.AsAdminAsync("GET", $"{History}?parts=1")).Json["versions"]!.AsArray();
        kept.Count.ShouldBe(2);
        var part = kept[1]!["files"]![0]!["sha256"]!.GetValue<string>();
        (await shop.AsAdminAsync("GET", $"/api/data/bills/parts/{part}")).Status.ShouldBe(200);
        await shop.AsAdminAsync("DELETE", "/api/admin/registry/bills");
        await shop.EventuallyAsync(() => shop.Server.State.Snapshot.PublishedTable("bills") is null, "the table is gone");
        shop.Server.Time.Advance(TimeSpan.FromDays(2));
        await shop.RunAsync(PurgeJob.Request("test"));
        shop.Server.State.Snapshot.Kept.ContainsKey("bills").ShouldBeFalse("of a table that is gone nothing is kept");
    }

    [Fact]
    public async Task Columns_that_came_went_or_changed_are_named_and_others_are_told_nothing()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        await RegisterAsync(shop, "id,amount,old\n1,10,x\n");
        await WriteAsync(shop, "id,amount,fresh\n1,1.5,y\n");
        var now = (await shop.AsAnalystAsync("GET", History)).Json["versions"]![0]!;
        now["column_changes"]!.AsArray().Select(change => change!.GetValue<string>()).ShouldBe(["+fresh VARCHAR", "-old", "amount BIGINT -> DOUBLE"]);
        var hidden = await shop.AsAnalystAsync("GET", "/api/v2/history/salaries");
        var never = await shop.AsAnalystAsync("GET", "/api/v2/history/nothing");
        (hidden.Status, hidden.Body.Replace("salaries", "nothing", StringComparison.Ordinal)).ShouldBe((never.Status, never.Body));
    }

    private static async Task RegisterAsync(Shop shop, string text)
    {
        shop.WriteCsv("bills.csv", text);
        await shop.RegisterAsync("""{"name":"bills","source_type":"csv","source_table":"bills.csv"}""");
        await shop.GrantAsync("bills");
        (await shop.SyncAsync("""["bills"]"""))["status"]!.GetValue<string>().ShouldBe("ok");
    }

    private static async Task WriteAsync(Shop shop, string text)
    {
        shop.Server.Time.Advance(TimeSpan.FromMinutes(1));
        shop.WriteCsv("bills.csv", text);
        (await shop.SyncAsync("""["bills"]"""))["status"]!.GetValue<string>().ShouldBe("ok");
    }

    private static string Body(long number) => new JsonObject { ["number"] = number }.ToJsonString();
}
