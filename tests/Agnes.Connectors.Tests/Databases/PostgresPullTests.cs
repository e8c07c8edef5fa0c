using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Connectors.Tests.Postgres;
using Agnes.Engine.Extracts;
using Agnes.Engine.Workers;
using Agnes.Testing;

namespace Agnes.Connectors.Tests.Databases;

/// <summary>Tables of a real PostgreSQL become tables here, by a real worker: whole, and by what changed in them.</summary>
public sealed class PostgresPullTests(Shelf shelf) : IClassFixture<Shelf>, IDisposable
{
    private readonly Workshop _shop = new();

    public void Dispose() => _shop.Dispose();

    [Fact]
    public async Task Each_type_arrives_as_when_it_is_asked_for()
    {
        await shelf.ExecuteAsync("DROP TABLE IF EXISTS everything; DROP TYPE IF EXISTS mood; DROP DOMAIN IF EXISTS cents; DROP TYPE IF EXISTS pair");
        await shelf.ExecuteAsync("CREATE TYPE mood AS ENUM ('sad', 'glad')");
        await shelf.ExecuteAsync("CREATE DOMAIN cents AS numeric(12,2)");
        await shelf.ExecuteAsync("CREATE TYPE pair AS (a int, b text)");
        var cases = PostgresTypesTests.Cases;
        await shelf.ExecuteAsync($"CREATE TABLE everything ({string.Join(", ", cases.Select((one, at) => $"c{at} {one.Type}"))})");
        await shelf.ExecuteAsync(
            $"INSERT INTO everything VALUES ({string.Join(", ", cases.Select(one => one.Value))}), ({string.Join(", ", cases.Select(_ => "NULL"))})");
        await PullAsync("everything");
        _shop.Table("everything").Columns.Select(column => column.Type).ShouldBe(cases.Select(one => one.Engine));
        var rows = _shop.Rows("everything", "CAST(COLUMNS(*) AS VARCHAR)");
        rows.ShouldBe($"{string.Join('|', cases.Select(one => one.Text))} {string.Join('|', cases.Select(_ => "NULL"))}");
    }

    [Theory]
    [InlineData("0")]
    [InlineData("0.00001")]
    [InlineData("-0.1")]
    [InlineData("9999")]
    [InlineData("10000")]
    [InlineData("-10000.00001")]
    [InlineData("99999999999999999999999999999999.99999")]
    [InlineData("-123456789012345678901234567890.5")]
    public async Task A_decimal_keeps_its_digits(string value)
    {
        await shelf.ExecuteAsync("DROP TABLE IF EXISTS digits; CREATE TABLE digits (d numeric(37,5))");
        await shelf.ExecuteAsync($"INSERT INTO digits VALUES ({value})");
        await PullAsync("digits");
        _shop.Rows("digits", "CAST(d AS VARCHAR)").ShouldBe(await shelf.ScalarAsync("SELECT d::text FROM digits"));
    }

    [Fact]
    public async Task Rows_that_changed_take_the_place_of_those_of_their_key_and_others_are_not_asked_for()
    {
        await shelf.ExecuteAsync("""
            DROP TABLE IF EXISTS bills;
            CREATE TABLE bills (id bigint PRIMARY KEY, amount numeric(10,2), at timestamptz);
            INSERT INTO bills SELECT i, i, timestamptz '2026-01-01' + i * interval '1 minute' FROM generate_series(1, 1000) i;
            """);
        var how = new JsonObject { ["sync_strategy"] = "incremental", ["incremental_column"] = "at", ["reconcile_every_days"] = null };
        await PullAsync("bills", how);
        _shop.Rows("bills", "count(*), sum(amount)").ShouldBe("1000|500500.00");

        // Changed, new, late within the lag, without a time; and one far back whose time was not touched, which nobody can see.
        await shelf.ExecuteAsync("""
            UPDATE bills SET amount = -1, at = timestamptz '2026-01-02' WHERE id = 7;
            INSERT INTO bills VALUES (1001, 5, '2026-01-02'), (1002, 6, timestamptz '2026-01-01' + 990 * interval '1 minute'), (1003, 7, NULL);
            UPDATE bills SET amount = 0 WHERE id = 8;
            """);
        await PullAsync("bills", how);
        _shop.Rows("bills", "count(*), sum(amount)").ShouldBe("1003|500510.00");
        _shop.Rows("bills", "string_agg(id || '=' || amount, ',' ORDER BY id) FILTER (id IN (7, 8) OR id > 1000)")
            .ShouldBe("7=-1.00,8=8.00,1001=5.00,1002=6.00,1003=7.00");
        await shelf.ExecuteAsync("UPDATE bills SET amount = 9 WHERE id IS NOT NULL AND at IS NULL");
        await PullAsync("bills", how);
        _shop.Rows("bills", "max(amount) FILTER (id = 1003)").ShouldBe("9.00");
    }

