using System.Numerics;
using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

public sealed class ParameterTests
{
    public static readonly TheoryData<object?, string, string> Values = new()
    {
        { null, "\"NULL\"", "NULL" },
        { DBNull.Value, "\"NULL\"", "NULL" },
        { true, "BOOLEAN", "true" },
        { (sbyte)-1, "TINYINT", "-1" },
        { (byte)200, "UTINYINT", "200" },
        { (short)-1, "SMALLINT", "-1" },
        { (ushort)60_000, "USMALLINT", "60000" },
        { -7, "INTEGER", "-7" },
        { 7u, "UINTEGER", "7" },
        { long.MinValue, "BIGINT", "-9223372036854775808" },
        { ulong.MaxValue, "UBIGINT", "18446744073709551615" },
        { Int128.MinValue, "HUGEINT", "-170141183460469231731687303715884105728" },
        { UInt128.MaxValue, "UHUGEINT", "340282366920938463463374607431768211455" },
        { new BigInteger(-5), "HUGEINT", "-5" },
        { BigInteger.Pow(10, 50), "BIGNUM", "100000000000000000000000000000000000000000000000000" },
        { -BigInteger.Pow(10, 50), "BIGNUM", "-100000000000000000000000000000000000000000000000000" },
        { 1.5f, "FLOAT", "1.5" },
        { -2.5, "DOUBLE", "-2.5" },
        { double.NaN, "DOUBLE", "nan" },
        { 12.340m, "DECIMAL(5,3)", "12.340" },
        { -0.05m, "DECIMAL(3,2)", "-0.05" },
        { 0m, "DECIMAL(1,0)", "0" },
        { decimal.MaxValue, "DECIMAL(29,0)", "79228162514264337593543950335" },
        { "", "VARCHAR", "" },
        { "zwölf 🦆", "VARCHAR", "zwölf 🦆" },
        { 'x', "VARCHAR", "x" },
        { new DateTime(2024, 2, 29, 12, 30, 15, 123, 456), "TIMESTAMP", "2024-02-29 12:30:15.123456" },
        { new DateTime(2024, 2, 29, 12, 30, 15, DateTimeKind.Utc), "TIMESTAMP", "2024-02-29 12:30:15" },
        { new DateTime(1900, 1, 1).AddTicks(19), "TIMESTAMP", "1900-01-01 00:00:00.000001" },
        { DateTime.MinValue, "TIMESTAMP", "0001-01-01 00:00:00" },
        { DateTime.MaxValue, "TIMESTAMP", "9999-12-31 23:59:59.999999" },
        { new DateTimeOffset(2024, 2, 29, 12, 0, 0, TimeSpan.FromHours(2)), "TIMESTAMP WITH TIME ZONE", "2024-02-29 10:00:00+00" },
        { new DateOnly(2024, 2, 29), "DATE", "2024-02-29" },
        { new TimeOnly(12, 30, 15, 123), "TIME", "12:30:15.123" },
        { TimeSpan.FromHours(-25.5), "INTERVAL", "-1 day -01:30:00" },
        { new DuckDBInterval(14, 3, 0), "INTERVAL", "1 year 2 months 3 days" },
        { Guid.Parse("f0e1d2c3-b4a5-9687-7869-5a4b3c2d1e0f"), "UUID", "f0e1d2c3-b4a5-9687-7869-5a4b3c2d1e0f" },
        { new byte[] { 0, 97, 255 }, "BLOB", "\\x00a\\xFF" },
        { Array.Empty<byte>(), "BLOB", "" },
        { DayOfWeek.Friday, "INTEGER", "5" },
        { new long[] { 1, 2 }, "BIGINT[]", "[1, 2]" },
        { new List<string?> { "a", null }, "VARCHAR[]", "[a, NULL]" },
        { new int?[] { 1, null }, "INTEGER[]", "[1, NULL]" },
        { new[] { 1m, 2.55m, -33.123m }, "DECIMAL(5,3)[]", "[1.000, 2.550, -33.123]" },
        { new[] { new DateOnly(2024, 1, 1) }, "DATE[]", "[2024-01-01]" },
        { new[] { Guid.Empty }, "UUID[]", "[00000000-0000-0000-0000-000000000000]" },
        { Array.Empty<string>(), "VARCHAR[]", "[]" },
        { Array.Empty<long>(), "BIGINT[]", "[]" },
        { Array.Empty<object>(), "\"NULL\"[]", "[]" },
        { new byte[][] { [1], [2] }, "BLOB[]", "[\\x01, \\x02]" },
    };

    [Theory]
    [MemberData(nameof(Values), DisableDiscoveryEnumeration = true)]
    public void A_value_is_bound_as_the_type_that_it_is(object? value, string type, string text)
    {
        using var memory = new Memory();
        memory.Run("set timezone='UTC'");
        memory.Scalar("select typeof(@p)", ("p", value)).ShouldBe(type);
        memory.Scalar("select coalesce(@p::varchar, 'NULL')", ("@p", value)).ShouldBe(text);
    }

    [Fact]
    public void Parameters_are_found_by_name_in_any_case_and_by_position()
    {
        using var memory = new Memory();
        memory.Scalar("select @Name || $NAME || @name", ("name", "x")).ShouldBe("xxx");
        memory.Scalar("select ?::int * 10 + ?::int", ("", 1), ("", 2)).ShouldBe(12);
        memory.Scalar("select $2::int * 10 + $1::int", ("", 1), ("", 2)).ShouldBe(21);
        memory.Scalar("select '@name' || @name", ("name", "x")).ShouldBe("@namex");
        memory.Scalar("select 1", ("unused", 5)).ShouldBe(1);
        Should.Throw<InvalidOperationException>(() => memory.Scalar("select @a, @b", ("a", 1))).Message.ShouldContain("'b'");
    }

    [Fact]
    public void What_has_no_type_in_the_engine_is_refused()
    {
        using var memory = new Memory();
        Should.Throw<NotSupportedException>(() => memory.Scalar("select @p", ("p", new Uri("http://x"))));
        Should.Throw<NotSupportedException>(() => memory.Scalar("select @p", ("p", new object[] { 1, "x" })));
        Should.Throw<ArgumentException>(() => memory.Scalar("select @p", ("p", "half a pair \ud83d")));
        memory.Scalar("select 1").ShouldBe(1);
    }

    [Fact]
    public void A_command_is_run_again_with_other_values_and_after_the_table_changed()
    {
        using var memory = new Memory();
        memory.Run("create table t(a int, s varchar)");
        using var command = memory.Connection.CreateCommand();
        command.CommandText = "insert into t(a) values (@a)";
        var parameter = command.Parameters.AddWithValue("a", 0);
        for (var i = 0; i < 10; i++)
        {
            parameter.Value = i;
            command.ExecuteNonQuery().ShouldBe(1);
            if (i == 5) memory.Run("alter table t drop column s");
        }

        memory.Scalar("select sum(a)::int from t").ShouldBe(45);
        command.CommandText = "select count(*) from t where a >= @a";
        command.ExecuteScalar().ShouldBe(1L);
    }
}
