using Agnes.Engine.Limits;
using Agnes.Protocol;
using static Agnes.Engine.Tests.Publishing.Installation;

namespace Agnes.Engine.Tests.Publishing;

/// <summary>Extracts as any other program would write them, with nothing but SQL.</summary>
public sealed class ForeignExtractTests : IDisposable
{
    private const string Orders = "COPY (SELECT range::BIGINT AS id, 'n' || range AS name FROM range(3)) TO '{data}/orders.parquet'; CREATE OR REPLACE VIEW orders AS SELECT * FROM read_parquet('{data}/orders.parquet');";
    private readonly Installation _installation = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _installation.Dispose();

    [Fact]
    public async Task A_view_of_one_file_is_taken_over_by_link()
    {
        _installation.Foreign(Orders + Meta("orders"));
        var publication = await _installation.PrepareAsync();
        publication.Skipped.ShouldBeEmpty();
        var table = publication.Tables.ShouldHaveSingleItem();
        table.Description.ShouldBe("about orders");
        table.ExtractedAt.ShouldBe(new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc));
        table.Rows.ShouldBe(3);
        table.Columns.ShouldBe([new TableColumn("id", "BIGINT"), new TableColumn("name", "VARCHAR")]);
        var file = _installation["extracts", "shop", "data", "orders.parquet"];
        table.Md5.ShouldBe(await ContentHash.Md5Async(file, Stop));
        FileStamp.Of(_installation.Store.PathOf(table.Parts[0].Sha256)).ShouldBe(FileStamp.Of(file));
        table.Stamps.ShouldBe([FileStamp.Of(file)]);
    }

    [Fact]
    public async Task A_folder_becomes_a_part_for_each_file()
    {
        Directory.CreateDirectory(_installation["extracts", "shop", "data", "orders"]);
        _installation.Foreign("COPY (SELECT 1 AS id) TO '{data}/orders/2026-01.parquet'; COPY (SELECT 2 AS id) TO '{data}/orders/2026-02.parquet'; CREATE VIEW orders AS SELECT * FROM read_parquet('{data}/orders/*.parquet', union_by_name=true, hive_partitioning=false);" + Meta("orders"));
        var known = Commit(await _installation.PrepareAsync());
        known[0].Parts.Select(part => part.Name).ShouldBe(["2026-01.parquet", "2026-02.parquet"]);
        known[0].Md5.ShouldBeNull();

        _installation.Foreign("COPY (SELECT 3 AS id) TO '{data}/orders/2026-03.parquet'; UPDATE _meta SET extracted_at = '2026-02-02';");
        var table = (await _installation.PrepareAsync("shop", known)).Tables.Single();
        table.Changed.ShouldBeTrue();
        table.Parts.Take(2).ShouldBe(known[0].Parts);
        _installation.Rows(table).ShouldBe("1 2 3");
    }

    [Theory]
    [InlineData("CREATE TABLE orders AS SELECT 7 AS id", "7")]
    [InlineData("CREATE VIEW orders AS SELECT id FROM read_parquet('{data}/base.parquet') WHERE id > 1", "2")]
    [InlineData("CREATE VIEW orders AS SELECT id * 10 AS id FROM read_parquet('{data}/base.parquet')", "0 10 20")]
    [InlineData("CREATE VIEW orders AS SELECT id FROM read_parquet('{data}/base.parquet') LIMIT 1", "0")]
    [InlineData("CREATE VIEW orders AS SELECT sum(id) AS id FROM read_parquet('{data}/base.parquet')", "3")]
    [InlineData("CREATE VIEW orders AS SELECT * FROM read_parquet('{data}/base.parquet')", "0 1 2")]
    public async Task A_base_table_or_a_view_that_computes_is_copied_out(string create, string rows)
    {
        _installation.Foreign($"COPY (SELECT range AS id FROM range(3)) TO '{{data}}/base.parquet'; COPY (SELECT 100 + range AS id FROM range(3)) TO '{{data}}/orders.parquet'; {create};" + Meta("orders"));
        var table = (await _installation.PrepareAsync()).Tables.ShouldHaveSingleItem();
        _installation.Rows(table).ShouldBe(rows);
        table.Parts.ShouldHaveSingleItem().Name.ShouldBe("orders.parquet");
        File.Exists(_installation["extracts", "shop", "extract.duckdb.wal"]).ShouldBeFalse();
    }

    [Fact]
    public async Task A_view_that_unifies_files_of_different_columns_is_copied_out()
    {
        Directory.CreateDirectory(_installation["extracts", "shop", "data", "t"]);
        _installation.Foreign("COPY (SELECT 1 AS a) TO '{data}/t/1.parquet'; COPY (SELECT 2 AS a, 'x' AS b) TO '{data}/t/2.parquet'; CREATE VIEW t AS SELECT * FROM read_parquet('{data}/t/*.parquet', union_by_name=true);" + Meta("t"));
        var table = (await _installation.PrepareAsync()).Tables.ShouldHaveSingleItem();
        _installation.Rows(table).ShouldBe("1|NULL 2|x");
        table.Parts.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_unchanged_source_is_not_read_again()
    {
        _installation.Foreign(Orders + "CREATE TABLE base AS SELECT 1 AS x;" + Meta("orders") + Meta("base"));
        var known = Commit(await _installation.PrepareAsync());
        // Were it read again, it would be found unreadable: the content is wrong, but no stamp says so.
        var again = await _installation.PrepareAsync("shop", known);
        again.Tables.Select(table => table.Changed).ShouldBe([false, false]);
        Commit(again).Select(table => table.Parts[0]).ShouldBe(known.Select(table => table.Parts[0]));
        Directory.EnumerateFiles(_installation.Data.Incoming, "*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_new_time_of_extraction_alone_costs_no_reading_and_is_published()
    {
        _installation.Foreign(Orders + Meta("orders"));
        var known = Commit(await _installation.PrepareAsync());
        _installation.Foreign("UPDATE _meta SET extracted_at = '2026-05-05 00:00:00'");
        var table = (await _installation.PrepareAsync("shop", known)).Tables.Single();
        table.Changed.ShouldBeTrue();
        table.ExtractedAt.Month.ShouldBe(5);
        table.Parts.ShouldBe(known[0].Parts);
    }

    [Fact]
    public async Task Names_modes_and_missing_objects_are_reported_one_by_one()
    {
        _installation.Foreign(Orders + Meta("orders") + Meta("bad name") + Meta("../x") + Meta("ghost") + Meta("ORDERS") + "CREATE VIEW far AS SELECT 1 AS x;" + Meta("far", mode: "remote"));
        var publication = await _installation.PrepareAsync();
        publication.Skipped.Select(skipped => skipped.Name).ShouldBe(["../x", "bad name", "orders", "ghost"], ignoreOrder: true);
        publication.Tables.Select(table => (table.Name, table.QueryMode, table.Parts.Count)).ShouldBe([("ORDERS", "local", 1), ("far", "remote", 0)]);
    }

    [Theory]
    [InlineData("SELECT * FROM read_text('/etc/hostname')")]
    [InlineData("SELECT * FROM read_csv('{data}/../../../state/secret.csv')")]
    [InlineData("SELECT * FROM read_parquet('{data}/../../other/data/t.parquet')")]
    [InlineData("SELECT * FROM glob('/etc/*')")]
    public async Task A_view_that_reads_outside_of_its_source_is_skipped(string select)
    {
        Directory.CreateDirectory(_installation["state"]);
        await File.WriteAllTextAsync(_installation["state", "secret.csv"], "a\n1\n", Stop);
        _installation.Foreign("COPY (SELECT 1 AS x) TO '{data}/t.parquet'", "other");
        _installation.Foreign($"CREATE VIEW spy AS {select};" + Orders + Meta("spy") + Meta("orders"));
        var publication = await _installation.PrepareAsync();
        publication.Skipped.ShouldHaveSingleItem().Name.ShouldBe("spy");
        publication.Skipped[0].Reason.ShouldNotContain(_installation.Data.Root);
        publication.Tables.ShouldHaveSingleItem().Name.ShouldBe("orders");
    }

    [Fact]
    public async Task A_symbolic_link_in_a_source_is_refused_by_name()
    {
        _installation.Foreign(Orders + Meta("orders"));
        File.CreateSymbolicLink(_installation["extracts", "shop", "data", "x.parquet"], "/etc/passwd");
        (await _installation.PrepareAsync()).Problem.ShouldNotBeNull().ShouldContain("data/x.parquet");
    }

    [Fact]
    public async Task A_foreign_parts_list_is_not_believed()
    {
        _installation.Foreign("COPY (SELECT 'secret' AS x) TO '{data}/t.parquet'; CREATE VIEW t AS SELECT * FROM read_parquet('{data}/t.parquet');" + Meta("t"), "other");
        var secret = (await _installation.PrepareAsync("other")).Tables.Single().Parts[0];
        _installation.Foreign(Orders + Meta("orders") +
            $"CREATE TABLE _parts AS SELECT 'orders' AS table_name, 0 AS ordinal, 'x.parquet' AS name, '{secret.Sha256}' AS sha256, 1::BIGINT AS rows, {secret.SizeBytes}::BIGINT AS size_bytes, NULL::VARCHAR AS md5, 0::BIGINT AS modified_ns;");
        (await _installation.PrepareAsync()).Tables.Single().Parts[0].Sha256.ShouldNotBe(secret.Sha256);
    }

    [Fact]
    public async Task A_source_that_vanished_is_removed_and_one_without_its_database_is_a_problem()
    {
        _installation.Foreign(Orders + Meta("orders"));
        var known = Commit(await _installation.PrepareAsync());
        File.Delete(_installation.Data.ExtractFile("shop"));
        (await _installation.PrepareAsync("shop", known)).Problem.ShouldNotBeNull();
        Directory.Delete(_installation.Data.Source("shop"), recursive: true);
        (await _installation.PrepareAsync("shop", known)).Removed.ShouldBe(["orders"]);
    }

    [Fact]
    public async Task Sources_with_reserved_or_bad_names_do_not_count()
    {
        foreach (var name in (string[])["server", "bad-name", "fine"]) _installation.Foreign("SELECT 1", name);
        _installation.Publisher.Sources().ShouldBe(["fine"]);
        (await _installation.PrepareAsync("../shop")).Problem.ShouldNotBeNull();
    }

    [Fact]
    public async Task The_courtesy_file_shows_all_tables_to_other_tools()
    {
        _installation.Foreign(Orders + Meta("orders"));
        var table = (await _installation.PrepareAsync()).Tables.Single();
        await _installation.Publisher.WriteAnalyticsAsync([new Engine.Publishing.AnalyticsTable("orders", table.Parts), new Engine.Publishing.AnalyticsTable("far", [])], Stop);
        await using var connection = new DuckDB.NET.Data.DuckDBConnection($"Data Source={_installation["analytics", "server.duckdb"]};access_mode=READ_ONLY");
        connection.Open();
        await using var command = new DuckDB.NET.Data.DuckDBCommand("SELECT count(*) FROM orders", connection);
        (await command.ExecuteScalarAsync(Stop)).ShouldBe(3L);
    }
}
