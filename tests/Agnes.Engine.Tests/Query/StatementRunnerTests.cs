using Agnes.Engine.Query;

namespace Agnes.Engine.Tests.Query;

public sealed class StatementRunnerTests(Bench bench) : IClassFixture<Bench>
{
    [Fact]
    public async Task A_statement_is_answered_in_the_shape_of_the_wire()
    {
        var (outcome, body) = await bench.RunAsync("SELECT id, customer FROM orders ORDER BY id LIMIT 2");

        outcome.Status.ShouldBe(StatementStatus.Ok, outcome.Message);
        body.ShouldBe("""{"columns":["id","customer"],"rows":[[0,"customer 0"],[1,"customer 1"]],"row_count":2,"truncated":false}""");
        outcome.Rows.ShouldBe(2);
        outcome.Bytes.ShouldBe(body.Length);
        outcome.Tables.ShouldBe(["orders"]);
    }

    [Theory]
    [InlineData("SELECT id FROM orders ORDER BY id", 3, """{"columns":["id"],"rows":[[0],[1],[2]],"row_count":3,"truncated":true}""")]
    [InlineData("SELECT 1", 1, """{"columns":["1"],"rows":[[1]],"row_count":1,"truncated":false}""")]
    [InlineData("SELECT 1 WHERE false", 10, """{"columns":["1"],"rows":[],"row_count":0,"truncated":false}""")]
    [InlineData("SHOW TABLES", 10, """{"columns":["name"],"rows":[["orders"]],"row_count":1,"truncated":false}""")]
    public async Task Rows_beyond_the_limit_are_told_not_sent(string sql, int limit, string expected)
    {
        var (outcome, body) = await bench.RunAsync(sql, limit: limit);

        outcome.Status.ShouldBe(StatementStatus.Ok, outcome.Message);
        body.ShouldBe(expected);
    }
}
