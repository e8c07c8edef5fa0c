using System.Numerics;
using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

public sealed class ReaderTypesTests
{
    // Their text is not the engine's: GEOMETRY is given as well-known binary; the engine misprints the last microsecond of timestamptz.
    private static readonly string[] OtherText = ["geometry", "timestamp_tz"];

    public static readonly TheoryData<string, object> Values = new()
    {
        { "true", true },
        { "(-128)::tinyint", (sbyte)-128 },
        { "255::utinyint", (byte)255 },
        { "(-32768)::smallint", short.MinValue },
        { "65535::usmallint", ushort.MaxValue },
        { "42", 42 },
        { "4294967295::uinteger", uint.MaxValue },
        { "(-9223372036854775808)::bigint", long.MinValue },
        { "18446744073709551615::ubigint", ulong.MaxValue },
        { "'-170141183460469231731687303715884105728'::hugeint", Int128.MinValue },
        { "'340282366920938463463374607431768211455'::uhugeint", UInt128.MaxValue },
        { "'-123456789012345678901234567890123456789012345678901234567890'::bignum", BigInteger.Parse("-123456789012345678901234567890123456789012345678901234567890") },
        { "0::bignum", BigInteger.Zero },
        { "(-256)::bignum", new BigInteger(-256) },
        { "1.5::float", 1.5f },
        { "1e300::double", 1e300 },
        { "(-1.23)::decimal(4,2)", -1.23m },
        { "12345.6789::decimal(9,4)", 12345.6789m },
        { "123456789012.345678::decimal(18,6)", 123456789012.345678m },
        { "'-79228162514264337593543950335'::decimal(38,0)", decimal.MinValue },
        { "'79228162514264337593543950335.00'::decimal(38,2)", decimal.MaxValue },
        { "'99999999999999999999999999999999999999'::decimal(38,0)", "99999999999999999999999999999999999999" },
        { "'-0.00000000000000000000000000000000000001'::decimal(38,38)", "-0.00000000000000000000000000000000000001" },
        { "'zwölf 🦆'", "zwölf 🦆" },
        { "'{\"a\": 1}'::json", "{\"a\": 1}" },
        { "'\\x00\\xFF'::blob", new byte[] { 0, 255 } },
        { "'0101011'::bit", "0101011" },
        { "'10000000'::bit", "10000000" },
        { "'f0e1d2c3-b4a5-9687-7869-5a4b3c2d1e0f'::uuid", Guid.Parse("f0e1d2c3-b4a5-9687-7869-5a4b3c2d1e0f") },
        { "'00000000-0000-0000-0000-000000000001'::uuid", Guid.Parse("00000000-0000-0000-0000-000000000001") },
        { "date '2024-02-29'", new DateOnly(2024, 2, 29) },
        { "date '0001-01-01'", DateOnly.MinValue },
        { "date '9999-12-31'", DateOnly.MaxValue },
        { "date 'infinity'", "infinity" },
        { "date '0044-03-15 (BC)'", "0044-03-15 (BC)" },
        { "time '23:59:59.999999'", new TimeOnly(23, 59, 59, 999, 999) },
        { "time '24:00:00'", "24:00:00" },
        { "'12:34:56.1234567'::time_ns", TimeOnly.FromTimeSpan(TimeSpan.FromTicks(452_961_234_567)) },
        { "'12:00:00+02:30'::timetz", new DuckDBTimeTz(TimeSpan.FromHours(12), TimeSpan.FromMinutes(150)) },
        { "timestamp '2024-02-29 12:30:15.123456'", new DateTime(2024, 2, 29, 12, 30, 15, 123, 456) },
        { "timestamp '1969-12-31 23:59:59.999999'", new DateTime(1969, 12, 31, 23, 59, 59, 999, 999) },
        { "timestamp '0001-01-01'", DateTime.MinValue },
        { "timestamp '9999-12-31 23:59:59.999999'", new DateTime(9999, 12, 31, 23, 59, 59, 999, 999) },
        { "timestamp '10000-01-01'", "10000-01-01 00:00:00" },
        { "timestamp 'infinity'", "infinity" },
        { "timestamp '-infinity'", "-infinity" },
        { "timestamp_s '2024-02-29 12:30:15'", new DateTime(2024, 2, 29, 12, 30, 15) },
        { "timestamp_ms '2024-02-29 12:30:15.123'", new DateTime(2024, 2, 29, 12, 30, 15, 123) },
        { "timestamp_ns '1969-12-31 23:59:59.999999999'", new DateTime(1969, 12, 31, 23, 59, 59).AddTicks(9_999_999) },
        { "timestamptz '2024-02-29 12:30:15+02'", new DateTime(2024, 2, 29, 10, 30, 15, DateTimeKind.Utc) },
        { "interval '1 year 2 days 3 seconds'", new DuckDBInterval(12, 2, 3_000_000) },
        { "'b'::enum('a', 'b')", "b" },
        { "[1, null, 3]", new object?[] { 1, null, 3 } },
        { "[]::int[]", Array.Empty<object?>() },
        { "[[1], null, []]", new object?[] { new object?[] { 1 }, null, Array.Empty<object?>() } },
        { "array_value('a', null)", new object?[] { "a", null } },
        { "{'a': 1, 'b': null}", new Dictionary<string, object?> { ["a"] = 1, ["b"] = null } },
        { "row(1, 'x')", new Dictionary<string, object?> { ["1"] = 1, ["2"] = "x" } },
        { "map {'k': 1, 'l': null}", new Dictionary<object, object?> { ["k"] = 1, ["l"] = null } },
        { "map {}", new Dictionary<object, object?>() },
        { "union_value(num := 7)", 7 },
        { "union_value(num := null::int)", DBNull.Value },
        { "null", DBNull.Value },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void Every_type_is_read_as_its_dotnet_type(string expression, object expected)
    {
        using var memory = new Memory();
        memory.Run("set timezone='UTC'");
        using var reader = memory.Read($"select x from (select {expression} x from range(3) union all select null) order by x is null");
        for (var i = 0; i < 3; i++)
        {
            reader.Read().ShouldBeTrue();
            reader.GetValue(0).ShouldBeEquivalentTo(expected);
            if (expected is DateTime time) ((DateTime)reader.GetValue(0)).Kind.ShouldBe(time.Kind);
            if (expected is not string and not DBNull && reader.GetFieldType(0) != typeof(object)) reader.GetFieldType(0).ShouldBe(expected.GetType());
        }

        reader.Read().ShouldBeTrue();
        reader.IsDBNull(0).ShouldBeTrue();
        reader.GetValue(0).ShouldBe(DBNull.Value);
    }

    [Fact]
    public void The_text_and_the_type_name_of_every_type_are_the_engines_own()
    {
        using var memory = new Memory();
        memory.Run("set timezone='UTC'");
        using var table = memory.Connection.Duplicate();
        string[] columns;
        using (var reader = memory.Read("select * from test_all_types()")) columns = [.. reader.Columns.Select(column => column.Name)];
        columns.Length.ShouldBeGreaterThan(50);
        foreach (var column in columns)
        {
            using var reader = memory.Read($"select \"{column}\", \"{column}\"::varchar, typeof(\"{column}\") from test_all_types()");
            reader.GetDataTypeName(0).ShouldBe(ReadType(memory, column));
            for (var row = 0; reader.Read(); row++)
            {
                Should.NotThrow(() => reader.GetValue(0), column);
                reader.IsDBNull(0).ShouldBe(reader.IsDBNull(1));
                if (!reader.IsDBNull(0) && !OtherText.Contains(column)) reader.GetString(0).ShouldBe(reader.GetString(1), column);
            }
        }
    }

    [Theory]
    [InlineData("['', ' a', 'a b', 'a,b', 'NULL', 'it''s', 'a:b', '{x', 'c=d', '\\', 'a\\b, c', 'NuLL']")]
    [InlineData("{'a b': 'x\"y', 'c': [null, '(']}")]
    [InlineData("map {'a b': {'x': 1.5}, 'c:d': null}")]
    [InlineData("row(1, 'a,b', null)")]
    [InlineData("[1e20, 1.5, 0.1, 1e15, 1e16, 123456789012345.0, 1e-5, 1e-4, '-0.0'::double, 1.7976931348623157e308, 5e-324, 0.00012345, 1234567890123456.5, 12345678901234567]::double[]")]
    [InlineData("[1e20, 1.5, 0.1, 123456792, 1e15, 1e16, 1e-5]::float[]")]
    [InlineData("[interval '1 month', interval '-1 day', interval '0 day', interval '14 months 3 days 04:05:06.007', interval '-1 hour']")]
    [InlineData("[timestamp '0044-03-15 (BC) 12:00:00', timestamp '2000-01-01 00:00:00.5', timestamp '12000-01-01']")]
    [InlineData("[['2024-01-01'::date], []]")]
    public void Nested_values_are_written_as_the_engine_writes_them(string expression)
    {
        using var memory = new Memory();
        memory.Value<string>(expression).ShouldBe(memory.Value<string>($"({expression})::varchar"));
    }

    [Theory]
    [InlineData("decimal(18,2)", "DECIMAL(18,2)")]
    [InlineData("struct(a integer, \"b c\" varchar, \"select\" int)", "STRUCT(a INTEGER, \"b c\" VARCHAR, \"select\" INTEGER)")]
    [InlineData("map(varchar, decimal(4,1)[])[]", "MAP(VARCHAR, DECIMAL(4,1)[])[]")]
    [InlineData("union(num int, \"name\" varchar)", "UNION(num INTEGER, \"name\" VARCHAR)")]
    [InlineData("int[3][]", "INTEGER[3][]")]
    [InlineData("enum('a', 'it''s')", "ENUM('a', 'it''s')")]
    [InlineData("json[]", "JSON[]")]
    [InlineData("timestamptz", "TIMESTAMP WITH TIME ZONE")]
    public void The_type_name_is_the_one_to_declare_a_column_with(string declared, string name)
    {
        using var memory = new Memory();
        using (var reader = memory.Read($"select null::{declared}")) reader.GetDataTypeName(0).ShouldBe(name);
        memory.Scalar($"select typeof(null::{declared})").ShouldBe(name);
        memory.Run($"create table t(x {name})");
    }

    [Fact]
    public void The_list_of_keywords_is_the_engines()
    {
        using var memory = new Memory();
        using var reader = memory.Read("select keyword_name from duckdb_keywords()");
        var words = new List<string>();
        while (reader.Read()) words.Add(reader.GetString(0));
        words.Where(word => !SqlName.Keywords.Contains(word)).ShouldBeEmpty();
        SqlName.Keywords.Except(words, StringComparer.OrdinalIgnoreCase).ShouldBeEmpty();
    }

    private static string ReadType(Memory memory, string column)
    {
        using var connection = memory.Connection.Duplicate();
        using var command = connection.CreateCommand();
        command.CommandText = $"select typeof(\"{column}\") from test_all_types() limit 1";
        return (string)command.ExecuteScalar()!;
    }
}
