using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

public sealed class SyncTests(Postgres postgres, Worlds worlds)
{
    [Theory, OnEitherEngine]
    public async Task Files_become_tables_and_a_broken_one_fails_alone(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres);
        shop.WriteCsv("visits.csv", "id,page\n1,home\n2,about\n");
        shop.WriteCsv("broken.parquet", "this is no parquet file");
        await shop.RegisterAsync("""{"name":"visits","source_type":"local","source_table":"visits.csv"}""");
        await shop.RegisterAsync("""{"name":"broken","source_type":"local","source_table":"broken.parquet"}""");
        await shop.RegisterAsync("""{"name":"absent","source_type":"local","source_table":"absent.csv"}""");

        var run = await shop.SyncAsync();
        run["status"]!.GetValue<string>().ShouldBe("partial");
        Steps(run).ShouldBe(new Dictionary<string, string> { ["absent"] = "failed", ["broken"] = "failed", ["visits"] = "ok" });
        run["result"]!["failed"]!.AsArray().Select(failed => failed!["table"]!.GetValue<string>()).ShouldBe(["absent", "broken"]);
        (await shop.AsAdminAsync("POST", "/api/query", """{"sql":"select count(*) from visits"}""")).Json["rows"]![0]![0]!.GetValue<long>().ShouldBe(2);
        var registry = (await shop.AsAdminAsync("GET", "/api/admin/registry")).Json["tables"]!.AsArray();
        string? ErrorOf(string table) => registry.Single(row => row!["id"]!.GetValue<string>() == table)!["last_sync_error"]?.GetValue<string>();
        ErrorOf("visits").ShouldBeNull();
        ErrorOf("broken").ShouldNotBeNull().ShouldNotContain(shop.DataDir);
        ErrorOf("absent").ShouldNotBeNull();
        (await shop.AsAdminAsync("GET", $"/api/sync/runs/{run["id"]}/log")).Body.ShouldContain("broken");

