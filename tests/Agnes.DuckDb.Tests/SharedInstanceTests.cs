using System.Data;
using Agnes.Testing;
using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

public sealed class SharedInstanceTests
{
    [Fact]
    public void Connections_to_one_file_share_an_instance_under_every_name_of_the_file()
    {
        using var folder = new TemporaryFolder();
        using var first = Open(folder["a.duckdb"]);
        Run(first, "create table t(x int); insert into t values (1)");
        Directory.CreateSymbolicLink(folder["link"], folder.Path);
        File.CreateSymbolicLink(folder["b.duckdb"], folder["a.duckdb"]);
        foreach (var path in (string[])[folder["a.duckdb"], folder["link", "a.duckdb"], folder["b.duckdb"], folder["link", "..", Path.GetFileName(folder.Path), "a.duckdb"]])
        {
            using var other = Open(path);
            Run(other, "insert into t values (2)").ShouldBe(1);
        }

        Scalar(first, "select count(*) from t").ShouldBe(5L);
    }

    [Fact]
    public void The_last_connection_closes_the_file_and_what_was_written_is_there_again()
    {
        using var folder = new TemporaryFolder();
        var first = Open(folder["a.duckdb"]);
        var second = Open(folder["a.duckdb"]);
        Run(first, "create table t(x int)");
        first.Dispose();
        Run(second, "insert into t values (1)");
        File.Exists(folder["a.duckdb.wal"]).ShouldBeTrue();
        second.Dispose();
        File.Exists(folder["a.duckdb.wal"]).ShouldBeFalse();
        using var again = Open(folder["a.duckdb"], "access_mode=READ_ONLY");
        Scalar(again, "select count(*) from t").ShouldBe(1L);
        Should.Throw<DuckDBException>(() => Run(again, "insert into t values (2)"));
    }

    [Fact]
    public void A_connection_with_other_options_than_the_open_instance_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var first = Open(folder["a.duckdb"], "threads=1");
        Should.Throw<DuckDBException>(() => Open(folder["a.duckdb"], "access_mode=READ_ONLY")).Message.ShouldContain("access_mode");
        Should.Throw<DuckDBException>(() => Open(folder["a.duckdb"], "threads=2"));
        Open(folder["a.duckdb"], "threads=1").Dispose();
        Open(folder["a.duckdb"]).Dispose();
        Scalar(first, "select 1").ShouldBe(1);
    }

    [Fact]
    public void Memory_is_private_unless_it_has_a_name()
    {
        using var first = Open(":memory:");
        Run(first, "create table t(x int)");
        using (var second = Open(":memory:")) Should.Throw<DuckDBException>(() => Scalar(second, "select count(*) from t"));
        using (var duplicate = first.Duplicate()) Scalar(duplicate, "select count(*) from t").ShouldBe(0L);
        var name = ":memory:" + Guid.NewGuid();
        var named = Open(name);
        Run(named, "create table t(x int)");
        using (var other = Open(name)) Scalar(other, "select count(*) from t").ShouldBe(0L);
        named.Dispose();
        using var afterwards = Open(name);
        Should.Throw<DuckDBException>(() => Scalar(afterwards, "select count(*) from t"));
    }

    [Fact]
    public void A_duplicate_outlives_the_connection_that_it_was_made_from()
    {
        var first = Open(":memory:");
        Run(first, "create table t(x int)");
        using var duplicate = first.Duplicate();
        first.Dispose();
        first.State.ShouldBe(ConnectionState.Closed);
        Scalar(duplicate, "select count(*) from t").ShouldBe(0L);
    }

    [Fact]
    public void Options_reach_the_engine_and_unknown_ones_are_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        using (var connection = Open(folder["a.duckdb"], $"threads=1;memory_limit=200MB;temp_directory={folder["tmp"]};autoinstall_known_extensions=false;storage_compatibility_version=v1.4.0"))
        {
            Scalar(connection, "select current_setting('threads')").ShouldBe(1L);
            Scalar(connection, "select current_setting('temp_directory')").ShouldBe(folder["tmp"]);
            Scalar(connection, "select current_setting('autoinstall_known_extensions')").ShouldBe(false);
            ((string)Scalar(connection, "select current_setting('memory_limit')")!).ShouldContain("190");
        }

        Should.Throw<DuckDBException>(() => Open(":memory:", "no_such_option=1")).Message.ShouldContain("no_such_option");
        Should.Throw<DuckDBException>(() => Open(folder["no", "such", "folder.duckdb"])).ErrorType.ShouldBe(DuckDBErrorType.IO);
        Should.Throw<DuckDBException>(() => Open(folder["missing.duckdb"], "access_mode=READ_ONLY"));
        File.WriteAllText(folder["text.duckdb"], new string('x', 5_000));
        Should.Throw<DuckDBException>(() => Open(folder["text.duckdb"])).Message.ShouldContain("not a valid DuckDB database file");
        File.Delete(folder["text.duckdb"]);
        Open(folder["text.duckdb"]).Dispose(); // a failed opening leaves nothing behind
    }

    [Fact]
    public void A_path_may_hold_any_character_that_a_connection_string_can_quote()
    {
        using var folder = new TemporaryFolder();
        var path = folder["it's; a=\"ä\" 🦆.duckdb"];
        var text = new System.Data.Common.DbConnectionStringBuilder { ["Data Source"] = path }.ConnectionString;
        using (var connection = new DuckDBConnection(text)) connection.Open();
        File.Exists(path).ShouldBeTrue();
    }

    [Fact]
    public async Task Many_threads_open_and_close_one_file_at_once()
    {
        using var folder = new TemporaryFolder();
        var path = folder["a.duckdb"];
        using (var connection = Open(path)) Run(connection, "create table t(x int)");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(() =>
        {
            for (var i = 0; i < 25; i++)
            {
                using var connection = Open(path);
                Run(connection, $"insert into t values ({worker * 25 + i})").ShouldBe(1);
            }
        })));
        using var last = Open(path);
        Scalar(last, "select count(distinct x) from t").ShouldBe(200L);
    }

    [Fact]
    public void Everything_may_be_disposed_in_any_order()
    {
        using var folder = new TemporaryFolder();
        var path = folder["a.duckdb"];
        for (var order = 0; order < 24; order++)
        {
            var connection = Open(path);
            Run(connection, "create or replace table t as select range as x from range(100000)");
            var transaction = order % 2 == 0 ? connection.BeginTransaction() : null;
            var appender = connection.CreateAppender("t");
            appender.Append(5L).EndRow();
            var command = new DuckDBCommand("select x from t", connection);
            command.Prepare();
            var reader = command.ExecuteReader();
            reader.Read();
            var disposables = new List<IDisposable> { connection, command, reader, appender };
            if (transaction is not null) disposables.Add(transaction);
            new Random(order).Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(disposables));
            foreach (var disposable in disposables) disposable.Dispose();
            File.Exists(path + ".wal").ShouldBeFalse($"order {order}: the file is still open");
            Should.Throw<Exception>(() => reader.Read());
            Should.Throw<InvalidOperationException>(() => command.ExecuteScalar());
        }
    }

    private static DuckDBConnection Open(string path, string options = "")
    {
        var connection = new DuckDBConnection($"Data Source={path};{options}");
        connection.Open();
        return connection;
    }

    private static int Run(DuckDBConnection connection, string sql)
    {
        using var command = new DuckDBCommand(sql, connection);
        return command.ExecuteNonQuery();
    }

    private static object? Scalar(DuckDBConnection connection, string sql)
    {
        using var command = new DuckDBCommand(sql, connection);
        return command.ExecuteScalar();
    }
}
