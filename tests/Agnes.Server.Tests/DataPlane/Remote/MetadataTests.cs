using System.Text.Json.Nodes;
using Agnes.Emulators.BigQuery;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>What sources say of the tables that stay there: asked for by jobs, kept, shown, and never waited for.</summary>
public sealed class MetadataTests(Postgres postgres) : IAsyncLifetime
{
    private const string Refresh = "/api/admin/run-bq-metadata-refresh";
    private BigQueryShop _world = null!;
    private BigQueryServer _cloud = null!;
    private Shop _shop = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await BigQueryShop.OpenAsync(postgres);
        (_cloud, _shop) = (_world.Cloud, _world.Shop);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task What_is_registered_is_asked_about_without_anybody_asking_for_it()
    {
        await _world.UntilAsync("bought", "fresh");
        var bought = await EntryAsync("bought");
        (bought["rows"]!.GetValue<long>(), bought["rough_size_hint"]!.GetValue<string>(), bought["entity_type"]!.GetValue<string>())
            .ShouldBe((7, "small", "BASE TABLE"));
        (bought["partition_by"]!.GetValue<string>(), bought["clustered_by"]!.ToJsonString(), bought["sql_flavor"]!.GetValue<string>())
            .ShouldBe(("day", """["name"]""", "bigquery"));
        bought["size_bytes"]!.GetValue<long>().ShouldBe(_cloud.Warehouse.Tables.Single(one => one.Name == "orders_v2").TotalBytes);
        bought["fetch_via"]!.GetValue<string>().ShouldContain("agnes snapshot create bought --where");
        await _world.UntilAsync("wide", "fresh");
        var view = await EntryAsync("wide");
        (view["rows"], view["size_bytes"], view["rough_size_hint"], view["entity_type"]!.GetValue<string>())
            .ShouldBe((null, null, null, "VIEW"));
        (await EntryAsync("huge"))["rough_size_hint"]!.GetValue<string>().ShouldBe("very_large");
        var local = await EntryAsync("orders");
        (local["metadata_freshness"]!.GetValue<string>(), local["rough_size_hint"]!.GetValue<string>()).ShouldBe(("not_applicable", "small"));
        _cloud.Jobs.ShouldBeEmpty("what is known of a table costs nothing");
    }

    [Fact]
    public async Task A_refresh_is_one_at_a_time_and_says_what_came_of_it()
    {
        await _world.SettledAsync();
        _cloud.Break(Call.TablesGet, Trouble.Of("accessDenied"));
        var done = await _shop.AsAdminAsync("POST", Refresh);
        done.Status.ShouldBe(200, done.Body);
        (done.Number("total"), done.Number("succeeded"), done.Number("no_data"), done.Number("failed")).ShouldBe((5, 4, 0, 1));
        (done.Json["started_at"] is not null, done.Json["duration_ms"] is not null).ShouldBe((true, true));
        _cloud.Break(Call.TablesGet, Trouble.Of("notFound"));
        (await _shop.AsAdminAsync("POST", Refresh)).Number("no_data").ShouldBe(1);

        _cloud.Break(Call.TablesGet, new Trouble.Delay(TimeSpan.FromSeconds(3)), times: 5);
        var first = _shop.AsAdminAsync("POST", Refresh);
        await _shop.EventuallyAsync(() => _cloud.Count(Call.TablesGet) >= 16, "it asks");
        var second = await _shop.AsAdminAsync("POST", Refresh);
        second.Status.ShouldBe(409, second.Body);
        var detail = second.Json["detail"]!;
        detail["reason"]!.GetValue<string>().ShouldBe("already_running");
        foreach (var field in (string[])["run_id", "started_at", "hint"]) detail[field]!.GetValue<string>().ShouldNotBeEmpty(field);
        (await _shop.AsAdminAsync("POST", "/api/admin/cache-warmup/run")).Text("status").ShouldBe("already_running");
        var ended = await first;
        (ended.Status, ended.Text("run_id")).ShouldBe((200, detail["run_id"]!.GetValue<string>()), ended.Body);
    }

