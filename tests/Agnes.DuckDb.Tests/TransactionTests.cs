using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

public sealed class TransactionTests
{
    [Fact]
    public void A_commit_keeps_and_a_disposal_or_rollback_undoes()
    {
        using var memory = new Memory();
        memory.Run("create table t(x int)");
        using (var transaction = memory.Connection.BeginTransaction())
        {
            memory.Run("insert into t values (1)");
            transaction.Commit();
        }

        using (memory.Connection.BeginTransaction()) memory.Run("insert into t values (2)");
        using (var transaction = memory.Connection.BeginTransaction())
        {
            memory.Run("insert into t values (3)");
            transaction.Rollback();
            Should.Throw<InvalidOperationException>(transaction.Commit);
        }

        memory.Scalar("select string_agg(x, ',') from t").ShouldBe("1");
    }

    [Fact]
    public void A_commit_after_a_failed_statement_throws_instead_of_quietly_rolling_back()
    {
        using var memory = new Memory();
        memory.Run("create table t(x int primary key)");
        using (var transaction = memory.Connection.BeginTransaction())
        {
            memory.Run("insert into t values (1)");
            Should.Throw<DuckDBException>(() => memory.Run("insert into t values (1)")).ErrorType.ShouldBe(DuckDBErrorType.Constraint);
            Should.Throw<DuckDBException>(transaction.Commit).ErrorType.ShouldBe(DuckDBErrorType.Transaction);
        }

        memory.Scalar("select count(*) from t").ShouldBe(0L);
        using (memory.Connection.BeginTransaction()) memory.Scalar("select 1").ShouldBe(1);
    }

    [Fact]
    public void A_statement_that_could_not_be_bound_does_not_spoil_the_transaction()
    {
        using var memory = new Memory();
        memory.Run("create table t(x int)");
        using (var transaction = memory.Connection.BeginTransaction())
        {
            memory.Run("insert into t values (1)");
            Should.Throw<DuckDBException>(() => memory.Run("select nosuch from t"));
            transaction.Commit();
        }

        memory.Scalar("select count(*) from t").ShouldBe(1L);
    }

    [Fact]
    public void A_conflict_is_an_error_of_the_transaction_class()
    {
        using var memory = new Memory();
        memory.Run("create table t(id int primary key, n int); insert into t values (1, 0)");
        using var other = memory.Connection.Duplicate();
        using var first = memory.Connection.BeginTransaction();
        memory.Run("update t set n = 1");
        using var second = other.BeginTransaction();
        using var command = new DuckDBCommand("update t set n = 2", other);
        Should.Throw<DuckDBException>(() => command.ExecuteNonQuery()).ErrorType.ShouldBe(DuckDBErrorType.Transaction);
        first.Commit();
    }

    [Fact]
    public void A_connection_has_one_transaction_at_a_time()
    {
        using var memory = new Memory();
        using (memory.Connection.BeginTransaction()) Should.Throw<InvalidOperationException>(() => memory.Connection.BeginTransaction());
        memory.Connection.BeginTransaction().Dispose();
    }

    [Fact]
    public void Disposal_with_an_open_reader_rolls_back()
    {
        using var memory = new Memory();
        memory.Run("create table t as select range as x from range(100000)");
        using (memory.Connection.BeginTransaction())
        {
            memory.Run("delete from t where x < 50000");
            var reader = memory.Read("select x from t");
            reader.Read();
        }

        memory.Scalar("select count(*) from t").ShouldBe(100_000L);
    }

    [Fact]
    public void Closing_the_connection_rolls_back()
    {
        using var memory = new Memory();
        memory.Run("create table t(x int)");
        var other = memory.Connection.Duplicate();
        var transaction = other.BeginTransaction();
        other.ExecuteUnprepared("insert into t values (1)");
        other.Dispose();
        transaction.Dispose();
        Should.Throw<InvalidOperationException>(transaction.Commit);
        memory.Scalar("select count(*) from t").ShouldBe(0L);
    }
}
