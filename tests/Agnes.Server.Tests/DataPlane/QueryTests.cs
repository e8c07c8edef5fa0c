using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

public sealed class QueryTests(Postgres postgres, Shops shops)
{
    [Fact]
    public async Task A_statement_is_answered_or_refused_in_the_shapes_that_clients_know()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var faults = new List<string>();
        var cases = new (string Body, int Status, string Has)[]
        {
            ("""{"sql":"select id, name from orders order by id limit 2"}""", 200, """{"columns":["id","name"],"rows":[[0,"name 0"],[1,"name 1"]],"row_count":2,"truncated":false}"""),
            ("""{"sql":"select id from orders order by id","limit":1}""", 200, "\"row_count\":1,\"truncated\":true"),
            ("""{"sql":"select * from ORDERS limit 1"}""", 200, "\"row_count\":1"),
            ("""{"sql":"select 1","limit":0}""", 422, "limit must be between 1 and 1000000"),
            ("""{"sql":"select 1","limit":1000001}""", 422, "limit must be between 1 and 1000000"),
            ("""{"sql":"select 1","limit":"many"}""", 422, "valid integer"),
            ("""{"limit":5}""", 422, "Field required"),
            ("""{"sql":7}""", 422, "valid string"),
            ("""{"sql":"drop table orders"}""", 400, "Only single SELECT queries are allowed"),
            ("""{"sql":"select 1; select 2"}""", 400, "Only single SELECT queries are allowed"),
            ("""{"sql":"select nope from orders"}""", 400, "nope"),
            ("""{"sql":"select * from salaries"}""", 403, """{"detail":"Access denied to table 'salaries'"}"""),
            ("""{"sql":"select * from read_text('/etc/hostname')"}""", 400, "detail"),
            ("""{"sql":"select * from '/etc/hostname'"}""", 403, "detail"),
            ("[]", 422, "valid dictionary"),
        };
        foreach (var (body, status, has) in cases)
        {
            var answer = await shop.AsAnalystAsync("POST", "/api/query", body);
            if (answer.Status != status || !answer.Body.Contains(has, StringComparison.Ordinal)) faults.Add($"{body}: {answer.Status} {answer.Body}");
        }
        faults.ShouldBeEmpty();
        (await shop.Server.SendAsync("POST", "/api/query", """{"sql":"select 1"}""")).Status.ShouldBe(401);
    }

    [Fact]
    public async Task A_statement_leaves_its_hash_and_its_tables_in_the_audit_and_not_its_text()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        (await shop.AsAnalystAsync("POST", "/api/query", """{"sql":"select count(*) from orders where name = 'marker-1'"}""")).Status.ShouldBe(200);
        var entry = (await shop.Server.AuditAsync()).Last(row => row.Action == "query");
        entry.UserId.ShouldBe(shop.Server.State.Snapshot.UserByEmail("ana@example.com")!.Id);
        entry.Result.ShouldBe("ok");
        entry.Params!.ShouldNotContain("marker-1");
        var parameters = JsonNode.Parse(entry.Params!)!;
        parameters["tables"]![0]!.GetValue<string>().ShouldBe("Orders");
        parameters["sql_sha256"]!.GetValue<string>().Length.ShouldBe(64);
    }

    [Fact]
    public async Task A_large_answer_is_on_record_before_it_leaves_and_with_its_end()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        (await shop.AsAnalystAsync("POST", "/api/query", """{"sql":"select repeat(name, 200) from orders","limit":1000}""")).Status.ShouldBe(200);
        var entries = (await shop.Server.AuditAsync()).Where(row => row.Action == "query").TakeLast(2).ToList();
        entries.Select(entry => entry.Result).ShouldBe(["started", "ok"]);
        foreach (var entry in entries) JsonNode.Parse(entry.Params!)!["tables"]![0]!.GetValue<string>().ShouldBe("Orders");
        JsonNode.Parse(entries[1].Params!)!["rows"]!.GetValue<int>().ShouldBe(1000);
    }

    [Fact]
    public async Task Samples_and_columns_are_those_of_the_published_version()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var schema = (await shop.AsAnalystAsync("GET", "/api/v2/schema/orders")).Json;
        schema["columns"]!.AsArray().Select(column => column!["name"]!.GetValue<string>()).ShouldBe(["id", "name", "amount"]);
        var sample = (await shop.AsAnalystAsync("GET", "/api/v2/sample/Orders?n=3")).Json;
        sample["table_id"]!.GetValue<string>().ShouldBe("Orders");
        sample["rows"]!.AsArray().Count.ShouldBe(3);
        (await shop.AsAnalystAsync("GET", "/api/v2/sample/orders?n=0")).Status.ShouldBe(422);
        (await shop.AsAnalystAsync("GET", "/api/v2/sample/orders?n=101")).Status.ShouldBe(422);
        (await shop.AsAdminAsync("GET", "/api/v2/sample/nonsense")).Body.ShouldBe("""{"detail":"table 'nonsense' not found"}""");
        (await shop.AsAdminAsync("GET", "/api/v2/schema/a%20b")).Body.ShouldContain("unsafe_identifier");
    }

    [Fact]
    public async Task Health_is_for_everybody_and_its_details_for_those_signed_in()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        foreach (var path in (string[])["/api/health", "/api/health/live", "/api/health/ready", "/api/version"]) (await shop.Server.SendAsync("GET", path)).Status.ShouldBe(200, path);
        (await shop.Server.SendAsync("GET", "/api/health")).Text("status").ShouldBe("ok");
        (await shop.Server.SendAsync("GET", "/api/health/detailed")).Status.ShouldBe(401);
        (await shop.AsAdminAsync("GET", "/api/health/detailed")).Json["services"]!.AsObject().ContainsKey("db_schema").ShouldBeFalse();
        var full = (await shop.AsAdminAsync("GET", "/api/health/detailed?include=schema")).Json;
        full["services"]!["db_schema"]!["status"]!.GetValue<string>().ShouldBe("ok");
        full["services"]!["disk"]!["data_free_bytes"]!.GetValue<long>().ShouldBeGreaterThan(0);
        full["services"]!["data"]!["tables"]!.GetValue<int>().ShouldBe(3);
    }
}
