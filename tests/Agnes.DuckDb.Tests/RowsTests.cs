using System.Text;
using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

/// <summary>Rows that are put together in columns here and read by statements of the engine.</summary>
public sealed class RowsTests
{
    private static readonly (string Name, string Type)[] All =
    [
        ("b", "BOOLEAN"), ("i1", "TINYINT"), ("i2", "SMALLINT"), ("i4", "INTEGER"), ("i8", "BIGINT"), ("u1", "UTINYINT"),
        ("u2", "USMALLINT"), ("u4", "UINTEGER"), ("f", "FLOAT"), ("d", "DOUBLE"), ("n4", "DECIMAL(4,2)"), ("n9", "DECIMAL(9,0)"),
        ("n18", "DECIMAL(18,18)"),
        ("n38", "DECIMAL(38,5)"), ("s", "VARCHAR"), ("bl", "BLOB"), ("dt", "DATE"), ("tm", "TIME"), ("ts", "TIMESTAMP"),
        ("tz", "TIMESTAMP WITH TIME ZONE"),
    ];

    [Fact]
    public void All_types_are_read_as_they_were_put_in()
    {
        using var memory = new Memory();
        memory.Run("SET TimeZone = 'UTC'");
        using var rows = new DuckDBRows(All);
        Append(rows, 1);
        for (var i = 0; i < All.Length; i++) rows.AppendNull();
        rows.EndRow();
        Append(rows, -1);
        memory.Connection.Register("given", rows);
        using (var types = memory.Read("SELECT column_type FROM (DESCRIBE FROM given())"))
            foreach (var (_, type) in All) (types.Read() ? types.GetString(0) : null).ShouldBe(type);
        using var reader = memory.Read("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM given()");
        string[] lines =
        [
            "true|1|2|3|4|1|2|3|0.5|1e+300|12.34|"
                + "999999999|.000000000000000001|999999999999999999999999999999999.99999|"
                + "twelve bytes|\\x00\\xFF|1970-01-02|00:00:00.000001|1970-01-01 00:00:00.000002|infinity",
            string.Join('|', All.Select(_ => "NULL")),
            "false|-1|-2|-3|-4|255|65535|4294967295|-0.5|nan|-12.34|"
                + "-999999999|-.000000000000000001|-999999999999999999999999999999999.99999|"
                + "thirteen byte|\\x01|-infinity|24:00:00|1969-12-31 23:59:59.999998|-infinity",
        ];
        foreach (var line in lines)
        {
            reader.Read().ShouldBeTrue();
            var cells = Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "NULL" : reader.GetString(i));
            string.Join('|', cells).ShouldBe(line);
        }

