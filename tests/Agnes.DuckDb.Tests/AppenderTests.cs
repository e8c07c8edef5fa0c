using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

public sealed class AppenderTests
{
    [Fact]
    public void All_types_go_in_as_they_are()
    {
        using var memory = new Memory();
        memory.Run(
            "create table t(b boolean, i int, l bigint, ul ubigint, h hugeint, f float, d double, n decimal(20,3), s varchar, u varchar, "
            + "dt date, tm time, ts timestamp, tz timestamptz, iv interval, g uuid, bl blob, li int[], df int default 7, nn int)");
        var at = new DateTime(2024, 2, 29, 12, 30, 15, 123, 456);
        var guid = Guid.NewGuid();
        using (var appender = memory.Connection.CreateAppender("t"))
        {
            appender.Append(true).Append(-1).Append(long.MaxValue).Append(ulong.MaxValue).Append(Int128.MinValue).Append(1.5f).Append(2.5).Append(-12.345m)
                .Append("zwölf\0🦆").AppendUtf8("größe"u8).Append(new DateOnly(2024, 2, 29)).Append(new TimeOnly(1, 2, 3)).Append(at)
                .Append(new DateTimeOffset(at, TimeSpan.Zero)).Append(TimeSpan.FromHours(1)).Append(guid).Append([0, 1, 255]).AppendValue((int[])[1, 2])
                .AppendDefault().AppendNull().EndRow();
            appender.Close();
        }

        using var reader = memory.Read("select * from t");
        reader.Read().ShouldBeTrue();
        var values = new object[reader.FieldCount];
        reader.GetValues(values);
        object[] expected =
        [
            true, -1, long.MaxValue, ulong.MaxValue, Int128.MinValue, 1.5f, 2.5, -12.345m, "zwölf\0🦆", "größe", new DateOnly(2024, 2, 29), new TimeOnly(1, 2, 3),
            at, at, new DuckDBInterval(0, 0, 3_600_000_000), guid, new byte[] { 0, 1, 255 }, new object?[] { 1, 2 }, 7, DBNull.Value,
        ];
        values.ShouldBeEquivalentTo(expected);
    }

    [Fact]
    public void Many_rows_arrive_in_order_and_whole()
    {
        using var memory = new Memory();
        memory.Run("create table t(i bigint, s varchar)");
        const int rows = 500_000;
        using (var appender = memory.Connection.CreateAppender("t"))
        {
            for (var i = 0; i < rows; i++) appender.Append((long)i).Append(i % 2 == 0 ? null : "some text of row " + i).EndRow();
            appender.Close();
        }

        memory.Scalar("select count(*) || ' ' || sum(i)::varchar || ' ' || count(s) from t").ShouldBe("500000 124999750000 250000");
        memory.Scalar("select count(*) from t where s <> 'some text of row ' || i").ShouldBe(0L);
    }

    [Fact]
    public void Without_close_the_rows_are_dropped()
    {
        using var memory = new Memory();
        memory.Run("create table t(i int)");
        using (var appender = memory.Connection.CreateAppender("t")) appender.Append(1).EndRow();
        memory.Scalar("select count(*) from t").ShouldBe(0L);
        using (var appender = memory.Connection.CreateAppender("t"))
        {
            appender.Append(1).EndRow();
            appender.Flush();
            appender.Append(2).EndRow();
        }

        memory.Scalar("select count(*) from t").ShouldBe(1L);
    }

    [Fact]
    public void Errors_surface_where_they_happen()
    {
        using var memory = new Memory();
        memory.Run("create table t(i int primary key, s varchar)");
        Should.Throw<DuckDBException>(() => memory.Connection.CreateAppender("nosuch")).Message.ShouldContain("nosuch");
        using (var appender = memory.Connection.CreateAppender("t"))
        {
            appender.Append(1).Append("a").EndRow();
            appender.Append(1).Append("b").EndRow();
            Should.Throw<DuckDBException>(appender.Close).ErrorType.ShouldBe(DuckDBErrorType.Constraint);
        }

        using (var appender = memory.Connection.CreateAppender("t"))
        {
            appender.Append(1);
            Should.Throw<DuckDBException>(appender.EndRow);
        }

        using (var appender = memory.Connection.CreateAppender("t"))
            Should.Throw<DuckDBException>(() => appender.AppendValue("no number")).Message.ShouldContain("no number");

        using (var appender = memory.Connection.CreateAppender("t"))
        {
            Should.Throw<ArgumentException>(() => appender.Append(1).AppendUtf8([0xff, 0xfe]));
            Should.Throw<ArgumentException>(() => appender.Append("\ud800"));
        }

        memory.Scalar("select count(*) from t").ShouldBe(0L);
    }

    [Fact]
    public void A_rolled_back_transaction_takes_appended_rows_with_it()
    {
        using var memory = new Memory();
        memory.Run("create schema s; create table s.t(i int)");
        using (memory.Connection.BeginTransaction())
        {
            using var appender = memory.Connection.CreateAppender("t", "s");
            appender.Append(1).EndRow();
            appender.Close();
        }

        memory.Scalar("select count(*) from s.t").ShouldBe(0L);
    }
}
