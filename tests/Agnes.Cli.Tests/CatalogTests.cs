using Microsoft.AspNetCore.Http;

namespace Agnes.Cli.Tests;

public sealed class CatalogTests : IAsyncLifetime
{
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _agnes = new AgnesProgram(_server.Url);
        _agnes.SignIn();
        _server.Intercept = Answer;
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task The_catalog_is_shown_as_columns_and_passed_on_as_json()
    {
        var text = (await _agnes.RunAsync("catalog")).ShouldSucceed().Out;
        text.ShouldStartWith("ID");
        text.ShouldContain("orders");
        text.ShouldContain("Ours\\nand more", Case.Sensitive, "a line break in a description must not break the row");
        (await _agnes.RunAsync("catalog", "--json")).ShouldSucceed().Json.GetProperty("tables")[0].GetProperty("unknown_field").GetInt32().ShouldBe(1);
        (await _agnes.RunAsync("catalog", "--metrics")).ShouldSucceed().Out.ShouldContain("revenue:\n  mrr  Monthly (EUR)");
        (await _agnes.RunAsync("catalog", "--metrics", "--json")).ShouldSucceed().Json.GetArrayLength().ShouldBe(1);
        (await _agnes.RunAsync("catalog", "--metrics", "--show", "revenue/mrr")).ShouldSucceed().Out.ShouldContain("SQL: SELECT 1");
        (await _agnes.RunAsync("catalog", "--metrics", "--show", "no/such")).ShouldFail(1);
    }

    [Fact]
    [Trait(AgnesProgram.Packed, AgnesProgram.Sample)]
    public async Task Schema_and_sample_are_shown_whatever_the_order_of_options()
    {
        foreach (var arguments in (string[][])[["schema", "orders", "--json"], ["schema", "--json", "orders"]])
        {
            (await _agnes.RunAsync(arguments)).ShouldSucceed().Json.GetProperty("columns").GetArrayLength().ShouldBe(1);
        }

        var schema = (await _agnes.RunAsync("schema", "orders")).ShouldSucceed().Out;
        schema.ShouldContain("DUCKDB");
        schema.ShouldContain("BIGINT");
        schema.ShouldContain("Partition: day");
        var both = (await _agnes.RunAsync("describe", "orders", "-n", "2", "--json")).ShouldSucceed().Json;
        both.GetProperty("sample").GetProperty("rows").GetArrayLength().ShouldBe(1);
        both.GetProperty("schema").GetProperty("table_id").GetString().ShouldBe("orders");
        _server.Requests.Last().ShouldBe("GET /api/v2/sample/orders");
        (await _agnes.RunAsync("sample", "orders")).ShouldSucceed().Out.ShouldContain("│ 1 │");
    }

