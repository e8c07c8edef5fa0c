using System.Text.Json.Nodes;
using Agnes.Emulators.Keboola;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>Tables of a Keboola project: found, looked at, registered, pulled, published and asked.</summary>
public sealed class KeboolaTests(Postgres postgres)
{
    private const string Deals =
        """{"name":"deals","source_type":"keboola","bucket":"in.c-crm","source_table":"deals","sync_strategy":"incremental"}""";

    [Fact]
    public async Task A_table_of_a_project_is_pulled_published_and_granted()
    {
        await using var keboola = await StartAsync();
        await using var shop = await OpenAsync(keboola);
        await shop.RegisterAsync(Deals);
        await shop.GrantAsync("deals");
        (await shop.SyncAsync())["status"]!.GetValue<string>().ShouldBe("ok");
        (await shop.RowsAsync("SELECT id, size FROM deals ORDER BY id")).ShouldBe("[[1,10.5],[2,20.0],[3,null]]");
        keboola.Find("in.c-crm.deals")!.Import(DateTimeOffset.UtcNow, ["2", "21"], ["4", "4"]);
        (await shop.SyncAsync("""["deals"]"""))["status"]!.GetValue<string>().ShouldBe("ok");
        (await shop.RowsAsync("SELECT id, size FROM deals ORDER BY id")).ShouldBe("[[1,10.5],[2,21.0],[3,null],[4,4.0]]");
        var entry = (await shop.AsAnalystAsync("GET", "/api/sync/manifest")).Json["tables"]!["deals"]!;
        (entry["rows"]!.GetValue<long>(), entry["source_type"]!.GetValue<string>(), entry["hash"]!.GetValue<string>().Length)
            .ShouldBe((4, "keboola", 32));
        (await new PullCheckpoints(shop.Server.State).LoadAsync("keboola")).ShouldBeEmpty();
        var planned = (await shop.AsAdminAsync("POST", "/api/sync/plan", """["deals"]""")).Json["tables"]![0]!;
        planned["how"]!.GetValue<string>().ShouldBe("incremental", planned.ToJsonString());
        planned["since"]!.GetValue<string>().ShouldStartWith("20");
        keboola.Jobs.All.Select(job => job.Body.ContainsKey("changedSince")).ShouldBe([false, true]);
    }

    [Fact]
    public async Task What_a_project_has_is_listed_and_looked_at_before_it_is_registered()
    {
        await using var keboola = await StartAsync();
        await using var shop = await OpenAsync(keboola);
        var found = (await shop.AsAdminAsync("GET", "/api/admin/discover-tables?connection=keboola")).Json;
        found["count"]!.GetValue<int>().ShouldBe(2);
        found["tables"]![0]!.ToJsonString().ShouldBe(
            """{"id":"in.c-crm.deals","name":"deals","bucket_id":"in.c-crm","bucket_name":"c-crm","columns":["id","size"]"""
            + ""","row_count":3,"size_bytes":192,"primary_key":["id"]"""
            + ""","last_change":"2026-11-01T09:00:00\u002B0100","last_import":"2026-11-01T09:00:00\u002B0100"}""");
        (await shop.AsAdminAsync("GET", "/api/admin/discover-tables?connection=keboola&dataset=in.c-erp")).Json["count"]!.GetValue<int>()
            .ShouldBe(1);

        var looked = await LookAsync(shop, Deals);
        looked["rows"]!.GetValue<long>().ShouldBe(3);
        looked["columns"]!.ToJsonString().ShouldBe("""[{"name":"id","type":"BIGINT"},{"name":"size","type":"DOUBLE"}]""");
        var missing = await LookAsync(shop, Deals.Replace("\"source_table\":\"deals\"", "\"source_table\":\"nothing\"", StringComparison.Ordinal));
        missing["preview_error"]!.GetValue<string>().ShouldContain("in.c-crm.nothing");

        keboola.AnswerNext(500);
        foreach (var _ in Enumerable.Range(0, 5)) keboola.AnswerNext(500);
        var failed = await shop.AsAdminAsync("GET", "/api/admin/discover-tables?connection=keboola");
        failed.Status.ShouldBe(502);
        failed.Body.ShouldNotContain(KeboolaServer.Token);
    }

    /// <summary>Asks again while the server is busy, as it says that one should.</summary>
    private static async Task<JsonNode> LookAsync(Shop shop, string table)
    {
        for (var i = 0; ; i++)
        {
            var looked = (await shop.AsAdminAsync("POST", "/api/admin/register-table/precheck", table)).Json["table"]!;
            if (i == 20 || looked["preview_error"]?.GetValue<string>().StartsWith("The server is busy", StringComparison.Ordinal) is not true) return looked;
            await Task.Delay(500);
        }
    }

