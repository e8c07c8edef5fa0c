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
