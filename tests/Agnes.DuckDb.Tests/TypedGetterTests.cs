using System.Numerics;
using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

public sealed class TypedGetterTests
{
    [Fact]
    public void Numbers_convert_without_loss_or_throw()
    {
        using var memory = new Memory();
        memory.Value<int>("42::bigint").ShouldBe(42);
        memory.Value<long>("42::tinyint").ShouldBe(42);
        memory.Value<long>("sum(range) from range(10)").ShouldBe(45); // HUGEINT
        memory.Value<double>("1::int").ShouldBe(1.0);
        memory.Value<decimal>("7::bigint").ShouldBe(7m);
        memory.Value<long>("5.00::decimal(10,2)").ShouldBe(5);
        memory.Value<BigInteger>("'99999999999999999999999999999999999999'::decimal(38,0)").ShouldBe(BigInteger.Pow(10, 38) - 1);
        memory.Value<double>("'99999999999999999999999999999999999999'::decimal(38,0)").ShouldBe(1e38);
        memory.Value<ulong>("18446744073709551615::ubigint").ShouldBe(ulong.MaxValue);
        memory.Value<UInt128>("'340282366920938463463374607431768211455'::uhugeint").ShouldBe(UInt128.MaxValue);
        memory.Value<int?>("7::bigint").ShouldBe(7);
        memory.Value<int?>("null::bigint").ShouldBeNull();
        Should.Throw<OverflowException>(() => memory.Value<int>("2147483648"));
        Should.Throw<OverflowException>(() => memory.Value<byte>("-1"));
        Should.Throw<OverflowException>(() => memory.Value<long>("1.5"));
        Should.Throw<OverflowException>(() => memory.Value<decimal>("'99999999999999999999999999999999999999'::decimal(38,0)"));
        Should.Throw<InvalidCastException>(() => memory.Value<long>("1.5::double"));
        Should.Throw<InvalidCastException>(() => memory.Value<long>("'12'"));
        Should.Throw<InvalidCastException>(() => memory.Value<long>("null::bigint"));
    }

    [Fact]
    public void Times_convert_between_the_types_that_can_hold_them()
    {
        using var memory = new Memory();
        memory.Value<DateTime>("date '2024-02-29'").ShouldBe(new DateTime(2024, 2, 29));
        memory.Value<DateOnly>("timestamp '2024-02-29 12:00:00'").ShouldBe(new DateOnly(2024, 2, 29));
        memory.Value<DateTimeOffset>("timestamptz '2024-02-29 12:00:00+00'").ShouldBe(new DateTimeOffset(2024, 2, 29, 12, 0, 0, TimeSpan.Zero));
        memory.Value<TimeSpan>("interval '25 hours'").ShouldBe(TimeSpan.FromHours(25));
        memory.Value<TimeSpan>("time '24:00:00'").ShouldBe(TimeSpan.FromHours(24));
        Should.Throw<InvalidCastException>(() => memory.Value<TimeSpan>("interval '1 month'"));
        Should.Throw<OverflowException>(() => memory.Value<DateTime>("timestamp 'infinity'"));
        Should.Throw<OverflowException>(() => memory.Value<DateTime>("timestamp '10000-01-01'"));
        Should.Throw<OverflowException>(() => memory.Value<DateOnly>("date '-infinity'"));
    }

    [Fact]
    public void Lists_are_read_as_arrays_and_lists_of_scalars()
    {
        using var memory = new Memory();
        memory.Value<long[]>("[1, 2]::int[]").ShouldBe([1L, 2L]);
        memory.Value<List<string>>("['a', null]").ShouldBe(["a", null!]);
        memory.Value<int?[]>("[1, null]").ShouldBe([1, null]);
        memory.Value<object?[]>("[1, null]").ShouldBe([1, null]);
        Should.Throw<InvalidCastException>(() => memory.Value<int[]>("[1, null]"));
    }

    [Fact]
    public void A_column_is_found_by_its_name_in_any_case_and_a_missing_one_is_named()
    {
        using var memory = new Memory();
        using var reader = memory.Read("select 1 as Alpha, 2 as alpha, 'x' as c");
        reader.Read();
        reader.GetOrdinal("ALPHA").ShouldBe(0);
        reader["c"].ShouldBe("x");
        reader.GetChar(2).ShouldBe('x');
        Should.Throw<IndexOutOfRangeException>(() => reader["nope"]).Message.ShouldContain("nope");
        Should.Throw<IndexOutOfRangeException>(() => reader.GetValue(3));
    }

    [Fact]
    public void Bytes_and_chars_are_copied_in_parts()
    {
        using var memory = new Memory();
        using var reader = memory.Read("select 'abcdef'::blob, 'abcdef'");
        reader.Read();
        reader.GetBytes(0, 0, null, 0, 0).ShouldBe(6);
        var bytes = new byte[4];
        reader.GetBytes(0, 4, bytes, 1, 3).ShouldBe(2);
        bytes.ShouldBe([0, (byte)'e', (byte)'f', 0]);
        var chars = new char[2];
        reader.GetChars(1, 1, chars, 0, 2).ShouldBe(2);
        new string(chars).ShouldBe("bc");
        using var stream = reader.GetStream(0);
        stream.Length.ShouldBe(6);
    }
}