    [Fact]
    public async Task What_a_project_has_is_registered_at_once_and_what_is_registered_stays_as_it_is()
    {
        await using var keboola = await StartAsync();
        keboola.Add("in.c-crm.Bad-Name", 1, "id");
        keboola.Add("out.c-crm.deals", 1, "id");
        await using var shop = await OpenAsync(keboola);
        const string path = "/api/admin/discover-and-register";
        var dry = (await shop.AsAdminAsync("POST", path + "?dry_run=true")).Json;
        (dry["registered"]!.GetValue<int>(), dry["would_register"]!.ToJsonString()).ShouldBe((0, """["in_c-crm_deals","in_c-erp_invoices"]"""), dry.ToJsonString());
        var done = (await shop.AsAdminAsync("POST", path)).Json;
        done["tables"]!.ToJsonString().ShouldBe(dry["would_register"]!.ToJsonString());
        done["errors"]!.AsArray().ShouldHaveSingleItem()!["table_id"]!.GetValue<string>().ShouldBe("in_c-crm_bad-name");
        done["drift"]![0]!["kind"]!.GetValue<string>().ShouldBe("name_collision");
        var row = shop.Server.State.Snapshot.Table("in_c-crm_deals")!;
        (row.Name, row.Bucket, row.QueryMode, row.SourceQuery).ShouldBe(("deals", "in.c-crm", "materialized", null));
        (await shop.Server.AuditAsync()).Count(entry => entry.Action == "register_table" && entry.Resource!.StartsWith("in_c-", StringComparison.Ordinal)).ShouldBe(2);
        (await shop.SyncAsync("""["deals"]"""))["status"]!.GetValue<string>().ShouldBe("ok");
        var again = (await shop.AsAdminAsync("POST", path)).Json;
        (again["registered"]!.GetValue<int>(), again["skipped"]!.GetValue<int>(), again["drifted"]!.GetValue<int>()).ShouldBe((0, 2, 1), again.ToJsonString());
    }

    [Fact]
    public async Task A_filter_that_cannot_be_is_refused_where_it_is_registered()
    {
        await using var keboola = await StartAsync();
        await using var shop = await OpenAsync(keboola);
        async Task<string> RefusedAsync(string query)
        {
            var body = new JsonObject
            {
                ["name"] = "deals",
                ["source_type"] = "keboola",
                ["bucket"] = "in.c-crm",
                ["source_table"] = "deals",
                ["query_mode"] = "materialized",
                ["source_query"] = query,
            };
            var answer = await shop.AsAdminAsync("POST", "/api/admin/register-table", body.ToJsonString());
            answer.Status.ShouldBe(422, answer.Body);
            return answer.Body;
        }

        (await RefusedAsync("SELECT 1")).ShouldContain("JSON");
        (await RefusedAsync("""{"file_type":"xlsx"}""")).ShouldContain("csv or parquet");
        (await RefusedAsync("""{"where_filters":[{"column":"id","values":["{{lasst_week}}"]}]}""")).ShouldContain("lasst_week");
        (await shop.AsAdminAsync("POST", "/api/admin/register-table",
            Deals.Replace("}", ",\"settings\":{\"delimiter\":\";\"}}", StringComparison.Ordinal))).Status.ShouldBe(422);
        await shop.RegisterAsync(Deals.Replace("}", ",\"settings\":{\"reconcile_every_days\":7}}", StringComparison.Ordinal));
    }

    [Fact]
    [Long]
    public async Task A_second_project_is_a_connection_with_a_token_of_its_own()
    {
        await using var keboola = await StartAsync();
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options =>
            options with { AllowedPrivateHosts = ["127.0.0.1"] });
        (await shop.AsAdminAsync("POST", "/api/admin/connections", new JsonObject
        {
            ["name"] = "sales",
            ["kind"] = "keboola",
            ["settings"] = new JsonObject { ["stack_url"] = keboola.Address },
        }.ToJsonString())).Status.ShouldBe(201);
        await shop.RegisterAsync(Deals.Replace("}", ",\"connection\":\"sales\"}", StringComparison.Ordinal));
        var without = await shop.SyncAsync("""["deals"]""");
        without["error"]!.GetValue<string>().ShouldContain("Storage token");
        (await shop.AsAdminAsync("PUT", "/api/admin/secrets/AGNES_CONNECTION_SALES_STORAGE_TOKEN",
            new JsonObject { ["value"] = KeboolaServer.Token }.ToJsonString())).Status.ShouldBe(204);
        (await shop.SyncAsync("""["deals"]"""))["status"]!.GetValue<string>().ShouldBe("ok");
        shop.Server.State.Snapshot.PublishedTable("deals")!.Rows.ShouldBe(3);
    }

    [Fact]
    public async Task A_project_that_is_not_set_up_is_not_pulled_and_the_run_says_what_to_do()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        await shop.RegisterAsync(Deals);
        (await shop.SyncAsync("""["deals"]"""))["error"]!.GetValue<string>().ShouldContain("KBC_STACK_URL and KBC_STORAGE_TOKEN");
        ForeignExtract.Write(shop.DataDir, "keboola", ("deals", "SELECT 7 AS id"));
        await shop.SyncAsync();
        shop.Server.State.Snapshot.PublishedTable("deals")!.Rows.ShouldBe(1);
    }

    private static async Task<KeboolaServer> StartAsync()
    {
        var keboola = await KeboolaServer.StartAsync();
        var deals = keboola.Add(new ProjectTable("in.c-crm.deals", ["id", "size"], "id"));
        deals.Describe("id", "KBC.datatype.basetype", "INTEGER");
        deals.Describe("size", "KBC.datatype.basetype", "NUMERIC");
        deals.Import(DateTimeOffset.UtcNow.AddDays(-20), ["1", "10.5"], ["2", "20"], ["3", ""]);
        keboola.Add("in.c-erp.invoices", 12, "id");
        return keboola;
    }

    private Task<Shop> OpenAsync(KeboolaServer keboola) => Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with
    {
        AllowedPrivateHosts = ["127.0.0.1"],
        Variables = name => name switch
        {
            "KBC_STACK_URL" => keboola.Address,
            "KBC_STORAGE_TOKEN" => KeboolaServer.Token,
            "AGNES_KEBOOLA_POLL_INTERVAL_SEC" => "1",
            _ => options.Variables(name),
        },
    });
}
