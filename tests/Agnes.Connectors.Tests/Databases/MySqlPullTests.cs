using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Connectors.MySql;
using Agnes.Engine.Extracts;
using Agnes.Engine.Workers;
using Agnes.Testing;

namespace Agnes.Connectors.Tests.Databases;

/// <summary>The same pulls from another database: what is not of one product is tried with PostgreSQL.</summary>
public sealed class MySqlPullTests(MariaDb maria) : IClassFixture<MariaDb>, IDisposable
{
    private readonly Workshop _shop = new();

    public void Dispose() => _shop.Dispose();

    [Fact]
    public async Task A_check_signs_in_and_counts_what_may_be_read()
    {
        await maria.ExecuteAsync("CREATE OR REPLACE TABLE checked (id int)");
        (await CheckAsync(maria.Options)).Tables.ShouldBeGreaterThan(0);
        var options = maria.Options;
        options["password"] = "a wrong password";
        var refused = await Should.ThrowAsync<WorkerFailedException>(() => CheckAsync(options));
        refused.Message.ShouldContain("cannot sign in");
        refused.Message.ShouldNotContain("a wrong password");

        static Task<SourceCheck> CheckAsync(Dictionary<string, string> options) =>
            MySqlDatabase.Connector.CheckAsync(new ExtractRequest("check", "maria", "mysql", [], Options: options), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Each_type_has_a_place_that_loses_nothing()
    {
        // Type, an example, the engine's type, and what the engine makes of the example as a text.
        (string Type, string Value, string Engine, string Text)[] cases =
        [
            ("tinyint(1)", "2", "TINYINT", "2"),
            ("tinyint unsigned", "255", "UTINYINT", "255"),
            ("smallint", "-32768", "SMALLINT", "-32768"),
            ("mediumint unsigned", "16777215", "UINTEGER", "16777215"),
            ("int", "-2147483648", "INTEGER", "-2147483648"),
            ("int unsigned", "4294967295", "UINTEGER", "4294967295"),
            ("bigint", "-9223372036854775808", "BIGINT", "-9223372036854775808"),
            ("bigint unsigned", "18446744073709551615", "UBIGINT", "18446744073709551615"),
            ("decimal(38,10)", "1234567890123456789012345678.0123456789", "DECIMAL(38,10)", "1234567890123456789012345678.0123456789"),
            ("decimal(60,2)", "12345678901234567890123456789012345678901234567890.25", "VARCHAR", "12345678901234567890123456789012345678901234567890.25"),
            ("float", "1.5", "FLOAT", "1.5"),
            ("double", "-1e300", "DOUBLE", "-1e+300"),
            ("date", "'9999-12-31'", "DATE", "9999-12-31"),
            ("datetime(6)", "'1000-01-01 00:00:00.000001'", "TIMESTAMP", "1000-01-01 00:00:00.000001"),
            ("timestamp(3)", "'2026-03-01 10:00:00.123'", "TIMESTAMP WITH TIME ZONE", "2026-03-01 10:00:00.123+00"),
            ("time", "'-838:59:59'", "VARCHAR", "-838:59:59"),
            ("year", "2026", "SMALLINT", "2026"),
            ("char(4)", "'ab'", "VARCHAR", "ab"),
            ("text", "'žluťoučký \U0001F600 it''s \\\\'", "VARCHAR", "žluťoučký \U0001F600 it's \\"),
            ("enum('sad','glad')", "'glad'", "VARCHAR", "glad"),
            ("set('a','b')", "'a,b'", "VARCHAR", "a,b"),
            ("bit(1)", "b'1'", "BOOLEAN", "true"),
            ("bit(64)", "~0", "UBIGINT", "18446744073709551615"),
            ("varbinary(4)", "x'00ff41'", "BLOB", "\\x00\\xFFA"),
            ("uuid", "'00112233-4455-6677-8899-aabbccddeeff'", "VARCHAR", "00112233-4455-6677-8899-aabbccddeeff"),
            ("inet6", "'::1'", "VARCHAR", "::1"),
            ("point", "ST_GeomFromText('POINT(1 2)')", "VARCHAR", "POINT(1 2)"),
        ];
        await maria.ExecuteAsync($"CREATE OR REPLACE TABLE everything ({string.Join(", ", cases.Select((one, at) => $"c{at} {one.Type} NULL"))})");
        await maria.ExecuteAsync(
            "SET time_zone = '+00:00'; "
            + $"INSERT INTO everything VALUES ({string.Join(", ", cases.Select(one => one.Value))}), ({string.Join(", ", cases.Select(_ => "NULL"))})");
        await PullAsync("everything");
        _shop.Table("everything").Columns.Select(column => column.Type).ShouldBe(cases.Select(one => one.Engine));
        _shop.Rows("everything", "CAST(COLUMNS(*) AS VARCHAR)")
            .ShouldBe($"{string.Join('|', cases.Select(one => one.Text))} {string.Join('|', cases.Select(_ => "NULL"))}");
    }

    [Fact]
    public async Task What_no_calendar_has_is_null_and_said()
    {
        await maria.ExecuteAsync("CREATE OR REPLACE TABLE dateless (id int, d date, t datetime); INSERT INTO dateless VALUES (1, '0000-00-00', '2026-00-00'), (2, '2026-01-31', NULL)");
        var outcome = await RunAsync("dateless");
        outcome.Failed.ShouldBeEmpty();
        _shop.Rows("dateless").ShouldBe("1|NULL|NULL 2|1/31/2026|NULL".Replace("1/31/2026", "01/31/2026", StringComparison.Ordinal));
        outcome.Warnings.ShouldBe([
            "dateless: 1 values of d are no dates, such as 0000-00-00: they are NULL here",
            "dateless: 1 values of t are no dates, such as 0000-00-00: they are NULL here"]);
    }

    [Fact]
    public async Task Changes_and_deletions_arrive_and_only_touched_partitions_are_written_anew()
    {
        await maria.ExecuteAsync("""
            CREATE OR REPLACE TABLE visits (id int PRIMARY KEY, `the ``day` date NOT NULL, changed timestamp NOT NULL DEFAULT '2026-01-01 00:00:00');
            INSERT INTO visits (id, `the ``day`) SELECT seq, date '2026-01-01' + INTERVAL (seq % 360) DAY FROM seq_1_to_3600
            """);
        var how = new JsonObject
        {
            ["sync_strategy"] = "partitioned",
            ["partition_by"] = "the `day",
            ["incremental_column"] = "changed",
            ["reconcile_every_days"] = 0,
        };
        await PullAsync("visits", how);
        var before = _shop.Table("visits").Parts.ToDictionary(part => part.Name, part => part.Sha256);
        before.Count.ShouldBe(12);
        await maria.ExecuteAsync("""
            UPDATE visits SET `the ``day` = '2026-03-05', changed = '2026-01-02 00:00:00' WHERE id = 1;
            DELETE FROM visits WHERE id = 334
            """); // from January into March, and one of December
        await PullAsync("visits", how);
        var after = _shop.Table("visits").Parts.ToDictionary(part => part.Name, part => part.Sha256);
        after.Where(part => before[part.Key] != part.Value).Select(part => part.Key).Order().ShouldBe(["2026_01.parquet", "2026_03.parquet", "2026_12.parquet"]);
        _shop.Rows("visits", "count(*), count(DISTINCT id)").ShouldBe("3599|3599");
    }

    [Fact]
    [Long]
    public async Task What_cannot_be_asked_is_said_without_what_the_server_writes_and_the_last_good_rows_stay()
    {
        await maria.ExecuteAsync("CREATE OR REPLACE TABLE here (n int); INSERT INTO here VALUES (1)");
        await PullAsync("here");
        (await RunAsync("away")).Failed.ShouldHaveSingleItem().Error.ShouldContain("There is no table `shop`.`away`");
        var options = maria.Options;
        options["password"] = "wrong";
        var refused = (await RunAsync("here", options: options)).Failed.ShouldHaveSingleItem().Error;
        refused.ShouldContain("cannot sign in");
        refused.ShouldNotContain("reader");
        options["port"] = "1";
        (await RunAsync("here", options: options)).Failed.ShouldHaveSingleItem().Error.ShouldContain("cannot be reached");
        options = maria.Options;
        options.Remove("allowed_private_hosts");
        (await RunAsync("here", options: options)).Failed.ShouldHaveSingleItem().Error.ShouldContain("private or reserved network");
        _shop.Rows("here").ShouldBe("1");
    }

    [Fact]
    [Long]
    public async Task A_connection_that_is_ended_in_the_middle_leaves_the_last_good_rows()
    {
        await maria.ExecuteAsync("CREATE OR REPLACE TABLE broken (n int, t text); INSERT INTO broken VALUES (1, 'x')");
        await PullAsync("broken");
        await maria.ExecuteAsync("INSERT INTO broken SELECT seq, repeat('x', 1000) FROM seq_2_to_300000");
        var running = RunAsync("broken");
        object? id;
        while ((id = await maria.ScalarAsync("SELECT id FROM information_schema.processlist WHERE user = 'reader' AND command IN ('Execute', 'Query') AND info LIKE 'SELECT `n`%' LIMIT 1")) is null or DBNull)
            await Task.Delay(5, Workshop.Stop);
        await Task.Delay(50, Workshop.Stop);
        await maria.ExecuteAsync($"KILL {id}");
        (await running).Failed.ShouldHaveSingleItem();
        _shop.Rows("broken").ShouldBe("1|x");
        await PullAsync("broken");
        _shop.Rows("broken", "count(*)").ShouldBe("300000");
    }

    [Theory]
    [InlineData("host", "a;b", "host must be")]
    [InlineData("port", "0", "port must be")]
    [InlineData("ssl_mode", "maybe", "ssl_mode must be")]
    [InlineData("user", "", "user is not set")]
    public void Settings_that_cannot_be_are_said(string name, string value, string told)
    {
        var options = maria.Options;
        options[name] = value;
        MySqlSettings.Fault(options).ShouldNotBeNull().ShouldContain(told);
    }

    private async Task PullAsync(string table, JsonObject? settings = null) => (await RunAsync(table, settings)).Failed.ShouldBeEmpty();

    private Task<ExtractOutcome> RunAsync(string table, JsonObject? settings = null, Dictionary<string, string>? options = null) => _shop.RunAsync(
        [new TableConfig(table, table, Settings: settings is null ? null : JsonElement.Parse(settings.ToJsonString()))], "mysql", "maria", options ?? maria.Options);
}
