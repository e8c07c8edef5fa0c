using System.Text.Json;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using Agnes.Testing;

namespace Agnes.Engine.Tests.Query.Remote;

/// <summary>
/// Of a table elsewhere that is joined with one here, no more is fetched than the statement needs, and never less: its answer is what it is
/// over the same rows here.
/// </summary>
public sealed class FetchedPartTests(Bench bench) : IClassFixture<Bench>
{
    private static readonly TableColumn[] OrdersColumns =
        [new("id", "BIGINT"), new("amount", "DECIMAL(21,1)"), new("customer", "VARCHAR"), new("day", "DATE")];

    [Theory]
    [InlineData("SELECT s.name, o.amount FROM orders o JOIN sales s ON s.id = o.id WHERE s.grade > 3 AND o.id < 50",
        "SELECT \"id\", \"amount\", \"name\", \"grade\" FROM \"sales\" WHERE (\"grade\" > 3)")]
    [InlineData("SELECT o.* FROM orders o, sales s WHERE o.id = s.id AND s.day BETWEEN DATE '2026-01-05' AND '2026-01-09' AND NOT s.large",
        "SELECT \"id\", \"day\", \"large\" FROM \"sales\" "
        + "WHERE (\"day\" BETWEEN CAST('2026-01-05' AS DATE) AND CAST('2026-01-09' AS DATE)) AND (NOT \"large\")")]
    [InlineData("SELECT count(*) AS n FROM orders o CROSS JOIN sales", "SELECT \"id\" FROM \"sales\"")]
    [InlineData("SELECT count(*) AS n FROM orders o LEFT JOIN sales s ON s.id = o.id WHERE s.grade = 3 AND s.large IS NULL",
        "SELECT \"id\", \"large\", \"grade\" FROM \"sales\"")]
    [InlineData("SELECT count(o.id) AS n FROM sales s LEFT JOIN orders o ON s.id = o.id WHERE s.name IN ('apple', 'it''s') OR s.id = -5",
        "SELECT \"id\", \"name\" FROM \"sales\" WHERE ((\"name\" IN ('apple', 'it''s')) OR (\"id\" = -5))")]
    [InlineData("SELECT o.id FROM orders o WHERE o.id IN (SELECT id FROM sales WHERE grade = 1 AND amount > 2.5 AND name <> 'pear')",
        "SELECT \"id\", \"amount\", \"name\", \"grade\" FROM \"sales\" WHERE (\"grade\" = 1) AND (\"amount\" > 2.5)")]
    [InlineData("SELECT a.id FROM orders o JOIN sales a ON a.id = o.id JOIN sales b ON b.id = a.id WHERE a.grade = 1",
        "SELECT \"id\", \"grade\" FROM \"sales\"")]
    [InlineData("SELECT s FROM orders o JOIN sales s USING (id) WHERE moment < '2026-01-01 12:00:00'",
        "SELECT * FROM \"sales\" WHERE (\"moment\" < CAST('2026-01-01 12:00:00' AS TIMESTAMP))")]
    [InlineData("SELECT * FROM orders o JOIN sales s USING (id) WHERE s.grade = 1", "SELECT * FROM \"sales\"")]
    [InlineData("SELECT o.id, s.a FROM orders o JOIN sales AS s(a, b) ON a = o.id WHERE s.a = 1", "SELECT * FROM \"sales\"")]
    [InlineData("SELECT o.id, s.name FROM orders o POSITIONAL JOIN sales s WHERE s.grade = 1", "SELECT * FROM \"sales\"")]
    [InlineData("SELECT o.id, grade FROM orders o ASOF JOIN sales s ON o.id >= s.id WHERE s.grade = 1", "SELECT * FROM \"sales\"")]
    [InlineData("WITH sales AS (SELECT * FROM orders) SELECT count(*) AS n FROM sales, main.sales AS x WHERE x.grade = 1",
        "SELECT * FROM \"sales\"")]
    [InlineData("SELECT o.id FROM orders o JOIN sales s ON s.id = o.id WHERE s.grade = 1 OR o.id = 2",
        "SELECT \"id\", \"grade\" FROM \"sales\"")]
    [InlineData("SELECT o.id FROM orders o JOIN sales s ON s.id = o.id WHERE s.grade + 1 = 2 AND abs(s.grade) = 1",
        "SELECT \"id\", \"grade\" FROM \"sales\"")]
    [InlineData("SELECT o.id FROM orders o JOIN sales s ON s.id = o.id WHERE s.ratio > 2 AND s.grade IN (1, NULL)",
        "SELECT \"id\", \"ratio\", \"grade\" FROM \"sales\"")]
    public async Task What_a_statement_needs_is_asked_for(string sql, string expected)
    {
        using var system = new EngineTables();
        var there = await bench.RunAsync(sql, Scope.Of([bench.Orders with { Columns = OrdersColumns }, system.Table("sales")]));
        var here = await bench.RunAsync(sql, Here);
        there.Outcome.Message.ShouldBe(here.Outcome.Message);
        system.Asked.ShouldHaveSingleItem().Sql.ShouldBe(expected);
        Sorted(there.Body).ShouldBe(Sorted(here.Body));
    }