    [Fact]
    public async Task Rows_that_are_gone_there_go_here_when_keys_are_compared()
    {
        await shelf.ExecuteAsync("DROP TABLE IF EXISTS gone; CREATE TABLE gone (a int, b text, n int, PRIMARY KEY (a, b))");
        await shelf.ExecuteAsync("INSERT INTO gone SELECT i % 10, 'k' || i, i FROM generate_series(1, 100) i");
        var never = new JsonObject { ["sync_strategy"] = "incremental", ["incremental_column"] = "n" };
        await PullAsync("gone", never);
        await shelf.ExecuteAsync("DELETE FROM gone WHERE n <= 40");
        await PullAsync("gone", never);
        _shop.Rows("gone", "count(*)").ShouldBe("100");
        await PullAsync("gone", new JsonObject { ["sync_strategy"] = "incremental", ["incremental_column"] = "n", ["reconcile_every_days"] = 0 });
        _shop.Rows("gone", "count(*), min(n)").ShouldBe("60|41");
    }

    [Fact]
    public async Task Only_partitions_that_were_touched_are_written_anew()
    {
        await shelf.ExecuteAsync("""
            DROP TABLE IF EXISTS visits;
            CREATE TABLE visits (id int PRIMARY KEY, day date NOT NULL, changed timestamp NOT NULL);
            INSERT INTO visits SELECT i, date '2026-01-01' + i % 360, timestamp '2027-01-01' FROM generate_series(1, 3600) i;
            """);
        var how = new JsonObject { ["sync_strategy"] = "partitioned", ["partition_by"] = "day", ["incremental_column"] = "changed" };
        await PullAsync("visits", how);
        var before = _shop.Table("visits").Parts.ToDictionary(part => part.Name, part => part.Sha256);
        before.Count.ShouldBe(12);
        await shelf.ExecuteAsync("UPDATE visits SET day = '2026-03-05', changed = '2027-01-02' WHERE id = 1"); // from January into March
        await PullAsync("visits", how);
        var after = _shop.Table("visits").Parts.ToDictionary(part => part.Name, part => part.Sha256);
        after.Where(part => before[part.Key] != part.Value).Select(part => part.Key).Order().ShouldBe(["2026_01.parquet", "2026_03.parquet"]);
        _shop.Rows("visits", "count(*), count(DISTINCT id)").ShouldBe("3600|3600");
    }

    [Fact]
    [Long]
    public async Task Where_nothing_tells_what_changed_the_newest_partitions_are_read_anew_deletions_included()
    {
        await shelf.ExecuteAsync("""
            DROP TABLE IF EXISTS events;
            CREATE TABLE events (day timestamp, what text);
            INSERT INTO events SELECT timestamp '2026-01-01' + i * interval '1 day', 'w' || i FROM generate_series(0, 99) i;
            INSERT INTO events VALUES (NULL, 'never'), ('infinity', 'ever');
            """);
        var how = new JsonObject { ["sync_strategy"] = "partitioned", ["partition_by"] = "day", ["incremental_window_days"] = 3 };
        await PullAsync("events", how);
        _shop.Rows("events", "count(*)").ShouldBe("102");
        var before = _shop.Table("events").Parts.ToDictionary(part => part.Name, part => part.Sha256);
        // The newest is of 10 April: three days before are in April too, so that March stays as it is here.
        await shelf.ExecuteAsync("DELETE FROM events WHERE what IN ('w99', 'w80', 'never'); INSERT INTO events VALUES ('2026-04-20', 'new')");
        await PullAsync("events", how);
        _shop.Rows("events", "count(*), count(*) FILTER (what = 'w80'), count(*) FILTER (what IN ('w99', 'never'))").ShouldBe("101|1|0");
        _shop.Table("events").Parts.Count(part => before.GetValueOrDefault(part.Name) == part.Sha256).ShouldBe(4, "three months and what is without end");
    }

    [Fact]
    public async Task A_first_load_of_many_rows_is_laid_out_by_its_key_and_a_change_touches_one_part()
    {
        await shelf.ExecuteAsync("""
            DROP TABLE IF EXISTS many;
            CREATE UNLOGGED TABLE many (id bigint PRIMARY KEY, n int NOT NULL);
            INSERT INTO many SELECT i, i FROM generate_series(1, 1200000) i;
            """);
        var how = new JsonObject { ["sync_strategy"] = "incremental", ["incremental_column"] = "n" };
        await PullAsync("many", how);
        var before = _shop.Table("many").Parts.Select(part => part.Sha256).ToHashSet();
        before.Count.ShouldBeInRange(4, 6);
        await shelf.ExecuteAsync("INSERT INTO many VALUES (1200001, 1200001)");
        await PullAsync("many", how);
        _shop.Table("many").Parts.Count(part => !before.Contains(part.Sha256)).ShouldBe(1);
        _shop.Rows("many", "count(*), sum(id)").ShouldBe("1200001|720001800001");
    }

