using System.Text.Json.Nodes;
using Agnes.Server.Tests.Serving;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>Tables that stay at their source, over HTTP: what is done with any table is done with them, but for downloads.</summary>
public sealed class RemoteTablesTests(Warehouse warehouse) : IClassFixture<Warehouse>
{
    private Shop Shop => warehouse.Shop;

    [Fact]
    public async Task It_is_listed_described_and_sampled()
    {
        var listed = (await Shop.AsAnalystAsync("GET", "/api/v2/catalog")).Json["tables"]!.AsArray().Single(table => table!["id"]!.GetValue<string>() == "sales")!;
        (listed["query_mode"]!.GetValue<string>(), listed["source_type"]!.GetValue<string>(), listed["fetch_via"]!.GetValue<string>()).ShouldBe(("remote", "warehouse", "agnes snapshot create sales"));
        (await Shop.AsAnalystAsync("GET", "/api/catalog/tables")).Body.ShouldContain("\"sales\"");

        var schema = await Shop.AsAnalystAsync("GET", "/api/v2/schema/sales");
        schema.Status.ShouldBe(200, schema.Body);
        schema.Json["columns"]!.AsArray().Select(column => $"{column!["name"]} {column["type"]}").ShouldBe(["id BIGINT", "amount DECIMAL(21,1)", "customer VARCHAR", "day DATE"]);

        var sample = await Shop.AsAnalystAsync("GET", "/api/v2/sample/sales?n=2");
        sample.Status.ShouldBe(200, sample.Body);
        sample.Json["rows"]!.ToJsonString().ShouldBe("""[{"id":0,"amount":"0.0","customer":"customer 0","day":"2026-01-01"},{"id":1,"amount":"1.5","customer":"customer 1","day":"2026-01-02"}]""");

        var page = await Shop.AsAnalystAsync("GET", "/catalog/sales", change: request => request.Headers.Add("Accept", "text/html"));
        (page.Status, page.Body.Contains("Show sample rows", StringComparison.Ordinal)).ShouldBe((200, true));
        (await Shop.AsAnalystAsync("GET", "/catalog/sales/sample", change: request => request.Headers.Add("Accept", "text/html"))).Body.ShouldContain("customer 1");
    }

    [Fact]
    public async Task A_laptop_is_told_of_it_and_has_nothing_to_fetch()
    {
        var entry = (await Shop.AsAnalystAsync("GET", "/api/sync/manifest")).Json["tables"]!["sales"]!;
        (entry["query_mode"]!.GetValue<string>(), entry["hash"]!.GetValue<string>(), entry["size_bytes"]!.GetValue<long>(), entry["sha256"], entry["parts_digest"]).ShouldBe(("remote", "", 0, null, null));
        (await Shop.AsAnalystAsync("GET", "/api/data/sales/download")).Status.ShouldBe(404);
        (await Shop.SyncAsync())["tables"]!.ToJsonString().ShouldNotContain("sales");
    }

