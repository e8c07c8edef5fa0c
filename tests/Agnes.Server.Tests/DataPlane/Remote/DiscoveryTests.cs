using System.Text.Json.Nodes;
using Agnes.Emulators.BigQuery;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Npgsql;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>What there is at a source before anything of it is registered, and first rows of what is.</summary>
public sealed class DiscoveryTests(Postgres postgres)
{
    private const string Discover = "/api/admin/discover-tables";
    private const string Precheck = "/api/admin/register-table/precheck";

    [Fact]
    public async Task Data_sets_and_tables_of_BigQuery_are_found()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres);
        world.Cloud.Warehouse.AddView(
            BigQueryShop.Data, "sales", "stored", "SELECT COUNT(*) AS n FROM `data-project.sales.huge`", isMaterialized: true);
        var shop = world.Shop;
        var datasets = await shop.AsAdminAsync("GET", $"{Discover}?connection=warehouse");
        datasets.Body.ShouldBe(
            """{"datasets":[{"dataset_id":"hr","full_id":"data-project.hr"},{"dataset_id":"sales","full_id":"data-project.sales"}],"""
            + "\"count\":2,\"source\":\"bigquery\"}");
        var tables = await shop.AsAdminAsync("GET", $"{Discover}?connection=warehouse&dataset=sales");
        tables.Json["tables"]!.AsArray().Select(one => $"{one!["table_id"]} {one["table_type"]}").ShouldBe(
            ["cheap VIEW", "huge TABLE", "orders_v2 TABLE", "stored MATERIALIZED_VIEW", "wide VIEW"]);
        (tables.Json["tables"]![0]!["full_id"]!.GetValue<string>(), tables.Text("dataset"), tables.Number("count"))
            .ShouldBe(("data-project.sales.cheap", "sales", 5));
        (await shop.AsAdminAsync("GET", $"{Discover}?connection=warehouse&dataset=..")).Status.ShouldBe(400);
        (await shop.AsAdminAsync("GET", $"{Discover}?connection=nowhere")).Status.ShouldBe(404);
        (await shop.AsAnalystAsync("GET", $"{Discover}?connection=warehouse")).Status.ShouldBe(403);
        var local = await shop.AsAdminAsync("GET", Discover);
        (local.Status, local.Text("source"), local.Number("count"), local.Text("error").Length > 0).ShouldBe((200, "local", 0, true));

        foreach (var (reason, kind, status) in ((string, string, int)[])[("accessDenied", "bq_forbidden", 502),
            ("serviceusage", "cross_project_forbidden", 502), ("notFound", "bq_upstream_error", 502), ("authError", "auth_failed", 502)])
        {
            world.Cloud.Break(Call.DatasetsList, Trouble.Of(reason), times: 2);
            var failed = await shop.AsAdminAsync("GET", $"{Discover}?connection=warehouse");
            var detail = failed.Json["detail"]!;
            (failed.Status, detail["kind"]!.GetValue<string>(), detail["details"] is JsonObject).ShouldBe((status, kind, true), failed.Body);
            detail["error"]!.GetValue<string>().ShouldNotBeEmpty();
            world.Cloud.Mend();
        }
    }

    [Fact]
    public async Task A_table_of_BigQuery_is_looked_at_before_it_is_registered()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres);
        var found = await world.Shop.AsAdminAsync("POST", Precheck, Body("sales", "orders_v2"));
        found.Status.ShouldBe(200, found.Body);
        var table = found.Json["table"]!;
        (table["rows"]!.GetValue<long>(), table["column_count"]!.GetValue<long>(), table["project_id"]!.GetValue<string>())
            .ShouldBe((7, 5, "data-project"));
        (table["size_bytes"]!.GetValue<long>() > 0, table["columns"]![0]!.ToJsonString()).ShouldBe((true, """{"name":"id","type":"BIGINT"}"""));
        (await world.Shop.AsAdminAsync("POST", Precheck, Body("sales", "nothing"))).Status.ShouldBe(404);
        await world.SettledAsync();
        world.Cloud.Break(Call.TablesGet, Trouble.Of("accessDenied"));
        var forbidden = await world.Shop.AsAdminAsync("POST", Precheck, Body("sales", "orders_v2"));
        (forbidden.Status, forbidden.Body.Contains("payroll", StringComparison.Ordinal)).ShouldBe((403, false), forbidden.Body);
        world.Cloud.Break(Call.TablesGet, Trouble.Of("invalid"));
        (await world.Shop.AsAdminAsync("POST", Precheck, Body("sales", "orders_v2"))).Status.ShouldBe(400);
        (await world.Shop.AsAdminAsync("GET", "/api/admin/registry")).Body.ShouldNotContain("\"looked\"");
        world.Cloud.Jobs.ShouldBeEmpty();

        static string Body(string dataset, string table) => new JsonObject
        {
            ["name"] = "looked",
            ["source_type"] = "bigquery",
            ["connection"] = "warehouse",
            ["bucket"] = dataset,
            ["source_table"] = table,
        }.ToJsonString();
    }

    [Fact]
    public async Task First_rows_of_a_table_are_listed_and_a_view_is_asked_within_its_limit()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres);
        var (shop, cloud) = (world.Shop, world.Cloud);
        var huge = await shop.AsAnalystAsync("GET", "/api/v2/sample/huge?n=3");
        huge.Status.ShouldBe(200, huge.Body);
        huge.Body.ShouldBe("""{"table_id":"huge","rows":[{"id":0,"note":"x"},{"id":1,"note":"x"},{"id":2,"note":"x"}],"source":"bigquery"}""");
        var bought = await shop.AsAnalystAsync("GET", "/api/v2/sample/bought?n=2");
        bought.Json["rows"]![1]!.ToJsonString().ShouldBe("""{"id":2,"name":"n2","price":"2.250000000","day":"2026-01-03","tags":["a","b"]}""");
        cloud.Jobs.ShouldBeEmpty("no statement was run for it");

        var wide = await shop.AsAnalystAsync("GET", "/api/v2/sample/wide?n=3");
        (wide.Status, wide.Body.Contains("would have to read", StringComparison.Ordinal)).ShouldBe((400, true), wide.Body);
        var cheap = await shop.AsAnalystAsync("GET", "/api/v2/sample/cheap?n=3");
        cheap.Json["rows"]!.AsArray().Count.ShouldBe(3);
        cloud.Jobs.ShouldHaveSingleItem().Sql.ShouldContain("LIMIT 3");

        var calls = cloud.Count(Call.TableDataList);
        (await shop.AsAnalystAsync("GET", "/api/v2/sample/huge?n=3")).Body.ShouldBe(huge.Body);
        (await shop.AsAnalystAsync("GET", "/api/v2/sample/cheap?n=3")).Status.ShouldBe(200);
        (cloud.Count(Call.TableDataList), cloud.Jobs.Count).ShouldBe((calls, 1), "they are kept for an hour");
        var audited = (await shop.Server.AuditAsync()).Where(entry => entry.Action == "sample").ToList();
        audited.Select(entry => (entry.Resource, entry.Result)).ShouldBe([("table:huge", "ok"), ("table:bought", "ok"), ("table:wide", "RemoteTooLarge"), ("table:cheap", "ok")]);
        JsonNode.Parse(audited[^1].Params!)!["remote"]![0]!["bytes"]!.GetValue<long>().ShouldBeGreaterThan(0);
        (await shop.AsAnalystAsync("GET", "/api/v2/sample/secrets?n=3")).Status.ShouldBe(403);
        (await shop.AsAdminAsync("GET", "/api/v2/sample/secrets?n=3")).Status.ShouldBe(200);
        (await shop.AsAnalystAsync("GET", "/api/v2/sample/secrets?n=3")).Status.ShouldBe(403, "what is kept is for whoever may read it");
        shop.Server.Time.Advance(TimeSpan.FromMinutes(61));
        (await shop.AsAnalystAsync("GET", "/api/v2/sample/huge?n=3")).Status.ShouldBeOneOf(200, 401);
    }

    [Fact]
    public async Task Tables_of_PostgreSQL_are_found_with_their_columns()
    {
        var address = await postgres.NewDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(address);
        var role = $"reader_{Guid.NewGuid():N}";
        await database.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 'reads-only'");
        await database.ExecuteAsync("CREATE SCHEMA shop");
        await database.ExecuteAsync("CREATE TABLE shop.sales AS SELECT i AS id, 'x' AS note FROM generate_series(1, 100) t(i)");
        await database.ExecuteAsync("CREATE TABLE public.lists (a int)");
        await database.ExecuteAsync("CREATE TABLE shop.payroll AS SELECT 'secret' AS who");
        await database.ExecuteAsync($"GRANT USAGE ON SCHEMA shop TO {role}");
        await database.ExecuteAsync($"GRANT SELECT ON shop.sales, public.lists TO {role}");
        await database.ExecuteAsync("ANALYZE");
        await using var shop = await Shop.OpenAsync(
            StateEngine.DuckDb, postgres, options => options with { AllowedPrivateHosts = [postgres.Address] });
        var settings = new JsonObject
        {
            ["host"] = postgres.Address,
            ["database"] = new NpgsqlConnectionStringBuilder(address).Database,
            ["user"] = role,
            ["ssl_mode"] = "disable",
        };
        var connection = new JsonObject { ["name"] = "depot", ["kind"] = "postgres", ["settings"] = settings };
        (await shop.AsAdminAsync("POST", "/api/admin/connections", connection.ToJsonString())).Status.ShouldBe(201);
        await shop.AsAdminAsync("PUT", "/api/admin/secrets/AGNES_CONNECTION_DEPOT_PASSWORD", """{"value":"reads-only"}""");

        var all = await shop.AsAdminAsync("GET", $"{Discover}?connection=depot");
        all.Status.ShouldBe(200, all.Body);
        all.Json["tables"]!.AsArray().Select(one => one!["id"]!.GetValue<string>()).ShouldBe(["public.lists", "shop.sales"]);
        var sales = (await shop.AsAdminAsync("GET", $"{Discover}?connection=depot&dataset=shop")).Json["tables"]!.AsArray().ShouldHaveSingleItem()!;
        (sales["bucket_id"]!.GetValue<string>(), sales["row_count"]!.GetValue<long>(), sales["columns"]!.ToJsonString())
            .ShouldBe(("shop", 100, """["id","note"]"""));
        (all.Text("source"), all.Number("count")).ShouldBe(("postgres", 2));

        var precheck = await shop.AsAdminAsync("POST", Precheck, Table("sales"));
        (precheck.Json["table"]!["rows"]!.GetValue<long>(), precheck.Json["table"]!["column_count"]!.GetValue<long>()).ShouldBe((100, 2));
        (await shop.AsAdminAsync("POST", Precheck, Table("nothing"))).Status.ShouldBe(404);
        (await shop.AsAdminAsync("POST", Precheck, Table("payroll"))).Status.ShouldBe(403);

        await shop.RegisterAsync(Table("sales"));
        (await shop.AsAdminAsync("POST", "/api/v2/metadata-cache/refresh?table=looked")).Number("rows").ShouldBe(100);
        var entry = (await shop.AsAdminAsync("GET", "/api/v2/catalog")).Json["tables"]!.AsArray().Single(one => one!["id"]!.GetValue<string>() == "looked")!;
        (entry["rows"]!.GetValue<long>(), entry["entity_type"]!.GetValue<string>(), entry["sql_flavor"]!.GetValue<string>())
            .ShouldBe((100, "BASE TABLE", "duckdb"));

        static string Table(string table) => new JsonObject
        {
            ["name"] = "looked",
            ["source_type"] = "postgres",
            ["query_mode"] = "remote",
            ["connection"] = "depot",
            ["bucket"] = "shop",
            ["source_table"] = table,
        }.ToJsonString();
    }
}
