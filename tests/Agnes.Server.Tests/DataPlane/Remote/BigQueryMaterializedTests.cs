using System.Text.Json.Nodes;
using Agnes.Emulators.BigQuery;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>
/// Queries of BigQuery that become tables: in its dialect, as the system, once for each run whatever is killed meanwhile.
/// </summary>
public sealed class BigQueryMaterializedTests(Postgres postgres)
{
    private const int CallsOfEstimate = 6; // the first, and those after a failure that may pass

    [Fact]
    public async Task A_query_in_its_dialect_becomes_a_table_and_stands_in_the_audit()
    {
        await using var world = await BigQueryShop.OpenAsync(
            postgres, options => options with { Scan = options.Scan with { CostPerTerabyte = 1_000_000_000 } });
        const string Sql = """
            SELECT /* a marker */ s.who, COUNTIF(o.id > 2) AS n, SAFE_DIVIDE(SUM(o.id), 2) AS half
            FROM `data-project.sales.orders_v2` AS o, bq.hr.secrets AS s GROUP BY s.who -- the end
            """;
        var registered = await RegisterAsync(world, "totals", Sql);
        (registered.Text("status"), registered.Text("view_name")).ShouldBe(("registered", "totals"));
        registered.Text("message").ShouldContain("agnes admin sync trigger totals");
        world.Shop.Server.State.Snapshot.Table("totals")!.SourceQuery.ShouldBe(Sql);
        world.Cloud.Jobs.ShouldBeEmpty("a check costs nothing");

        var run = await world.Shop.SyncAsync("""["totals"]""");
        run["status"]!.GetValue<string>().ShouldBe("ok", run.ToJsonString());
        var job = world.Cloud.Jobs.ShouldHaveSingleItem();
        job.Project.ShouldBe(BigQueryShop.Billing);
        job.Sql.ShouldNotContain("marker");
        job.Sql.ShouldContain("`data-project.hr.secrets`");
        (await world.Shop.QueryAsync("SELECT * FROM totals")).Status.ShouldBe(403);
        await world.Shop.GrantAsync("totals");
        (await world.Shop.RowsAsync("SELECT who, n, half FROM totals")).ShouldBe("""[["secret",5,14.0]]""");
        (await world.Shop.QueryAsync("SELECT who FROM secrets")).Status.ShouldBe(403);

        var entry = (await world.Shop.Server.AuditAsync()).Single(row => row.Action == "materialize");
        (entry.UserId, entry.Resource, entry.Result).ShouldBe((null, "totals", "ok"));
        var what = JsonNode.Parse(entry.Params!)!;
        what["tables"]!.ToJsonString().ShouldBe("""["sales.orders_v2","hr.secrets"]""");
        var remote = what["remote"]!.AsArray().ShouldHaveSingleItem()!;
        remote["bytes"]!.GetValue<long>().ShouldBe(job.BytesProcessed);
        remote["cost_usd"]!.GetValue<double>().ShouldBe(job.BytesProcessed / (double)(1L << 40) * 1_000_000_000, 0.000_001);
    }