    [Fact]
    public async Task What_fails_keeps_what_was_known_and_says_so()
    {
        await _world.SettledAsync();
        _cloud.Break(Call.TablesGet, Trouble.Of("accessDenied"));
        var failed = await _shop.AsAdminAsync("POST", "/api/v2/metadata-cache/refresh?table=bought");
        (failed.Status, failed.Text("status")).ShouldBe((200, "error"), failed.Body);
        failed.Text("error").ShouldContain("denied access");
        failed.Body.ShouldNotContain("payroll");
        var known = await _world.KnownAsync("bought");
        (known["rows"]!.GetValue<long>(), known["freshness"]!.GetValue<string>()).ShouldBe((7, "fresh"));
        (known["error_msg"]!.GetValue<string>(), known["error_at"] is not null).ShouldBe((failed.Text("error"), true));
        (await EntryAsync("bought"))["rows"]!.GetValue<long>().ShouldBe(7);
        (await _shop.Server.State.ReadAsync<long>(
            "SELECT rows FROM bq_metadata_cache WHERE table_id = 'bought' AND columns IS NOT NULL AND refreshed_at IS NOT NULL"))
            .ShouldBe([7L], "the next start knows it too");

        _shop.Server.Time.Advance(TimeSpan.FromHours(8) + TimeSpan.FromSeconds(1));
        await _shop.SignInAgainAsync();
        (await EntryAsync("bought", isAdmin: true))["metadata_freshness"]!.GetValue<string>().ShouldBe("stale");
        var again = await _shop.AsAdminAsync("POST", "/api/v2/metadata-cache/refresh?table=bought");
        (again.Text("status"), again.Number("rows"), again.Text("entity_type")).ShouldBe(("ok", 7, "BASE TABLE"));
        (await EntryAsync("bought", isAdmin: true))["metadata_freshness"]!.GetValue<string>().ShouldBe("fresh");

        _cloud.Break(Call.TablesGet, Trouble.Of("notFound"));
        (await _shop.AsAdminAsync("POST", "/api/v2/metadata-cache/refresh?table=bought")).Text("status").ShouldBe("no_data");
        (await _shop.AsAdminAsync("POST", "/api/v2/metadata-cache/refresh?table=orders")).Status.ShouldBe(400);
        var unknown = await _shop.AsAdminAsync("POST", "/api/v2/metadata-cache/refresh?table=nope");
        (unknown.Status, unknown.Text("detail")).ShouldBe((404, "Unknown table_id: nope"));
    }

    [Fact]
    public async Task Pages_show_what_is_known_and_what_a_source_failed_at()
    {
        await _world.SettledAsync();
        var page = await PageAsync("/catalog/bought");
        foreach (var part in (string[])["DECIMAL(38,9)", "Partitioned by", "base table", "agnes snapshot create bought", "SQL (BigQuery)"])
            page.ShouldContain(part);
        page.ShouldNotContain("No columns known yet");
        (await PageAsync("/catalog?q=price")).ShouldContain("/catalog/bought", customMessage: "found by a column's name");
        (await PageAsync("/catalog?state=attention")).ShouldNotContain("/catalog/bought");

        _cloud.Break(Call.TablesGet, Trouble.Of("accessDenied"));
        (await _shop.AsAdminAsync("POST", "/api/v2/metadata-cache/refresh?table=bought")).Text("status").ShouldBe("error");
        page = await PageAsync("/catalog/bought");
        foreach (var part in (string[])["could not say what the table is", "denied access", "Source failed", "DECIMAL(38,9)"])
            page.ShouldContain(part);
        (await PageAsync("/catalog?state=attention")).ShouldContain("/catalog/bought");
    }

    [Fact]
    public async Task Whoever_may_not_read_a_table_is_told_nothing_of_it()
    {
        await _world.SettledAsync();
        var mine = await _shop.AsAnalystAsync("GET", "/api/v2/metadata-cache/status");
        mine.Json["tables"]!.AsArray().Select(one => one!["table_id"]!.GetValue<string>())
            .ShouldBe(["bought", "cheap", "huge", "wide"]);
        mine.Body.ShouldNotContain("secrets");
        (mine.Number("scheduler_interval_seconds"), mine.Number("fresh_threshold_seconds")).ShouldBe((14400, 28800));
        var all = await _shop.AsAdminAsync("GET", "/api/v2/metadata-cache/status");
        all.Json["tables"]!.AsArray().Single(one => one!["table_id"]!.GetValue<string>() == "secrets")!["known_columns"]!.ToJsonString()
            .ShouldBe("""["who"]""");
    }

