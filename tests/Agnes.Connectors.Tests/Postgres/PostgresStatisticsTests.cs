using Agnes.Engine.Query.Remote;

namespace Agnes.Connectors.Tests.Postgres;

/// <summary>What a PostgreSQL says of a table without reading it: kind, rows, bytes, how it is stored.</summary>
public sealed class PostgresStatisticsTests(Shelf shelf) : IClassFixture<Shelf>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_and_bytes_are_those_of_its_statistics_and_views_have_none()
    {
        await shelf.ExecuteAsync("CREATE TABLE counted AS SELECT i AS id, repeat('x', 100) AS note FROM generate_series(1, 5000) t(i)");
        await shelf.ExecuteAsync("CREATE VIEW seen AS SELECT id FROM counted");
        await shelf.ExecuteAsync("CREATE TABLE never (id int)");
        await GrantAsync("counted", "seen", "never");
        await shelf.ExecuteAsync("ANALYZE counted");
        var counted = await DescribeAsync("counted");
        (counted.EntityType, counted.Rows, counted.Layout!.PartitionedBy).ShouldBe(("BASE TABLE", 5000L, null));
        counted.Bytes.ShouldNotBeNull().ShouldBeInRange(500_000, 2_000_000);
        counted.Columns.Select(column => column.Name).ShouldBe(["id", "note"]);
        var seen = await DescribeAsync("seen");
        (seen.EntityType, seen.Rows, seen.Bytes).ShouldBe(("VIEW", null, null));
        (await DescribeAsync("never")).Rows.ShouldBeNull("nobody has counted them");
    }

    [Fact]
    public async Task A_partitioned_table_has_its_partitions_rows_and_says_by_what_they_lie_apart()
    {
        await shelf.ExecuteAsync("CREATE TABLE apart (id int, day date) PARTITION BY RANGE (day)");
        await shelf.ExecuteAsync("CREATE TABLE apart_1 PARTITION OF apart FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')");
        await shelf.ExecuteAsync("CREATE TABLE apart_2 PARTITION OF apart FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')");
        await shelf.ExecuteAsync("INSERT INTO apart SELECT i, DATE '2026-01-01' + i % 58 FROM generate_series(1, 1000) t(i)");
        await shelf.ExecuteAsync("CREATE TABLE sorted (b int, a int)");
        await shelf.ExecuteAsync("CREATE INDEX sorted_by ON sorted (a, b)");
        await shelf.ExecuteAsync("CLUSTER sorted USING sorted_by");
        await shelf.ExecuteAsync("ANALYZE apart");
        await GrantAsync("apart", "sorted");
        var apart = await DescribeAsync("apart");
        (apart.Rows, apart.Layout!.PartitionedBy).ShouldBe((1000L, "day"));
        apart.Bytes.ShouldNotBeNull().ShouldBeGreaterThan(0);
        (await DescribeAsync("sorted")).Layout!.ClusteredBy.ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task What_is_not_there_and_what_may_not_be_read_are_two_things()
    {
        await shelf.ExecuteAsync("CREATE TABLE locked (id int)");
        await shelf.ExecuteAsync($"REVOKE ALL ON locked FROM {shelf.Role}");
        var missing = await Should.ThrowAsync<RemoteException>(() => DescribeAsync("nowhere"));
        (missing.IsMissing, missing.IsForbidden).ShouldBe((true, false));
        var locked = await Should.ThrowAsync<RemoteException>(() => DescribeAsync("locked"));
        (locked.IsMissing, locked.IsForbidden).ShouldBe((false, true));
    }

    [Fact]
    public async Task One_schema_is_listed_by_itself()
    {
        await shelf.ExecuteAsync("CREATE SCHEMA alone");
        await shelf.ExecuteAsync($"GRANT USAGE ON SCHEMA alone TO {shelf.Role}");
        await shelf.ExecuteAsync("CREATE TABLE alone.one (a int)");
        await shelf.ExecuteAsync($"GRANT SELECT ON alone.one TO {shelf.Role}");
        var listed = await shelf.Tables.ListAsync(new RemoteListing("alone", null, null, 10), Stop);
        listed.Select(one => (one.Bucket, one.Table, one.Description.EntityType)).ShouldBe([("alone", "one", "BASE TABLE")]);
    }

    private async Task GrantAsync(params string[] tables)
    {
        foreach (var table in tables) await shelf.ExecuteAsync($"GRANT SELECT ON {table} TO {shelf.Role}");
    }

    private Task<RemoteDescription> DescribeAsync(string table) => shelf.Tables.DescribeAsync($"\"public\".\"{table}\"", Stop);
}