    [Theory]
    [InlineData(21)]
    [InlineData(22, Traits = ["Runs", "long"])]
    [InlineData(23, Traits = ["Runs", "long"])]
    [InlineData(24, Traits = ["Runs", "long"])]
    public async Task Answers_are_those_of_the_whole_table(int seed)
    {
        using var system = new EngineTables();
        var scope = Scope.Of([bench.Orders with { Columns = OrdersColumns }, system.Table("sales")]);
        var joins = new RandomJoins(seed);
        var (parts, answered) = (0, 0);
        for (var i = 0; i < 60; i++)
        {
            var sql = joins.Next();
            system.Asked.Clear();
            var there = await bench.RunAsync(sql, scope, limit: 100_000);
            var here = await bench.RunAsync(sql, Here, limit: 100_000);
            there.Outcome.Status.ShouldBe(here.Outcome.Status, $"{sql}\n{there.Outcome.Message}\n{here.Outcome.Message}");
            if (!here.Outcome.IsOk) continue;
            answered++;
            Sorted(there.Body).ShouldBe(Sorted(here.Body), $"{sql}\n{system.Asked.ShouldHaveSingleItem().Sql}");
            if (system.Asked[0].Sql.Contains(" WHERE ", StringComparison.Ordinal)) parts++;
        }

        answered.ShouldBeGreaterThan(50);
        parts.ShouldBeGreaterThan(12, "conditions do travel");
    }

    /// <summary>The dialects differ in how a condition is written and in nothing else.</summary>
    [Theory]
    [InlineData("s.grade >= 2 AND s.name = 'it''s'", "(`grade` >= 2) AND (`name` = 'it\\'s')")]
    [InlineData("s.amount = 2.50 AND 7 > s.amount", "(`amount` = NUMERIC '2.5') AND (`amount` < NUMERIC '7')")]
    [InlineData("s.day = '2026-01-05' AND s.moment >= '2026-01-05 10:00:00.5' AND s.large = true",
        "(`day` = DATE '2026-01-05') AND (`moment` >= DATETIME '2026-01-05 10:00:00.5') AND (`large` = TRUE)")]
    [InlineData("s.seen >= TIMESTAMPTZ '2026-01-02 10:00:00+02' AND s.seen < '2026-01-05 00:00:00.5Z' AND s.seen IS NOT NULL",
        "(`seen` >= TIMESTAMP '2026-01-02 10:00:00+02') AND (`seen` < TIMESTAMP '2026-01-05 00:00:00.5Z') AND (`seen` IS NOT NULL)")]
    [InlineData("s.seen > '2026-01-02 10:00:00' AND s.seen > '2026-01-02' AND s.seen = '2026-01-02 10:00:00 Europe/Prague'", null)]
    [InlineData("s.name > 'a' AND s.name <> 'b' AND NOT s.name = 'c' AND NOT (s.grade = 1 OR s.name = 'x')", null)]
    [InlineData("s.day = '2026-1-5' AND s.day = '2026-02-30' AND s.day = 'infinity' AND s.moment = '2026-01-05'", null)]
    [InlineData("s.ratio = 1 AND s.id = 1.5 AND s.grade = 99999999999999999999 AND s.name = 5 AND s.name = s.name", null)]
    [InlineData("s.name LIKE 'a%' AND lower(s.name) = 'a' AND s.id IN (SELECT 1) AND random() < 0.5 AND s.id::VARCHAR = '1'", null)]
    public async Task A_condition_is_written_for_bigquery_where_it_is_certain(string condition, string? expected)
    {
        using var system = new EngineTables();
        var sql = $"SELECT o.id FROM orders o JOIN sales s ON s.id = o.id WHERE {condition}";
        using var tree = JsonDocument.Parse(system.TreeOf(sql, positions: true));
        var table = system.Table("sales");
        var columns = (await system.DescribeAsync("sales", CancellationToken.None)).Columns;
        new TableNeeds(tree.RootElement).Of(table, SqlDialect.BigQuery, columns, _ => null).Where.ShouldBe(expected);
    }

    [Fact]
    public async Task A_condition_that_is_not_understood_there_is_left_out()
    {
        using var system = new EngineTables { Refuses = " WHERE " };
        const string Sql = "SELECT count(*) AS n FROM orders o JOIN sales s ON s.id = o.id WHERE s.name = 'apple'";
        var there = await bench.RunAsync(Sql, Scope.Of([bench.Orders, system.Table("sales")]));
        there.Body.ShouldBe((await bench.RunAsync(Sql, Here)).Body);
        system.Asked.ShouldHaveSingleItem().Sql.ShouldBe("SELECT \"id\", \"name\" FROM \"sales\"");
    }

    [Fact]
    public async Task What_would_be_fetched_is_explained()
    {
        using var system = new EngineTables();
        const string Sql = "SELECT s.name FROM orders o JOIN sales s ON s.id = o.id WHERE s.grade = 1";
        var explained = await bench.Runner.ExplainAsync(
            Bench.LeaseOf("guest"), Scope.Of([bench.Orders, system.Table("sales")]), Sql, 10, StatementLimits.Default,
            CancellationToken.None);
        var step = explained.Steps.Single(one => one.System is not null);
        (string.Join(", ", step.Columns!), step.Where).ShouldBe(("id, name, grade", "(\"grade\" = 1)"));
        system.Asked.ShouldBeEmpty();
    }

    private Scope Here => Scope.Of([bench.Orders, _sales ??= bench.Table("sales", EngineTables.Sales)]);

    private ScopedTable? _sales;

    /// <summary>Without an order a statement has its rows in any.</summary>
    private static List<string> Sorted(string body)
    {
        if (body.Length == 0) return [];
        using var json = JsonDocument.Parse(body);
        return [.. json.RootElement.GetProperty("rows").EnumerateArray().Select(row => row.GetRawText()).Order(StringComparer.Ordinal)];
    }
}