    [Fact]
    public async Task No_request_for_what_is_known_waits_for_a_source()
    {
        await _world.SettledAsync();
        foreach (var path in (string[])["schema/bought", "catalog", "schema/huge"])
            (await _shop.AsAnalystAsync("GET", $"/api/v2/{path}")).Status.ShouldBe(200);
        var asked = _cloud.Calls.Count;
        _cloud.Break(Call.Any, new Trouble.Stall(), times: 1000);
        _shop.Server.Time.Advance(TimeSpan.FromDays(3));
        await _shop.SignInAgainAsync();
        var schema = await _shop.AsAdminAsync("GET", "/api/v2/schema/bought");
        schema.Status.ShouldBe(200, schema.Body);
        schema.Json["columns"]!.AsArray().Select(column => $"{column!["name"]} {column["type"]} {column["nullable"]}")
            .ShouldBe(["id BIGINT false", "name VARCHAR true", "price DECIMAL(38,9) true", "day DATE true", "tags VARCHAR[] true"]);
        (schema.Text("partition_by"), schema.Json["clustered_by"]!.ToJsonString()).ShouldBe(("day", """["name"]"""));
        (await EntryAsync("bought", isAdmin: true))["metadata_freshness"]!.GetValue<string>().ShouldBe("stale");
        _cloud.Calls.Count.ShouldBe(asked);
        _cloud.Mend();
    }

    [Fact]
    public async Task A_change_of_what_is_asked_forgets_what_was_said_before()
    {
        await _world.SettledAsync();
        _cloud.Break(Call.TablesGet, new Trouble.Delay(TimeSpan.FromSeconds(3)), times: 2);
        (await _shop.AsAdminAsync("PUT", "/api/admin/registry/bought", """{"source_table":"huge"}""")).Status.ShouldBe(200);
        var unknown = await _world.KnownAsync("bought");
        (unknown["freshness"]!.GetValue<string>(), unknown["rows"], unknown["known_columns"]!.ToJsonString())
            .ShouldBe(("never_fetched", null, "[]"), "what was said of another table is not said of this one");
        (await EntryAsync("bought"))["partition_by"].ShouldBeNull();
        var schema = await _shop.AsAdminAsync("GET", "/api/v2/schema/bought");
        schema.Json["columns"]!.AsArray().Select(column => column!["name"]!.GetValue<string>()).ShouldBe(["id", "note"]);
        await _world.UntilAsync("bought", "fresh");
        (await EntryAsync("bought"))["rough_size_hint"]!.GetValue<string>().ShouldBe("very_large");
        (await _shop.AsAdminAsync("DELETE", "/api/admin/registry/bought")).Status.ShouldBe(204);
        (await _shop.Server.State.ReadAsync<long>("SELECT count(*) FROM bq_metadata_cache WHERE table_id = 'bought'")).ShouldBe([0L]);
    }

    [Fact]
    public async Task Examples_name_columns_that_are_there()
    {
        await _world.SettledAsync();
        (await EntryAsync("bought"))["where_examples"]!.ToJsonString().ShouldBe("[]");
        _cloud.Warehouse.AddTable(BigQueryShop.Data, "sales", "events", "event_date DATE, country_code STRING, platform STRING");
        await _world.RegisterAsync("events", "sales", "events");
        (await _shop.AsAdminAsync("POST", "/api/v2/metadata-cache/refresh?table=events")).Text("status").ShouldBe("ok");
        var entry = await EntryAsync("events", isAdmin: true);
        var examples = entry["where_examples"]!.AsArray().Select(one => one!.GetValue<string>()).ToList();
        examples.Count.ShouldBe(2);
        (entry["rows"]!.GetValue<long>(), entry["rough_size_hint"]!.GetValue<string>()).ShouldBe((0, "small"));
        foreach (var example in examples)
        {
            var body = new JsonObject { ["table_id"] = "events", ["where"] = example };
            var estimate = await _shop.AsAdminAsync("POST", "/api/v2/scan/estimate", body.ToJsonString());
            estimate.Status.ShouldBe(200, estimate.Body);
        }
    }