    [Fact]
    public async Task A_table_that_stays_at_its_source_is_shown_with_its_size_and_the_way_to_ask_it()
    {
        _server.Intercept = context => context.Request.Path.Value == "/api/v2/catalog"
            ? Answered(context, """
                {"tables":[{"id":"events","name":"Events","description":"","source_type":"bigquery","query_mode":"remote","sql_flavor":"bigquery",
                "where_examples":["event_date >= CURRENT_DATE()"],"fetch_via":"","rough_size_hint":"very_large","rows":1234567890,
                "size_bytes":16106127360,"partition_by":"event_date","clustered_by":[],"entity_type":"BASE TABLE","metadata_freshness":"stale"},
                {"id":"seen","name":"Seen","description":"","source_type":"bigquery","query_mode":"remote","sql_flavor":"bigquery",
                "where_examples":[],"fetch_via":"","rough_size_hint":null,"rows":null,"size_bytes":null,"partition_by":null,
                "clustered_by":[],"entity_type":"VIEW","metadata_freshness":"fresh"}],"server_time":"x"}
                """)
            : context.Request.Path.Value switch
            {
                "/api/v2/schema/events" => Answered(context, """
                    {"table_id":"events","source_type":"bigquery","sql_flavor":"bigquery","columns":[{"name":"event_date","type":"DATE",
                    "nullable":true,"description":""}],"partition_by":"event_date","clustered_by":[],"where_dialect_hints":{}}
                    """),
                "/api/v2/sample/events" => Answered(context, """{"table_id":"events","rows":[{"event_date":"2026-01-01"}],"source":"bigquery"}"""),
                _ => Task.FromResult(false),
            };
        var catalog = (await _agnes.RunAsync("catalog")).ShouldSucceed().Out;
        foreach (var said in (string[])["15.0 GB", "view", "agnes query --remote \"SELECT … FROM Events WHERE …\"  (in BigQuery's SQL)",
            "agnes snapshot create events --where 'event_date >= CURRENT_DATE()' --estimate"])
            catalog.ShouldContain(said);
        var described = (await _agnes.RunAsync("describe", "events")).ShouldSucceed().Out;
        foreach (var said in (string[])["Partition: event_date", "remote: base table, 1,234,567,890 rows, 15.0 GB (as the source said some time ago)",
            "Filter, for example: event_date >= CURRENT_DATE()", "agnes snapshot create events --where"])
            described.ShouldContain(said);
        (await _agnes.RunAsync("describe", "events", "--json")).ShouldSucceed().Json.EnumerateObject().Select(part => part.Name)
            .ShouldBe(["schema", "sample"]);
    }

    [Theory]
    [InlineData("catalog", 500, 5)]
    [InlineData("catalog", 403, 5)]
    [InlineData("schema t500", 502, 5)]
    [InlineData("schema t403", 403, 8)]
    [InlineData("schema t404", 404, 2)]
    [InlineData("describe t403", 403, 8)]
    [InlineData("describe t400", 400, 2)]
    public async Task Errors_have_their_exit_codes(string command, int status, int exitCode)
    {
        _server.Intercept = async context =>
        {
            await FakeServer.JsonAsync(context, status, """{"detail":{"error":"unsafe_identifier","message":"not a name","details":{}}}""");
            return true;
        };
        var outcome = (await _agnes.RunAsync(command.Split(' '))).ShouldFail(exitCode);
        outcome.Out.ShouldBeEmpty();
        outcome.Error.ShouldBe($"HTTP {status}: not a name (unsafe_identifier)\n");
    }

    private static async Task<bool> Answered(HttpContext context, string body)
    {
        await FakeServer.JsonAsync(context, 200, body);
        return true;
    }

    private static async Task<bool> Answer(HttpContext context)
    {
        var body = context.Request.Path.Value switch
        {
            "/api/v2/catalog" => """{"tables":[{"id":"orders","name":"Orders","description":"Ours\nand more","source_type":"csv","query_mode":"local","sql_flavor":"duckdb","where_examples":[],"fetch_via":"","rough_size_hint":"small","rows":3,"size_bytes":1,"partition_by":null,"clustered_by":[],"entity_type":null,"metadata_freshness":"not_applicable","unknown_field":1}],"server_time":"x"}""",
            "/api/v2/schema/orders" => """{"table_id":"orders","source_type":"csv","sql_flavor":"duckdb","columns":[{"name":"n","type":"BIGINT","nullable":true,"description":""}],"partition_by":"day","clustered_by":[],"where_dialect_hints":{}}""",
            "/api/v2/sample/orders" => """{"table_id":"orders","rows":[{"n":1}],"source":"csv"}""",
            "/api/metrics" => """{"metrics":[{"id":"revenue/mrr","name":"mrr","display_name":"Monthly","category":"revenue","unit":"EUR"}],"count":1}""",
            "/api/metrics/revenue/mrr" => """{"id":"revenue/mrr","name":"mrr","display_name":"Monthly","category":"revenue","type":"sum","sql":"SELECT 1"}""",
            _ => null,
        };
        if (body is null) return false;
        await FakeServer.JsonAsync(context, 200, body);
        return true;
    }
}
