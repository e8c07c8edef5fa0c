using Agnes.Connectors.BigQuery;
using Agnes.Emulators.BigQuery;

namespace Agnes.Connectors.Tests.BigQuery;

/// <summary>The emulator answers as BigQuery would, or refuses: each line here is documented behaviour of BigQuery.</summary>
public sealed class BridgeTests
{
    [Theory]
    [InlineData("SELECT 1 AS a, 'it''s' AS b", "Syntax error")] // two texts side by side are none
    [InlineData("SELECT 10 / 4 AS a", "no operator")]
    [InlineData("SELECT a[OFFSET(5)] AS x FROM (SELECT [1, 2] AS a)", "SAFE_OFFSET")]
    [InlineData("SELECT SESSION_USER() AS x", "Function not found")]
    [InlineData("SELECT read_text('/etc/passwd') AS x", "Function not found")]
    [InlineData("SELECT * FROM read_csv('/etc/passwd')", "Table-valued function not found")]
    [InlineData("SELECT * FROM `/etc/passwd`", "must be qualified")]
    [InlineData("SELECT id FROM sales.orders", "was not found")] // in the billing project
    [InlineData("SELECT * FROM `data-project.sales.ORDERS`", "was not found")] // names of tables have a case
    [InlineData("SELECT nothing FROM `data-project.sales.orders`", "Unrecognized name: nothing")]
    [InlineData("SELECT o.id AS c FROM `data-project.sales.orders` AS o WHERE orders.id = 1", "orders")] // an alias hides the name
    [InlineData("SELECT big FROM `data-project.sales.everything` ORDER BY big", "cannot compute with big")]
    [InlineData("SELECT big AS small FROM `data-project.sales.everything`", "cannot compute with big")]
    [InlineData("DELETE FROM `data-project.sales.orders` WHERE TRUE", "Expected end of input but got keyword DELETE")]
    [InlineData("SELECT 1 AS a UNION SELECT 2", "Expected keyword ALL or keyword DISTINCT")]
    [InlineData("SELECT @missing AS a", "Query parameter 'missing' not found")]
    [InlineData("SELECT 1 AS a /* never closed", "Unclosed comment")]
    [InlineData("SELECT 'a\nb' AS a", "Unclosed string")]
    [InlineData("SELECT 1 AS a; SELECT 2 AS b", "no operator")]
    [InlineData("SELECT MOD(id, 0) AS a FROM `data-project.sales.orders`", "division by zero")]
    public async Task What_BigQuery_refuses_or_the_bridge_does_not_know_is_an_error(string sql, string said)
    {
        await using var cloud = await StartAsync();
        var failure = await Should.ThrowAsync<BigQueryException>(() => cloud.Client().RunAsync(Cloud.Statement(sql), Cloud.Stop));
        failure.Upstream!.ShouldContain(said);
    }

    [Theory]
    [InlineData("SELECT '''it's''' AS a, r'\\d' AS b, \"x\" AS c # no more", "it's | \\d | x")]
    [InlineData("SELECT 1.0 AS a, SAFE_DIVIDE(1, 0) AS b, SAFE_DIVIDE(3, 2) AS c", "double:1 | null | double:1.5")]
    [InlineData("SELECT SAFE_CAST('x' AS INT64) AS a, CAST('7' AS INT64) AS b, CAST(2.5 AS INT64) AS c", "null | 7 | 3")]
    [InlineData("SELECT CONCAT('a', NULL) AS a, IF(TRUE, 1, 2) AS b, IFNULL(NULL, 3) AS c", "null | 1 | 3")]
    [InlineData("SELECT FORMAT_DATE('%Y/%m', DATE '2026-03-01') AS a, DATE_DIFF(DATE '2026-03-01', "
        + "DATE '2026-02-01', DAY) AS b", "2026/03 | 28")]
    [InlineData("SELECT DATE_ADD(DATE '2026-01-31', INTERVAL 1 MONTH) AS a, "
        + "EXTRACT(DAYOFWEEK FROM DATE '2026-11-29') AS b", "date:2026-02-28 | 1")]
    [InlineData("SELECT ARRAY_LENGTH([1, 2]) AS a, [10, 20][SAFE_OFFSET(1)] AS b, [1][SAFE_OFFSET(9)] AS c", "2 | 20 | null")]
    [InlineData("SELECT x FROM UNNEST([3, 1, 2]) AS x ORDER BY x DESC LIMIT 1", "3")]
    [InlineData("SELECT COUNT(*) AS n, SUM(id) AS s, COUNTIF(id > 3) AS c FROM `data-project`.sales.orders", "7 | 28 | 4")]
    [InlineData("WITH o AS (SELECT id FROM data-project.sales.orders) SELECT MAX(o.id) AS m FROM o", "7")]
    [InlineData("SELECT tag FROM `data-project.sales.orders` o, o.tags AS tag WHERE o.id = 2 AND tag LIKE 'b%'", "b")]
    [InlineData("SELECT STRUCT(1 AS a, 'x' AS b) AS s", "{\"a\":1,\"b\":\"x\"}")]
    [InlineData("SELECT * EXCEPT (name, price, day, tags, home) FROM `data-project.sales.orders` WHERE id = 3", "3")]
    [InlineData("SELECT n FROM (SELECT 1 AS n UNION ALL SELECT NULL) ORDER BY n", "null\n1")]
    [InlineData("SELECT table_type FROM `data-project.sales.INFORMATION_SCHEMA.TABLES` WHERE table_name = 'totals'", "MATERIALIZED VIEW")]
    [InlineData("SELECT data_type FROM `data-project.sales.INFORMATION_SCHEMA.COLUMNS` WHERE is_partitioning_column = 'YES'", "DATE")]
    [InlineData("SELECT total_rows FROM `data-project.region-EU.INFORMATION_SCHEMA.TABLE_STORAGE` WHERE table_name = 'orders'", "7")]
    [InlineData("SELECT row_count FROM `data-project.sales.__TABLES__` WHERE table_id = 'orders'", "7")]
    public async Task What_it_answers_is_what_BigQuery_answers(string sql, string rows)
    {
        await using var cloud = await StartAsync();
        (await Cloud.ReadAsync(await cloud.Client().RunAsync(Cloud.Statement(sql), Cloud.Stop))).ShouldBe(rows + "\n");
    }

    [Fact]
    public async Task Bytes_are_billed_by_the_columns_that_are_named_and_ten_megabytes_at_least()
    {
        await using var cloud = await StartAsync();
        async Task<long> BilledAsync(string sql) =>
            (await cloud.Client().RunAsync(Cloud.Statement(sql, bytes: 1L << 40), Cloud.Stop)).BytesBilled;
        (await BilledAsync("SELECT id FROM `data-project.sales.huge` LIMIT 1")).ShouldBe(8000L << 20);
        (await BilledAsync("SELECT id FROM `data-project.sales.huge` WHERE note = 'y'")).ShouldBe(11_000L << 20);
        const string Join = "SELECT o.id FROM `data-project.sales.orders` o JOIN `data-project.sales.outside` x ON o.id = x.id";
        (await BilledAsync(Join)).ShouldBe(20 << 20);
        (await BilledAsync("SELECT 1 AS one")).ShouldBe(0);
    }

    private static async Task<Cloud> StartAsync()
    {
        var cloud = await Cloud.StartAsync();
        cloud.Server.Warehouse.AddTable(Cloud.Data, "sales", "everything", EveryType.Columns, EveryType.Rows);
        return cloud;
    }
}
