using System.Data;
using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

public sealed class CommandTests
{
    [Fact]
    public void Statements_of_one_text_run_in_order_and_each_takes_the_parameters_that_it_names()
    {
        using var memory = new Memory();
        memory.Run(
            "create table t(a int, b varchar); insert into t values (@a, @b), (2, 'y'); update t set b = @c where a = @a; -- end",
            ("a", 1), ("b", "x"), ("c", "z")).ShouldBe(3);
        memory.Scalar("select string_agg(a || b, ',' order by a) from t").ShouldBe("1z,2y");
        memory.Run("delete from t").ShouldBe(2);
        memory.Run("create table u(x int)").ShouldBe(0);
    }

    [Fact]
    public void An_error_stops_the_statements_behind_it()
    {
        using var memory = new Memory();
        Should.Throw<DuckDBException>(() => memory.Run("create table t(a int); insert into t values (1); insert into nosuch values (1); insert into t values (2)"));
        memory.Scalar("select count(*) from t").ShouldBe(1L);
    }

    [Fact]
    public void Each_result_of_several_statements_is_read_in_turn()
    {
        using var memory = new Memory();
        using var reader = memory.Read("select 1 as a; create table t(x int); insert into t values (5), (6); select x as b from t order by x; select 'no rows' as c where false");
        reader.GetName(0).ShouldBe("a");
        reader.RecordsAffected.ShouldBe(2);
        reader.Read().ShouldBeTrue();
        reader.NextResult().ShouldBeTrue();
        reader.GetName(0).ShouldBe("b");
        reader.Read().ShouldBeTrue();
        reader.Read().ShouldBeTrue();
        reader.GetInt32(0).ShouldBe(6);
        reader.NextResult().ShouldBeTrue();
        reader.HasRows.ShouldBeFalse();
        reader.GetName(0).ShouldBe("c");
        reader.GetFieldType(0).ShouldBe(typeof(string));
        reader.Read().ShouldBeFalse();
        reader.NextResult().ShouldBeFalse();
        reader.FieldCount.ShouldBe(0);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ; ; -- nothing\n /* at all */ ")]
    [InlineData("create table t(x int)")]
    [InlineData("create table t(x int); insert into t values (1)")]
    [InlineData("begin; rollback")]
    public void A_text_without_a_result_gives_a_reader_without_columns(string sql)
    {
        using var memory = new Memory();
        using (var reader = memory.Read(sql))
        {
            reader.FieldCount.ShouldBe(0);
            reader.HasRows.ShouldBeFalse();
            reader.Read().ShouldBeFalse();
            reader.ReadChunk().ShouldBeFalse();
        }

        memory.Run("drop table if exists t");
        memory.Scalar(sql).ShouldBeNull();
    }

    [Fact]
    public void An_empty_result_still_has_its_columns()
    {
        using var memory = new Memory();
        using var reader = memory.Read("select 1::decimal(4,1) as d, {'a': 1} as s where false");
        reader.HasRows.ShouldBeFalse();
        reader.FieldCount.ShouldBe(2);
        reader.Read().ShouldBeFalse();
        reader.GetDataTypeName(0).ShouldBe("DECIMAL(4,1)");
        reader.GetDataTypeName(1).ShouldBe("STRUCT(a INTEGER)");
        Should.Throw<InvalidOperationException>(() => reader.GetValue(0));
    }

    [Fact]
    public void Statements_that_the_engine_turns_into_several_give_their_one_result()
    {
        using var memory = new Memory();
        memory.Run("create table t(k varchar, n int); insert into t values ('a', 1), ('b', 2), ('a', 3)");
        using (var reader = memory.Read("pivot t on k using sum(n)"))
        {
            reader.Read().ShouldBeTrue();
            reader.GetInt64(reader.GetOrdinal("a")).ShouldBe(4);
            reader.GetInt64(reader.GetOrdinal("b")).ShouldBe(2);
            reader.Read().ShouldBeFalse();
            reader.NextResult().ShouldBeFalse();
        }

        using (var transaction = memory.Connection.BeginTransaction())
        {
            memory.Run("alter table t add column flag boolean default 'f'");
            transaction.Commit();
        }

        foreach (var sql in (string[])["summarize t", "describe t", "show tables", "from t", "explain analyze select 1", "pragma table_info('t')", "call range(3)", "values (1)"])
        {
            using var reader = memory.Read(sql);
            reader.Read().ShouldBeTrue(sql);
        }
    }

    [Fact]
    public void Returning_gives_rows()
    {
        using var memory = new Memory();
        memory.Run("create table t(id int primary key, n int default 7)");
        memory.Scalar("insert into t(id) values (1) returning n").ShouldBe(7);
        memory.Scalar("update t set n = n + 1 where id = 1 returning n").ShouldBe(8);
        memory.Scalar("update t set n = n + 1 where id = 2 returning n").ShouldBeNull();
    }

    [Fact]
    public void A_second_statement_beside_a_streaming_reader_is_refused_but_not_on_a_duplicate()
    {
        using var memory = new Memory();
        using var reader = memory.Read("select range from range(1000000)");
        reader.Read();
        Should.Throw<InvalidOperationException>(() => memory.Run("select 1")).Message.ShouldContain("Duplicate");
        using var other = memory.Connection.Duplicate();
        using var command = other.CreateCommand();
        command.CommandText = "select 5";
        command.ExecuteScalar().ShouldBe(5);
        var rows = 1;
        while (reader.Read()) rows++;
        rows.ShouldBe(1_000_000);
        memory.Scalar("select 1").ShouldBe(1); // read to its end, it is out of the way
    }

    [Fact]
    public void A_result_held_in_memory_leaves_the_connection_free()
    {
        using var memory = new Memory();
        using var command = memory.Connection.CreateCommand();
        command.Streaming = false;
        command.CommandText = "select range from range(10000)";
        using var reader = command.ExecuteReader();
        reader.Read();
        memory.Scalar("select 1").ShouldBe(1);
        var rows = 1;
        while (reader.Read()) rows++;
        rows.ShouldBe(10_000);
    }

    [Fact]
    public void A_reader_can_close_its_connection()
    {
        using var memory = new Memory();
        var connection = memory.Connection.Duplicate();
        using var command = connection.CreateCommand();
        command.CommandText = "select 1";
        command.ExecuteReader(CommandBehavior.CloseConnection).Dispose();
        connection.State.ShouldBe(ConnectionState.Closed);
        Should.Throw<InvalidOperationException>(() => command.ExecuteScalar());
    }

    [Fact]
    public void Unprepared_texts_run_as_they_are()
    {
        using var memory = new Memory();
        memory.Connection.ExecuteUnprepared("create table t(x int); insert into t values (1), (2)").ShouldBe(2);
        memory.Connection.ExecuteUnprepared("").ShouldBe(0);
        memory.Connection.ExecuteUnprepared("select '@x' as \"@y\"").ShouldBe(0);
        Should.Throw<DuckDBException>(() => memory.Connection.ExecuteUnprepared("select nosuch from t")).ErrorType.ShouldBe(DuckDBErrorType.Binder);
    }

    [Fact]
    public async Task Everything_works_asynchronously_too()
    {
        await using var connection = new DuckDBConnection("Data Source=:memory:");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "create table t as select range as n from range(5000)";
        await command.ExecuteNonQueryAsync();
        command.CommandText = "select n from t order by n";
        await using (var reader = await command.ExecuteReaderAsync())
        {
            var expected = 0L;
            while (await reader.ReadAsync()) reader.GetInt64(0).ShouldBe(expected++);
            expected.ShouldBe(5_000);
            (await reader.NextResultAsync()).ShouldBeFalse();
        }

        (await command.ExecuteScalarAsync()).ShouldBe(0L);
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteUnpreparedAsync("delete from t");
        await transaction.CommitAsync();
    }

    [Fact]
    public void An_sql_text_with_nul_or_half_a_surrogate_pair_is_refused()
    {
        using var memory = new Memory();
        Should.Throw<ArgumentException>(() => memory.Scalar("select 1 \0 garbage"));
        Should.Throw<ArgumentException>(() => memory.Scalar("select '\ud83d'"));
    }
}