    [Fact]
    public async Task It_is_queried_alone_and_beside_tables_that_are_here()
    {
        (await QueryAsync("SHOW TABLES")).Json["rows"]!.ToJsonString().ShouldBe("""[["Orders"],["endless"],["sales"]]""");
        (await QueryAsync("SELECT customer, count(*) AS n FROM Sales WHERE id < 15 GROUP BY 1 ORDER BY 1 LIMIT 2")).Json["rows"]!.ToJsonString().ShouldBe("""[["customer 0",2],["customer 1",2]]""");
        warehouse.Depot.Asked[^1].ShouldContain("GROUP BY");
        (await QueryAsync("SELECT sum(s.amount - o.amount) AS same, count(*) AS n FROM orders o JOIN sales s USING (id)")).Json["rows"]!.ToJsonString().ShouldBe("""[["0.0",1000]]""");
        var audit = (await Shop.Server.AuditAsync()).Last(row => row.Action == "query");
        JsonNode.Parse(audit.Params!)!["tables"]!.AsArray().Select(table => table!.GetValue<string>()).ShouldBe(["Orders", "sales"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_part_of_it_can_be_taken_and_what_that_costs_is_said()
    {
        const string Body = """{"table_id":"sales","select":["id","day"],"where":"customer = 'customer 3' AND id > 900","order_by":["id DESC"],"limit":2}""";
        var scan = await Shop.AsAnalystAsync("POST", "/api/v2/scan", Body, request => request.Headers.Add("Accept", "application/vnd.apache.parquet"));
        scan.Status.ShouldBe(200, scan.Body);
        (scan.Header("X-Agnes-Truncated"), scan.Body.StartsWith("PAR1", StringComparison.Ordinal)).ShouldBe((null, true));
        warehouse.Depot.Asked[^1].ShouldContain("customer 3");
        var audit = (await Shop.Server.AuditAsync()).Last(row => row.Action == "scan");
        (audit.Resource, JsonNode.Parse(audit.Params!)!["rows"]!.GetValue<int>()).ShouldBe(("table:sales", 2));

        var estimate = (await Shop.AsAnalystAsync("POST", "/api/v2/scan/estimate", """{"table_id":"sales","limit":10}""")).Json;
        (estimate["estimated_scan_bytes"]!.GetValue<long>() > 10_000, estimate["estimated_result_rows"]!.GetValue<long>()).ShouldBe((true, 10));
        (await Shop.AsAnalystAsync("POST", "/api/v2/scan", """{"table_id":"sales","select":["nope"]}""")).Body.ShouldContain("unknown column 'nope'");
    }

    [Fact]
    public async Task What_would_cost_too_much_is_refused_and_not_asked()
    {
        (await QueryAsync("SELECT 1 FROM sales LIMIT 1")).Status.ShouldBe(200);
        var asked = warehouse.Depot.Asked.Count;
        var answer = await QueryAsync("SELECT a.*, b.customer AS x, c.customer AS y FROM sales a, sales b, sales c");
        answer.Status.ShouldBe(400, answer.Body);
        var detail = answer.Json["detail"]!;
        (detail["reason"]!.GetValue<string>(), detail["limit_bytes"]!.GetValue<long>(), detail["tables"]!.ToJsonString()).ShouldBe(("remote_scan_too_large", 5_368_709_120, """["\u0022public\u0022.\u0022sales\u0022"]"""));
        detail["scan_bytes"]!.GetValue<long>().ShouldBeGreaterThan(5_368_709_120);
        detail["suggestion"]!.GetValue<string>().ShouldContain("agnes snapshot create sales --where");
        warehouse.Depot.Asked.Count.ShouldBe(asked);
    }

    [Fact]
    public async Task One_that_was_not_granted_is_hidden_like_any_other()
    {
        foreach (var (method, path, body) in ((string, string, string?)[])
        [
            ("GET", "/api/v2/schema/{0}", null), ("GET", "/api/v2/sample/{0}", null), ("POST", "/api/query", """{"sql":"SELECT * FROM {0}"}"""),
            ("POST", "/api/query", """{"sql":"SELECT * FROM sales, {0}"}"""), ("POST", "/api/v2/scan", """{"table_id":"{0}"}"""), ("GET", "/catalog/{0}/sample", null),
        ])
        {
            var answers = new List<string>();
            foreach (var table in (string[])["payroll", "nothing"])
            {
                var answer = await Shop.AsAnalystAsync(method, path.Replace("{0}", table, StringComparison.Ordinal), body?.Replace("{0}", table, StringComparison.Ordinal));
                answer.Status.ShouldBe(path.StartsWith("/catalog", StringComparison.Ordinal) ? 404 : 403, path);
                answers.Add(answer.Body.Replace(table, "it", StringComparison.Ordinal));
            }

            answers[0].ShouldBe(answers[1], path);
        }

        foreach (var list in (string[])["/api/sync/manifest", "/api/v2/catalog", "/api/catalog/tables"]) (await Shop.AsAnalystAsync("GET", list)).Body.ShouldNotContain("payroll");
    }

    [Fact]
    public async Task A_question_ends_at_the_source_when_its_right_is_taken_away()
    {
        var grants = (await Shop.AsAdminAsync("GET", $"/api/admin/grants?group_id={Shop.GroupId}")).Json.AsArray();
        var asking = QueryAsync("SELECT id FROM endless");
        await warehouse.UntilRunningAsync(1);
        (await Shop.AsAdminAsync("DELETE", $"/api/admin/grants/{grants.Single(grant => grant!["resource_id"]!.GetValue<string>() == "endless")!["id"]}")).Status.ShouldBe(204);
        (await asking).Status.ShouldBe(403);
        await warehouse.UntilRunningAsync(0);
        await Shop.GrantAsync("endless");
    }

    [Fact]
    public async Task Whoever_asked_or_an_admin_ends_a_statement_also_at_its_source()
    {
        var asking = QueryAsync("SELECT id FROM endless");
        await warehouse.UntilRunningAsync(1);
        var own = (await Shop.AsAnalystAsync("GET", "/api/statements")).Json["statements"]!.AsArray().ShouldHaveSingleItem()!;
        own["sql"]!.GetValue<string>().ShouldBe("SELECT id FROM endless");
        own["tables"]!.ToJsonString().ShouldBe("""["endless"]""");
        own["system"]!.GetValue<string>().ShouldBe("depot");
        var id = own["id"]!.GetValue<string>();

        (await Shop.AsAdminAsync("GET", "/api/statements")).Json["statements"]!.AsArray().ShouldBeEmpty("it is not the admin's own");
        (await Shop.AsAdminAsync("DELETE", $"/api/statements/{id}")).Status.ShouldBe(404);
        (await Shop.AsAnalystAsync("GET", "/api/admin/statements")).Status.ShouldBe(403);
        var seen = (await Shop.AsAdminAsync("GET", "/api/admin/statements")).Json["statements"]!.AsArray().ShouldHaveSingleItem()!;
        (seen["sql"], seen["id"]!.GetValue<string>()).ShouldBe((null, id), "what somebody looks for is theirs");

        (await Shop.AsAnalystAsync("DELETE", $"/api/statements/{id}")).Status.ShouldBe(204);
        var ended = await asking;
        (ended.Status, ended.Body.Contains("ended by its owner or an admin", StringComparison.Ordinal)).ShouldBe((409, true), ended.Body);
        await warehouse.UntilRunningAsync(0);
        (await Shop.AsAnalystAsync("DELETE", $"/api/statements/{id}")).Status.ShouldBe(404);

        var other = QueryAsync("SELECT id FROM endless");
        await warehouse.UntilRunningAsync(1);
        id = (await Shop.AsAdminAsync("GET", "/api/admin/statements")).Json["statements"]![0]!["id"]!.GetValue<string>();
        (await Shop.AsAdminAsync("DELETE", $"/api/admin/statements/{id}")).Status.ShouldBe(204);
        (await other).Status.ShouldBe(409);
        await warehouse.UntilRunningAsync(0);
        (await Shop.Server.AuditAsync()).Count(entry => entry.Action == "statement.kill").ShouldBe(2);
    }

    [Fact]
    public async Task A_connection_that_is_down_is_the_sources_fault_and_can_be_put_right()
    {
        await warehouse.ConnectAsync("away", "Host=127.0.0.1;Port=1;Username=nobody");
        await warehouse.RegisterAsync("lost", "away", "sales");
        foreach (var (method, path, body) in ((string, string, string?)[])[("POST", "/api/query", """{"sql":"SELECT * FROM lost"}"""), ("GET", "/api/v2/schema/lost", null), ("GET", "/api/v2/sample/lost", null), ("POST", "/api/v2/scan", """{"table_id":"lost"}""")])
        {
            var answer = await Shop.AsAdminAsync(method, path, body);
            (answer.Status, answer.Body.Contains("'away' cannot be reached", StringComparison.Ordinal)).ShouldBe((502, true), $"{path}: {answer.Body}");
        }

        (await QueryAsync("SELECT count(*) FROM sales")).Status.ShouldBe(200);
        await warehouse.ChangeAsync("away", warehouse.Address);
        (await Shop.AsAdminAsync("POST", "/api/query", """{"sql":"SELECT count(*) AS n FROM lost"}""")).Json["rows"]!.ToJsonString().ShouldBe("[[1000]]");
    }

    [Fact]
    public async Task A_connection_that_is_changed_or_whose_secret_is_ends_with_its_questions()
    {
        await warehouse.ConnectAsync("annex", warehouse.Address);
        await warehouse.RegisterAsync("waiting", "annex", "endless");
        var asking = Shop.AsAdminAsync("POST", "/api/query", """{"sql":"SELECT id FROM waiting"}""");
        await warehouse.UntilRunningAsync(1);
        var first = warehouse.Kind.Opened.Single(one => one.Connection == "annex");

        await warehouse.ChangeAsync("annex", $"{warehouse.Address};Command Timeout=20");
        var answer = await asking;
        (answer.Status, answer.Body.Contains("'annex' was changed while it was asked", StringComparison.Ordinal)).ShouldBe((502, true), answer.Body);
        await warehouse.UntilRunningAsync(0);
        await Shop.EventuallyAsync(() => first.IsClosed, "it was closed");

        (await Shop.AsAdminAsync("POST", "/api/v2/metadata-cache/refresh?table=waiting")).Text("status").ShouldBe("ok");
        (await Shop.AsAdminAsync("PUT", "/api/admin/secrets/AGNES_CONNECTION_ANNEX_PASSWORD", """{"value":"another"}""")).Status.ShouldBe(204);
        (await Shop.AsAdminAsync("POST", "/api/v2/metadata-cache/refresh?table=waiting")).Text("status").ShouldBe("ok");
        warehouse.Kind.Opened.Count(one => one.Connection == "annex").ShouldBe(3);

        (await Shop.AsAdminAsync("DELETE", "/api/admin/registry/waiting")).Status.ShouldBe(204);
        (await Shop.AsAdminAsync("DELETE", "/api/admin/connections/annex")).Status.ShouldBe(204);
        await Shop.EventuallyAsync(() => warehouse.Kind.Opened.Where(one => one.Connection == "annex").All(one => one.IsClosed), "nothing of it is open");
    }

    [Fact]
    public async Task Its_columns_are_those_that_its_source_said_last()
    {
        await warehouse.ExecuteAsync("CREATE TABLE growing (a bigint)");
        await warehouse.RegisterAsync("growing", "depot", "growing");
        (await ColumnsAsync()).ShouldBe(["a"]);
        await warehouse.ExecuteAsync("ALTER TABLE growing ADD COLUMN b bigint");
        Shop.Server.Time.Advance(TimeSpan.FromMinutes(61));
        (await ColumnsAsync()).ShouldBe(["a"], "nobody has asked it since");
        var asked = await Shop.AsAdminAsync("POST", "/api/v2/metadata-cache/refresh?table=growing");
        (asked.Status, asked.Text("status")).ShouldBe((200, "ok"), asked.Body);
        (await ColumnsAsync()).ShouldBe(["a", "b"]);

        async Task<IEnumerable<string>> ColumnsAsync() => (await Shop.AsAdminAsync("GET", "/api/v2/schema/growing")).Json["columns"]!.AsArray().Select(column => column!["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_table_of_such_a_kind_names_its_connection_and_is_nothing_else()
    {
        (await Shop.AsAdminAsync("POST", "/api/admin/register-table", """{"name":"a","source_type":"warehouse","source_table":"sales"}""")).Body.ShouldContain("names its connection");
        (await Shop.AsAdminAsync("POST", "/api/admin/register-table", """{"name":"a","source_type":"warehouse","source_table":"sales","connection":"nowhere"}""")).Status.ShouldBe(422);
        // A kind that cannot be asked answers as before.
        await Shop.RegisterAsync("""{"name":"afar","source_type":"keboola","query_mode":"remote","bucket":"in.c-a","source_table":"b"}""");
        (await Shop.AsAdminAsync("POST", "/api/query", """{"sql":"SELECT * FROM afar"}""")).Body.ShouldContain("is registered but has no data yet");
        (await Shop.AsAdminAsync("GET", "/api/v2/schema/afar")).Status.ShouldBe(404);
        var kinds = (await Shop.AsAdminAsync("GET", "/api/admin/connections")).Json["kinds"]!.AsArray();
        kinds.Where(kind => kind!["is_asked"]!.GetValue<bool>()).Select(kind => kind!["name"]!.GetValue<string>())
            .ShouldBe(["bigquery", "postgres", "warehouse"]);
    }

    private Task<Answer> QueryAsync(string sql) => Shop.AsAnalystAsync("POST", "/api/query", new JsonObject { ["sql"] = sql }.ToJsonString());
}