    [Fact]
    public async Task Those_who_look_on_see_a_run_from_its_start_to_its_end()
    {
        await _world.SettledAsync();
        _cloud.Break(Call.TablesGet, Trouble.Of("accessDenied"));
        using var client = new HttpClient { BaseAddress = new Uri(_shop.Server.Url), Timeout = TimeSpan.FromMinutes(1) };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/admin/cache-warmup/stream");
        request.Headers.Authorization = new("Bearer", _shop.Admin);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var events = new List<(string Name, JsonNode Data)>();
        string? name = null;
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line["event: ".Length..];
            if (!line.StartsWith("data: ", StringComparison.Ordinal)) continue;
            events.Add((name!, JsonNode.Parse(line["data: ".Length..])!));
            if (events.Count == 1) (await _shop.AsAdminAsync("POST", "/api/admin/cache-warmup/run")).Text("status").ShouldBe("started");
        }

        events[0].Name.ShouldBe("snapshot");
        (events[1].Name, events[1].Data["total"]!.GetValue<long>(), events[1].Data["trigger"]!.GetValue<string>())
            .ShouldBe(("start", 5, "manual"));
        var rows = events.Where(one => one.Name == "row").Select(one => one.Data).ToList();
        rows.Count(row => row["status"]!.GetValue<string>() == "warming").ShouldBe(5);
        rows.Count(row => row["status"]!.GetValue<string>() == "fresh").ShouldBe(4);
        rows.Single(row => row["status"]!.GetValue<string>() == "error")["error"]!.GetValue<string>().ShouldContain("denied access");
        var (last, end) = events[^1];
        (last, end["completed"]!.GetValue<long>(), end["failed"]!.GetValue<long>()).ShouldBe(("complete", 4, 1));

        var status = await _shop.AsAdminAsync("GET", "/api/admin/cache-warmup/status");
        (status.Text("trigger"), status.Number("total"), status.Number("completed"), status.Number("failed"))
            .ShouldBe(("manual", 5, 4, 1));
        status.Json["rows"]!.AsObject().Select(row => row.Key).ShouldBe(["bought", "cheap", "huge", "secrets", "wide"]);
        status.Json["rows"]!["wide"]!["last_warmed_at"].ShouldNotBeNull();
    }

    [Fact]
    [Long]
    public async Task A_silent_source_is_not_waited_for_again_and_again()
    {
        await _world.SettledAsync();
        _cloud.Break(Call.TablesGet, new Trouble.Stall(), times: 4);
        var run = await _shop.AsAdminAsync("POST", Refresh);
        run.Status.ShouldBe(200, run.Body);
        (run.Number("failed"), run.Number("succeeded")).ShouldBe((5, 0), "the fifth is not asked about");
        run.Number("duration_ms").ShouldBeInRange(25_000, 55_000);
        (await _world.KnownAsync("bought"))["error_msg"]!.GetValue<string>().ShouldContain("did not say what the table is within 30 s");
        (await EntryAsync("bought"))["rows"]!.GetValue<long>().ShouldBe(7);
    }

    [Fact]
    public async Task An_admin_may_have_the_catalog_refreshed_and_waits_for_nothing()
    {
        await _world.SettledAsync();
        _cloud.Break(Call.TablesGet, new Trouble.Delay(TimeSpan.FromSeconds(2)), times: 5);
        var before = _cloud.Count(Call.TablesGet);
        (await _shop.AsAnalystAsync("GET", "/api/v2/catalog?refresh=1")).Status.ShouldBe(200);
        await Task.Delay(TimeSpan.FromMilliseconds(500));
        _cloud.Count(Call.TablesGet).ShouldBe(before, "an analyst starts nothing");
        (await _shop.AsAdminAsync("GET", "/api/v2/catalog?refresh=1")).Status.ShouldBe(200);
        await _shop.EventuallyAsync(() => _cloud.Count(Call.TablesGet) == before + 5, "all are asked about");
    }

    private async Task<string> PageAsync(string path)
    {
        var page = await _shop.AsAnalystAsync("GET", path, change: request => request.Headers.Add("Accept", "text/html"));
        page.Status.ShouldBe(200, page.Body);
        return page.Body;
    }

    private async Task<JsonNode> EntryAsync(string table, bool isAdmin = false)
    {
        var answer = isAdmin ? await _shop.AsAdminAsync("GET", "/api/v2/catalog") : await _shop.AsAnalystAsync("GET", "/api/v2/catalog");
        answer.Status.ShouldBe(200, answer.Body);
        return answer.Json["tables"]!.AsArray().Single(one => one!["id"]!.GetValue<string>() == table)!;
    }
}

internal static class NumbersOfAnswers
{
    public static long Number(this Answer answer, string name) => answer.Json[name]!.GetValue<long>();
}