    [Fact]
    public async Task A_table_without_a_query_is_taken_whole_and_leaves_with_its_registration()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres);
        var body = Body("copy", null);
        (body["bucket"], body["source_table"]) = ("sales", "orders_v2");
        var looked = await world.Shop.AsAdminAsync("POST", "/api/admin/register-table/precheck", body.ToJsonString());
        looked.Json["table"]!["source_query"]!.GetValue<string>().ShouldBe("SELECT * FROM `data-project.sales.orders_v2`", looked.Body);
        looked.Json["table"]!["query_mode"]!.GetValue<string>().ShouldBe("materialized");
        (await world.Shop.AsAdminAsync("POST", "/api/admin/register-table", body.ToJsonString())).Status.ShouldBe(201);
        world.Shop.Server.State.Snapshot.Table("copy")!.SourceQuery.ShouldBe("SELECT * FROM `data-project.sales.orders_v2`");
        await world.Shop.GrantAsync("copy");
        await world.Shop.SyncAsync("""["copy"]""");
        (await world.Shop.RowsAsync("SELECT count(*) AS n, sum(price) AS s, max(day) AS d, max(len(tags)) AS t FROM copy"))
            .ShouldBe("""[[7,"29.750000000","2026-01-08",2]]""");

        const string Leaving = """{"query_mode":"remote"}""";
        (await world.Shop.AsAdminAsync("PUT", "/api/admin/registry/copy", """{"query_mode":"materialized","source_query":" "}""")).Status
            .ShouldBe(422);
        (await world.Shop.AsAdminAsync("PUT", "/api/admin/registry/copy", Leaving)).Status.ShouldBe(200);
        world.Shop.Server.State.Snapshot.Table("copy")!.SourceQuery.ShouldBeNull();
        (await world.Shop.AsAdminAsync("DELETE", "/api/admin/registry/copy")).Status.ShouldBe(204);
        (await world.Shop.QueryAsync("SELECT * FROM copy")).Status.ShouldBe(403);
    }

    [Fact]
    public async Task A_query_that_is_none_of_the_connections_is_refused_where_it_is_registered()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres, options => options with { BigQueryProjects = ["public-project"] });
        world.Cloud.Warehouse.AddDataset("public-project", "open", "EU");
        world.Cloud.Warehouse.AddTable("public-project", "open", "rates", "rate INT64", "SELECT 5");
        foreach (var (sql, why) in ((string, string)[])
        [
            ("SELECT id FROM bought", "has no data set"),
            ("SELECT id FROM `other-project.sales.orders_v2`", "another project than the connection's, 'data-project'"),
            ("SELECT table_name FROM sales.INFORMATION_SCHEMA.TABLES", "describes tables"),
            ("SELECT id FROM `data-project.sales.orders_*`", "stands for several tables"),
            ("SELECT nothing FROM sales.orders_v2", "nothing"),
            ("SELECT SESSION_USER() AS who FROM sales.orders_v2", "SESSION_USER"),
            ("SELECT * FROM EXTERNAL_QUERY('a', 'SELECT 1')", "EXTERNAL_QUERY"),
            ("DELETE FROM sales.orders_v2 WHERE true", "Only queries are run here"),
            ("SELECT 1 AS a; SELECT 2 AS b", "statement"),
            ("SELECT id FROM sales.orders_v2 FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()", "FOR SYSTEM_TIME"),
        ])
        {
            foreach (var path in (string[])["register-table", "register-table/precheck"])
            {
                var refused = await world.Shop.AsAdminAsync("POST", $"/api/admin/{path}", Body("wrong", sql).ToJsonString());
                (refused.Status, refused.Body.Contains(why, StringComparison.Ordinal)).ShouldBe((422, true), $"{sql}: {refused.Body}");
            }
        }

        foreach (var (body, status) in ((JsonObject, int)[])[(Body("no name", "SELECT 1 AS a"), 400), (Body("bare", null), 422)])
            (await world.Shop.AsAdminAsync("POST", "/api/admin/register-table", body.ToJsonString())).Status.ShouldBe(status);
        world.Cloud.Jobs.ShouldBeEmpty();

        await RegisterAsync(world, "rates", "SELECT rate FROM `public-project.open.rates`"); // which the operator opened
        await world.Shop.GrantAsync("rates");
        await world.Shop.SyncAsync("""["rates"]""");
        (await world.Shop.RowsAsync("SELECT rate FROM rates")).ShouldBe("[[5]]");
    }

    [Fact]
    public async Task The_limit_is_held_by_an_estimate_and_what_was_there_stays()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres);
        await RegisterAsync(world, "copy", "SELECT id FROM sales.orders_v2 WHERE id < 4");
        await world.Shop.GrantAsync("copy");
        await world.Shop.SyncAsync("""["copy"]""");
        foreach (var (settings, why) in ((string, string)[])[("10", "max_bytes_per_materialize allows 10")])
        {
            (await world.ChangeAsync($$"""{"max_bytes_per_materialize":{{settings}}}""")).Status.ShouldBe(200);
            var dear = await world.Shop.SyncAsync("""["copy"]""");
            dear["error"]!.GetValue<string>().ShouldContain(why);
        }

        (await world.ChangeAsync("""{"max_bytes_per_materialize":"much"}""")).Status.ShouldBe(422);
        world.Cloud.Jobs.Count.ShouldBe(1);
        (await world.ChangeAsync("""{"max_bytes_per_materialize":0}""")).Status.ShouldBe(200);
        world.Cloud.Break(Call.JobsInsert, Trouble.Of("accessDenied"));
        (await world.Shop.SyncAsync("""["copy"]"""))["error"]!.GetValue<string>().ShouldContain("BigQuery denied access");
        world.Cloud.FailJobs("invalidQuery");
        (await world.Shop.SyncAsync("""["copy"]"""))["status"]!.GetValue<string>().ShouldBe("failed");
        (await world.Shop.RowsAsync("SELECT sum(id) AS s FROM copy")).ShouldBe("[[6]]");
        var entries = (await world.Shop.Server.AuditAsync()).Where(row => row.Action == "materialize").ToList();
        entries.Select(row => row.Result).ShouldBe(["ok", "RemoteTooLarge", "RemoteFailed", "EngineError"]);
        entries.Skip(1).ShouldAllBe(row => !row.Params!.Contains("remote", StringComparison.Ordinal), "nothing was paid");

        const string Empty = """{"query_mode":"materialized","source_query":"SELECT id FROM sales.orders_v2 WHERE id > 100"}""";
        (await world.Shop.AsAdminAsync("PUT", "/api/admin/registry/copy", Empty)).Status.ShouldBe(200);
        var empty = await world.Shop.SyncAsync("""["copy"]""");
        empty["status"]!.GetValue<string>().ShouldBe("ok", empty.ToJsonString());
        (await world.Shop.AsAdminAsync("GET", $"/api/sync/runs/{empty["id"]}/log")).Body
            .ShouldContain("copy: warning: its query returned no rows");
    }

    [Fact]
    [Long]
    public async Task An_estimate_that_is_not_answered_stops_neither_the_run_nor_the_registration()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres);
        world.Cloud.Break(Call.JobsInsert, Trouble.Of("backendError"), CallsOfEstimate);
        await RegisterAsync(world, "copy", "SELECT id FROM sales.orders_v2");
        world.Cloud.Mend();
        await world.Shop.GrantAsync("copy");
        (await world.ChangeAsync("""{"max_bytes_per_materialize":10}""")).Status.ShouldBe(200);
        world.Cloud.Break(Call.JobsInsert, Trouble.Of("backendError"), CallsOfEstimate);
        var run = await world.Shop.SyncAsync("""["copy"]""");
        run["status"]!.GetValue<string>().ShouldBe("ok", run.ToJsonString());
        (await world.Shop.RowsAsync("SELECT count(*) AS n FROM copy")).ShouldBe("[[7]]");
    }

    [Fact]
    public async Task It_runs_once_at_a_time()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres);
        await RegisterAsync(world, "copy", "SELECT id FROM sales.orders_v2");
        world.Cloud.HoldJobs();
        var started = await world.Shop.AsAdminAsync("POST", "/api/sync/trigger", """["copy"]""");
        await world.Shop.EventuallyAsync(() => world.Cloud.Jobs.Count == 1, "the job runs");
        (await world.Shop.AsAdminAsync("POST", "/api/sync/trigger", """["copy"]""")).Status.ShouldBe(409);
        world.Cloud.ReleaseJobs();
        (await world.Shop.EndOfAsync(started.Text("run_id")))["status"]!.GetValue<string>().ShouldBe("ok");
    }

    /// <summary>As an import of the original leaves it: of the default connection, whose project is the environment's.</summary>
    [Fact]
    [Long]
    public async Task A_server_that_is_killed_while_a_job_runs_finds_its_answer_and_it_is_billed_once()
    {
        await using var cloud = await BigQueryServer.StartAsync();
        cloud.Warehouse.AddDataset("data-project", "sales", "EU");
        cloud.Warehouse.AddTable("data-project", "sales", "orders", "id INT64", "SELECT i FROM range(9) r(i)");
        using var folder = new TemporaryFolder();
        var environment = new Dictionary<string, string>
        {
            ["BIGQUERY_API_ENDPOINT"] = cloud.Address.AbsoluteUri,
            ["BIGQUERY_PROJECT"] = "data-project",
        };
        string run;
        await using (var killed = await ServerProcess.StartAsync(folder.Path, environment))
        {
            await killed.SignInAsync();
            const string Table = """
                {"name":"copy","source_type":"bigquery","query_mode":"materialized",
                "source_query":"SELECT id FROM `data-project.sales.orders`"}
                """;
            var registered = await killed.SendAsync("POST", "/api/admin/register-table", Table);
            registered.Status.ShouldBe(201, registered.Json.ToJsonString());
            cloud.HoldJobs();
            run = (await killed.SendAsync("POST", "/api/sync/trigger", """["copy"]""")).Json["run_id"]!.GetValue<string>();
            for (var i = 0; i < 600 && cloud.Jobs.Count == 0; i++) await Task.Delay(50);
            cloud.Jobs.ShouldHaveSingleItem().State.ShouldNotBe("DONE");
            await killed.KillAsync();
        }

        await using var server = await ServerProcess.StartAsync(folder.Path, environment);
        await server.SignInAsync();
        await Task.Delay(TimeSpan.FromSeconds(1)); // asked again by now, or soon
        cloud.ReleaseJobs();
        JsonNode ended;
        while ((ended = (await server.SendAsync("GET", $"/api/sync/runs/{run}")).Json)["finished_at"] is null) await Task.Delay(50);
        ended["status"]!.GetValue<string>().ShouldBe("ok", ended.ToJsonString());
        var job = cloud.Jobs.ShouldHaveSingleItem();
        (job.BytesBilled, job.Project).ShouldBe((10L << 20, "data-project"));
        var rows = await server.SendAsync("POST", "/api/query", """{"sql":"SELECT count(*) AS n, sum(id)::BIGINT AS s FROM copy"}""");
        rows.Json["rows"]!.ToJsonString().ShouldBe("[[9,36]]");
        cloud.Faults.ShouldBeEmpty();
    }

    /// <summary>A row that was written by another installation says nothing of what this server looks up when it registers one.</summary>
    [Fact]
    [Long]
    public async Task An_imported_row_is_run_as_it_is()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres, options => options with
        {
            Variables = name => name == "BIGQUERY_PROJECT" ? BigQueryShop.Data : options.Variables(name),
        });
        var state = world.Shop.Server.State;
        var imported = new TableRow { Id = "old", Name = "old", SourceType = "bigquery", QueryMode = "materialized" };
        foreach (var row in (TableRow[])
        [
            imported with { SourceQuery = "SELECT id FROM `data-project`.sales.orders_v2" },
            imported with { Id = "whole", Name = "whole", Bucket = "sales", SourceTable = "orders_v2" },
        ])
        {
            await state.WriteAsync(async write =>
            {
                var stored = row with { SyncStrategy = "full_refresh", RegisteredAt = write.Now };
                await write.ExecuteAsync(RegistrySql.Insert, stored);
                write.Apply(snapshot => snapshot.WithTable(stored));
                return true;
            });
        }

        var run = await world.Shop.SyncAsync("""["old","whole"]""");
        run["status"]!.GetValue<string>().ShouldBe("ok", run.ToJsonString());
        world.Cloud.Jobs.ShouldAllBe(job => job.Project == BigQueryShop.Data);
        await world.Shop.GrantAsync("whole");
        (await world.Shop.RowsAsync("SELECT count(*) AS n FROM whole")).ShouldBe("[[7]]");
    }

    private static JsonObject Body(string name, string? sql)
    {
        var body = new JsonObject { ["name"] = name, ["source_type"] = "bigquery", ["connection"] = "warehouse" };
        body["query_mode"] = "materialized";
        if (sql is not null) body["source_query"] = sql;
        return body;
    }

    private static async Task<Answer> RegisterAsync(BigQueryShop world, string name, string sql)
    {
        var answer = await world.Shop.AsAdminAsync("POST", "/api/admin/register-table", Body(name, sql).ToJsonString());
        answer.Status.ShouldBe(201, answer.Body);
        return answer;
    }
}