        reader.Read().ShouldBeFalse();
    }

    [Fact]
    public void Many_rows_are_read_in_order_and_again_and_their_memory_serves_the_next()
    {
        using var memory = new Memory();
        using var rows = new DuckDBRows([("n", "BIGINT"), ("s", "VARCHAR")]);
        memory.Connection.Register("given", rows);
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 10_000; i++) // several chunks and several blocks of texts, the last of both not full
            {
                rows.Append(i + round);
                if ((i + round) % 7 == 3) rows.AppendNull();
                else rows.AppendUtf8(TextOf(i + round));
                rows.EndRow();
            }

            (rows.Count, rows.Bytes > 10_000 * rows.RowBytes).ShouldBe((10_000, true));
            for (var again = 0; again < 2; again++)
            {
                var at = 0;
                using var reader = memory.Read("SELECT n, s FROM given()");
                for (; reader.Read(); at++)
                {
                    reader.GetInt64(0).ShouldBe(at + round);
                    var text = reader.IsDBNull(1) ? null : reader.GetString(1);
                    text.ShouldBe((at + round) % 7 == 3 ? null : Encoding.UTF8.GetString(TextOf(at + round)));
                }

                at.ShouldBe(10_000);
            }

            rows.Clear();
            (rows.Count, rows.Bytes).ShouldBe((0, 0));
        }

        using var none = memory.Read("SELECT count(*) FROM given()");
        (none.Read() ? none.GetInt64(0) : -1).ShouldBe(0);
    }

    [Fact]
    public void A_full_chunk_is_followed_by_nothing()
    {
        using var memory = new Memory();
        using var rows = new DuckDBRows([("n", "INTEGER")]);
        memory.Connection.Register("given", rows);
        for (var i = 0; i < 4096; i++)
        {
            rows.Append(i);
            rows.EndRow();
        }

        using var reader = memory.Read("SELECT count(*), sum(n), max(n) FROM given()");
        reader.Read().ShouldBeTrue();
        (reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2)).ShouldBe((4096, 4096L * 4095 / 2, 4095));
    }

    [Theory]
    [InlineData("TINYINT", 128)]
    [InlineData("UTINYINT", -1)]
    [InlineData("SMALLINT", 1 << 15)]
    [InlineData("INTEGER", 1L << 31)]
    [InlineData("UINTEGER", 1L << 32)]
    public void What_a_column_cannot_hold_is_refused(string type, long value)
    {
        using var rows = new DuckDBRows([("n", type)]);
        Should.Throw<DuckDBException>(() => rows.Append(value)).ErrorType.ShouldBe(DuckDBErrorType.Conversion);
    }

    [Fact]
    public void So_are_decimals_of_too_many_digits_texts_that_are_none_and_rows_that_are_not_whole()
    {
        using var decimals = new DuckDBRows([("n", "DECIMAL(4,2)")]);
        Should.Throw<DuckDBException>(() => decimals.AppendUnscaled(10_000));
        using var floats = new DuckDBRows([("n", "FLOAT")]);
        Should.Throw<DuckDBException>(() => floats.Append(1e300));
        using var texts = new DuckDBRows([("s", "VARCHAR"), ("d", "DATE")]);
        Should.Throw<ArgumentException>(() => texts.AppendUtf8([0xff]));
        texts.AppendUtf8("x"u8);
        Should.Throw<InvalidOperationException>(texts.EndRow);
        Should.Throw<InvalidCastException>(() => texts.Append(1L));
        DuckDBRows.Holds("INTEGER[]").ShouldBeFalse();
        Should.Throw<NotSupportedException>(() => new DuckDBRows([("l", "INTEGER[]")]));
    }

    [Fact]
    public void Rows_that_are_gone_are_an_error_of_the_statement()
    {
        using var memory = new Memory();
        var rows = new DuckDBRows([("n", "INTEGER")]);
        memory.Connection.Register("given", rows);
        using (var reader = memory.Read("SELECT count(*) FROM given()")) reader.Read().ShouldBeTrue();
        rows.Dispose();
        Should.Throw<DuckDBException>(() => memory.Read("SELECT count(*) FROM given()").Read()).Message.ShouldContain("gone");
    }

    private static byte[] TextOf(int number) =>
        Encoding.UTF8.GetBytes($"{number}-{new string('ž', number % 60)}{(number % 3000 == 0 ? new string('x', 100_000) : "")}");

    private static void Append(DuckDBRows rows, int sign)
    {
        rows.Append(sign > 0);
        for (var i = 1; i <= 4; i++) rows.Append(sign * i);
        foreach (var unsigned in sign > 0 ? (long[])[1, 2, 3] : [byte.MaxValue, ushort.MaxValue, uint.MaxValue]) rows.Append(unsigned);
        rows.Append(sign * 0.5);
        rows.Append(sign > 0 ? 1e300 : double.NaN);
        Int128[] decimals = [1234, 999_999_999, 1, Int128.Parse("99999999999999999999999999999999999999")];
        foreach (var unscaled in decimals) rows.AppendUnscaled(sign * unscaled);
        rows.AppendUtf8(sign > 0 ? "twelve bytes"u8 : "thirteen byte"u8);
        rows.AppendBlob(sign > 0 ? [0, 255] : [1]);
        rows.AppendDays(sign > 0 ? 1 : -int.MaxValue);
        rows.AppendTimeOfDay(sign > 0 ? 1 : 86_400_000_000);
        rows.AppendMicroseconds(2 * sign);
        rows.AppendMicroseconds(sign * long.MaxValue);
        rows.EndRow();
    }
}