    [Fact]
    public async Task Filters_and_history_are_asked_of_the_database()
    {
        await shelf.ExecuteAsync("""
            DROP TABLE IF EXISTS filtered;
            CREATE TABLE filtered (id int PRIMARY KEY, name text, at timestamptz);
            INSERT INTO filtered VALUES (1, 'it''s', now()), (2, 'b', now()), (3, 'c', now() - interval '40 days');
            """);
        await PullAsync("filtered", Json("""{"where_filters":[{"column":"NAME","operator":"eq","values":["it's","c"]}]}"""));
        _shop.Rows("filtered", "string_agg(id, ',' ORDER BY id)").ShouldBe("1,3");
        await PullAsync("filtered", Json("""{"sync_strategy":"incremental","incremental_column":"at","max_history_days":30}"""));
        _shop.Rows("filtered", "string_agg(id, ',' ORDER BY id)").ShouldBe("1,2");
    }

    [Theory]
    [InlineData("""{"sync_strategy":"incremental"}""", "needs incremental_column")]
    [InlineData("""{"sync_strategy":"incremental","incremental_column":"nope"}""", "no such column")]
    [InlineData("""{"sync_strategy":"incremental","incremental_column":"name"}""", "neither whole numbers nor times")]
    [InlineData("""{"sync_strategy":"incremental","incremental_column":"id"}""", "no primary key")]
    [InlineData("""{"sync_strategy":"partitioned","partition_by":"name"}""", "holds no dates")]
    [InlineData("""{"sync_strategy":"incremental","incremental_column":"id","lag":"soon"}""", "lag must be a time such as")]
    [InlineData("""{"where_filters":[{"column":"nope","values":["1"]}]}""", "no such column")]
    public async Task What_does_not_go_with_the_table_is_said(string settings, string told)
    {
        await shelf.ExecuteAsync("CREATE TABLE IF NOT EXISTS plain (id int, name text)");
        var outcome = await RunAsync("plain", Json(settings));
        outcome.Failed.ShouldHaveSingleItem().Error.ShouldContain(told);
    }

    [Fact]
    public async Task A_table_that_is_not_there_and_a_database_that_is_away_are_said_and_the_last_good_rows_stay()
    {
        await shelf.ExecuteAsync("DROP TABLE IF EXISTS here; CREATE TABLE here AS SELECT 1 AS n");
        await PullAsync("here");
        (await RunAsync("away")).Failed.ShouldHaveSingleItem().Error.ShouldContain("There is no table \"public\".\"away\"");
        var options = new Dictionary<string, string>(shelf.Options, StringComparer.Ordinal) { ["port"] = "1", ["allowed_private_hosts"] = shelf.Options["host"] };
        var outcome = await _shop.RunAsync([Table("here", null)], "postgres", "shelf", options);
        outcome.Failed.ShouldHaveSingleItem().Error.ShouldContain("cannot be reached");
        _shop.Rows("here").ShouldBe("1");
    }

    [Fact]
    public async Task A_connection_that_breaks_in_the_middle_leaves_the_last_good_rows_and_the_next_run_is_whole()
    {
        await shelf.ExecuteAsync("DROP TABLE IF EXISTS broken; CREATE TABLE broken AS SELECT 1 AS n, 'x' AS t");
        await PullAsync("broken");
        await shelf.ExecuteAsync("DROP TABLE broken; CREATE VIEW broken AS SELECT i AS n, repeat('x', 1000) AS t FROM generate_series(1, 400000) i");
        var running = RunAsync("broken");
        while (await shelf.ScalarAsync("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'") is 0L) await Task.Delay(5, Workshop.Stop);
        await Task.Delay(100, Workshop.Stop);
        await shelf.ScalarAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND pid <> pg_backend_pid()");
        (await running).Failed.ShouldHaveSingleItem();
        _shop.Rows("broken").ShouldBe("1|x");
        await PullAsync("broken");
        _shop.Rows("broken", "count(*), min(length(t))").ShouldBe("400000|1000");
        await shelf.ExecuteAsync("DROP VIEW broken");
    }

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    private async Task PullAsync(string table, JsonObject? settings = null)
    {
        var outcome = await RunAsync(table, settings);
        outcome.Failed.ShouldBeEmpty();
    }

    private async Task<ExtractOutcome> RunAsync(string table, JsonObject? settings = null)
    {
        await shelf.ExecuteAsync($"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {shelf.Role}");
        var options = new Dictionary<string, string>(shelf.Options, StringComparer.Ordinal) { ["allowed_private_hosts"] = shelf.Options["host"] };
        return await _shop.RunAsync([Table(table, settings)], "postgres", "shelf", options);
    }

    private static TableConfig Table(string name, JsonObject? settings) =>
        new(name, name, Settings: settings is null ? null : JsonElement.Parse(settings.ToJsonString()));
}