        // What was good stays while its file is broken, and is replaced when it is mended.
        shop.WriteCsv("broken.parquet", "still none");
        var visits = shop.WriteCsv("visits.csv", "id,page\n1,\"home\n");
        await shop.SyncAsync("""["visits"]""");
        (await shop.AsAdminAsync("POST", "/api/query", """{"sql":"select count(*) from visits"}""")).Status.ShouldBe(200);
        File.WriteAllText(visits, "id,page\n1,home\n2,about\n3,shop\n");
        (await shop.SyncAsync("""{"tables":["visits"]}"""))["status"]!.GetValue<string>().ShouldBe("ok");
        (await shop.AsAdminAsync("POST", "/api/query", """{"sql":"select count(*) from visits"}""")).Json["rows"]![0]![0]!.GetValue<long>().ShouldBe(3);
        shop.Server.State.Snapshot.SyncStates["visits"].Status.ShouldBe("ok");
    }

    [Fact]
    public async Task A_warning_stands_once_in_the_log_of_its_run()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        shop.WriteCsv("odd.csv", "id,id\n1,2\n3,4\n");
        await shop.RegisterAsync("""{"name":"odd","source_type":"local","source_table":"odd.csv"}""");
        var run = await shop.SyncAsync();
        var log = (await shop.AsAdminAsync("GET", $"/api/sync/runs/{run["id"]}/log")).Body;
        log.Split("columns of one name were numbered").Length.ShouldBe(2, log);
    }

    [Fact]
    public async Task An_unchanged_table_is_not_published_again()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        shop.WriteCsv("visits.csv", "id\n1\n");
        await shop.RegisterAsync("""{"name":"visits","source_type":"local","source_table":"visits.csv"}""");
        await shop.SyncAsync();
        var before = shop.Server.State.Snapshot;
        var run = await shop.SyncAsync();
        Steps(run)["visits"].ShouldBe("unchanged");
        shop.Server.State.Snapshot.PublicationVersion.ShouldBe(before.PublicationVersion);
        (await shop.Server.State.ReadAsync<long>("SELECT count(*) FROM sync_history WHERE table_id = 'visits'"))[0].ShouldBe(1);
    }

    [Fact]
    public async Task A_renamed_table_keeps_its_rows_grants_and_state()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        shop.WriteCsv("visits.csv", "id\n1\n");
        await shop.RegisterAsync("""{"name":"visits","source_type":"local","source_table":"visits.csv"}""");
        await shop.SyncAsync();
        await shop.GrantAsync("visits");
        (await shop.AsAdminAsync("PUT", "/api/admin/registry/visits", """{"name":"page_visits"}""")).Status.ShouldBe(200);
        (await shop.AsAnalystAsync("POST", "/api/query", """{"sql":"select count(*) from page_visits"}""")).Status.ShouldBe(200);
        (await shop.AsAnalystAsync("POST", "/api/query", """{"sql":"select count(*) from visits"}""")).Status.ShouldBe(403);
        (await shop.AsAnalystAsync("GET", "/api/data/visits/download")).Status.ShouldBe(200);
        await shop.EventuallyAsync(() => !File.Exists(Path.Combine(shop.DataDir, "extracts/csv/data/visits.parquet")), "the extract has the new name");
        await shop.SyncAsync();
        var manifest = (await shop.AsAnalystAsync("GET", "/api/sync/manifest")).Json["tables"]!.AsObject();
        manifest.ContainsKey("page_visits").ShouldBeTrue();
        manifest.ContainsKey("visits").ShouldBeFalse();
    }

    [Fact]
    public async Task A_removed_table_leaves_the_extract()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        shop.WriteCsv("visits.csv", "id\n1\n");
        await shop.RegisterAsync("""{"name":"visits","source_type":"local","source_table":"visits.csv"}""");
        await shop.SyncAsync();
        File.Exists(Path.Combine(shop.DataDir, "extracts/csv/data/visits.parquet")).ShouldBeTrue();
        (await shop.AsAdminAsync("DELETE", "/api/admin/registry/visits")).Status.ShouldBe(204);
        shop.Server.State.Snapshot.PublishedTable("visits").ShouldBeNull();
        await shop.EventuallyAsync(() => !File.Exists(Path.Combine(shop.DataDir, "extracts/csv/data/visits.parquet")), "the extract has it no more");
        await shop.SyncAsync();
        shop.Server.State.Snapshot.PublishedTable("visits").ShouldBeNull();
    }

    [Fact]
    public async Task Two_sources_with_one_name_the_first_has_it_until_it_stops_offering_it()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        ForeignExtract.Write(shop.DataDir, "other", ("LOOSE", "SELECT 'other' AS a"), ("own", "SELECT 1 AS a"));
        await shop.SyncAsync();
        shop.Server.State.Snapshot.PublishedTable("loose")!.Source.ShouldBe("erp");
        shop.Server.State.Snapshot.PublishedTable("own")!.Source.ShouldBe("other");
        (await shop.AsAdminAsync("GET", "/api/health/detailed")).Json["services"]!["sources"]!["skipped"]![0]!["collided"]![0]!.GetValue<string>().ShouldBe("LOOSE");

        await shop.GrantAsync("loose");
        ForeignExtract.Write(shop.DataDir, "erp", ("Orders", "SELECT 1 AS id"), ("salaries", "SELECT 1 AS pay"));
        var run = await shop.SyncAsync();
        run["status"]!.GetValue<string>().ShouldBe("ok");
        shop.Server.State.Snapshot.PublishedTable("loose")!.Source.ShouldBe("other", "offered in the same run");
        shop.Server.State.Snapshot.GrantsOn("table", "loose").Count.ShouldBe(1, "it was known to wait for the name");
    }

    [Fact]
    public async Task What_stands_is_said_in_every_run_while_it_lasts()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        ForeignExtract.Write(shop.DataDir, "bad-name", ("x", "SELECT 1 AS a"));
        File.WriteAllText(Path.Combine(shop.DataDir, "extracts/erp/extract.duckdb"), "this is no database");
        for (var time = 0; time < 2; time++)
        {
            var run = await shop.SyncAsync();
            run["status"]!.GetValue<string>().ShouldBe("partial");
            var problems = run["result"]!["problems"]!.AsArray().Select(problem => problem!.GetValue<string>()).ToList();
            problems.Count.ShouldBe(2, string.Join('\n', problems));
            problems.ShouldContain(problem => problem.StartsWith("erp: ", StringComparison.Ordinal));
            problems.ShouldContain(problem => problem.StartsWith("bad-name: its folder has a name", StringComparison.Ordinal));
        }

        Directory.Delete(Path.Combine(shop.DataDir, "extracts/bad-name"), recursive: true);
        ForeignExtract.Write(shop.DataDir, "erp", ("Orders", "SELECT 1 AS id"), ("salaries", "SELECT 1 AS pay"), ("loose", "SELECT 1 AS a"));
        (await shop.SyncAsync())["status"]!.GetValue<string>().ShouldBe("ok");
    }

    [Fact]
    public async Task A_corrupt_extract_is_named_and_its_tables_stay_as_they_were()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        ForeignExtract.Write(shop.DataDir, "good", ("fine", "SELECT 1 AS a"));
        File.WriteAllText(Path.Combine(shop.DataDir, "extracts/erp/extract.duckdb"), "this is no database");
        var run = await shop.SyncAsync();
        run["status"]!.GetValue<string>().ShouldBe("partial");
        run["result"]!["problems"]!.ToJsonString().ShouldContain("erp");
        shop.Server.State.Snapshot.PublishedTable("fine").ShouldNotBeNull();
        (await shop.AsAnalystAsync("GET", "/api/data/orders/download")).Status.ShouldBe(200);
        shop.Server.State.Snapshot.SyncStates["Orders"].Error.ShouldNotBeNull();
        var health = (await shop.AsAdminAsync("GET", "/api/health/detailed")).Json;
        health["status"]!.GetValue<string>().ShouldBe("degraded");
        health["services"]!["sources"]!["skipped"]![0]!["source"]!.GetValue<string>().ShouldBe("erp");

        ForeignExtract.Write(shop.DataDir, "erp", ("Orders", "SELECT 7 AS id"), ("salaries", "SELECT 1 AS pay"), ("loose", "SELECT 1 AS a"));
        (await shop.SyncAsync())["status"]!.GetValue<string>().ShouldBe("ok");
        shop.Server.State.Snapshot.SyncStates["Orders"].Error.ShouldBeNull();
        shop.Server.State.Snapshot.SyncStates["loose"].Error.ShouldBeNull();
    }

    [Theory, OnEitherEngine]
    public async Task A_run_is_reserved_in_the_answer_itself(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres);
        for (var i = 0; i < 30; i++) shop.WriteCsv($"t{i}.csv", "id\n1\n");
        await shop.AsAdminAsync("POST", "/api/admin/register-tables", new JsonObject
        {
            ["tables"] = new JsonArray([.. Enumerable.Range(0, 30).Select(i => (JsonNode)new JsonObject { ["name"] = $"t{i}", ["source_type"] = "csv", ["source_table"] = $"t{i}.csv" })]),
        }.ToJsonString());
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => shop.AsAdminAsync("POST", "/api/sync/trigger")));
        answers.Count(answer => answer.Status == 200).ShouldBe(1);
        answers.Where(answer => answer.Status == 409).ShouldAllBe(answer => answer.Text("detail") == "sync_already_in_progress");
        answers.Count(answer => answer.Status == 409).ShouldBe(7);
        (await shop.Server.SendAsync("GET", "/api/sync/status")).Body.ShouldBe("""{"locked":true}""");
        var run = await shop.EndOfAsync(answers.Single(answer => answer.Status == 200).Text("run_id"));
        run["status"]!.GetValue<string>().ShouldBe("ok");
        (await shop.Server.SendAsync("GET", "/api/sync/status")).Body.ShouldBe("""{"locked":false}""");
    }

    [Theory, OnEitherEngine]
    public async Task The_trigger_takes_lists_objects_or_nothing(StateEngine engine)
    {
        var world = await worlds.OnAsync(engine, postgres);
        static Scenario Refused(string name, string body) => new(name, "POST", "/api/sync/trigger", 422) { Body = body };
        await Scenarios.RunAsync(world,
        [
            Refused("a text", "[\"a\"").With(s => s with { Has = ["json_invalid"] }),
            Refused("numbers", "[1]"),
            Refused("object of text", """{"tables":"a"}"""),
            Refused("list of lists", """{"tables":[["a"]]}"""),
            Refused("unknown only", """["nonsense"]""").With(s => s with { Has = ["unknown tables: nonsense"] }),
            new("unknown run", "GET", "/api/sync/runs/nonsense", 404),
            new("unknown log", "GET", "/api/sync/runs/nonsense/log", 404),
            new("unknown stream", "GET", "/api/sync/runs/nonsense/stream", 404),
            new("cancel of an unknown run", "POST", "/api/sync/runs/nonsense/cancel", 404),
            new("bad limit", "GET", "/api/sync/runs?limit=0", 422),
        ]);
        foreach (var path in (string[])["/api/sync/runs", "/api/sync/runs/x", "/api/sync/runs/x/log", "/api/sync/runs/stream"])
            await Scenarios.RunAsync(world, new Scenario(path, "GET", path, 0).Refusals(adminsOnly: true));
        await Scenarios.RunAsync(world, new Scenario("trigger", "POST", "/api/sync/trigger", 0).Refusals(adminsOnly: true));
    }

    private static Dictionary<string, string> Steps(JsonNode run) =>
        run["steps"]!.AsArray().ToDictionary(step => step!["table"]!.GetValue<string>(), step => step!["status"]!.GetValue<string>());
}

internal static class ScenarioChanges
{
    public static Scenario With(this Scenario scenario, Func<Scenario, Scenario> change) => change(scenario);
}
