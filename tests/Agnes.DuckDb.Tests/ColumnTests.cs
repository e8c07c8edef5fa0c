using System.Text;
using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

public sealed class ColumnTests
{
    [Fact]
    public void Chunks_give_the_engines_memory_as_spans()
    {
        using var memory = new Memory();
        using var reader = memory.Read(
            "select range as n, case when range % 3 = 0 then null else 'text number ' || range end as s, range::decimal(10,2) as d from range(10000)");
        var (sum, nulls, bytes, rows) = (0L, 0, 0L, 0);
        while (reader.ReadChunk())
        {
            var (numbers, texts, decimals) = (reader.Columns[0], reader.Columns[1], reader.Columns[2]);
            foreach (var n in numbers.Data<long>()) sum += n;
            numbers.MayHaveNulls.ShouldBeFalse();
            for (var row = 0; row < reader.ChunkRows; row++, rows++)
            {
                decimals.Unscaled(row).ShouldBe(rows * 100);
                if (texts.IsNull(row)) nulls++;
                else bytes += texts.Utf8(row).Length;
            }
        }

        sum.ShouldBe(49_995_000);
        rows.ShouldBe(10_000);
        nulls.ShouldBe(3_334);
        bytes.ShouldBe(Enumerable.Range(0, 10_000).Where(i => i % 3 != 0).Sum(i => $"text number {i}".Length));
    }

    [Fact]
    public void Reading_by_rows_goes_on_behind_a_chunk_and_a_chunk_behind_the_rows()
    {
        using var memory = new Memory();
        using var reader = memory.Read("select range from range(5000)");
        reader.ReadChunk().ShouldBeTrue();
        var first = reader.ChunkRows;
        reader.Read().ShouldBeTrue();
        reader.GetInt64(0).ShouldBe(first);
        reader.ReadChunk().ShouldBeTrue();
        reader.Columns[0].Data<long>()[0].ShouldBe(first * 2);
    }

    [Fact]
    public void Nested_columns_are_walked_by_ranges()
    {
        using var memory = new Memory();
        using var reader = memory.Read("select map {'a': [range, null]} m, {'x': array_value(range, 2)} s, case range when 1 then union_value(a := 5, b := 'x') end u from range(3)"
            .Replace("union_value(a := 5, b := 'x')", "union_value(a := 5)"));
        reader.ReadChunk();
        var map = reader.Columns[0];
        var (offset, length) = map.Range(2);
        length.ShouldBe(1);
        Encoding.UTF8.GetString(map.Children[0].Utf8(offset)).ShouldBe("a");
        var (from, count) = map.Children[1].Range(offset);
        count.ShouldBe(2);
        var elements = map.Children[1].Children[0];
        elements.Data<long>()[from].ShouldBe(2);
        elements.IsNull(from + 1).ShouldBeTrue();
        var array = reader.Columns[1].Children[0];
        array.Children[0].Data<long>()[array.Range(1).Offset].ShouldBe(1);
        reader.Columns[2].IsNull(0).ShouldBeTrue();
        reader.Columns[2].UnionTag(1).ShouldBe(0);
    }

    [Fact]
    public void An_enum_gives_its_word()
    {
        using var memory = new Memory();
        using var reader = memory.Read("select (case when range = 1 then 'größer' else 'k' end)::enum('k', 'größer') from range(3)");
        reader.ReadChunk();
        Encoding.UTF8.GetString(reader.Columns[0].Utf8(1)).ShouldBe("größer");
        reader.Columns[0].LogicalType.EnumNames.ShouldBe(["k", "größer"]);
    }

    [Fact]
    public void Wrong_element_types_and_rows_are_refused()
    {
        using var memory = new Memory();
        using var reader = memory.Read("select 1 as i, 'x' as s");
        reader.ReadChunk();
        Should.Throw<InvalidCastException>(() => reader.Columns[0].Data<long>().Length);
        Should.Throw<InvalidCastException>(() => reader.Columns[0].Utf8(0).Length);
        Should.Throw<ArgumentOutOfRangeException>(() => reader.Columns[1].IsNull(1));
        reader.Close();
        Should.Throw<ArgumentOutOfRangeException>(() => reader.Columns[1].IsNull(0));
    }

    [Theory]
    [InlineData("select 1, 'constant', [1, 2], {'a': 'x', 'b': [7]} from range(5000)")]
    [InlineData("select 1, 'constant', [1, 2], {'a': 'x', 'b': [7]} from range(5000) order by 1")]
    [InlineData("select * from (select 1, 'constant', [1, 2], {'a': 'x', 'b': [7]}) s, range(5000)")]
    [InlineData("select x, t, l, s from (values (1, 'constant', [1, 2], {'a': 'x', 'b': [7]})) v(x, t, l, s), range(5000) r(i) where i >= 0")]
    public void Constant_and_dictionary_vectors_arrive_flat(string sql)
    {
        using var memory = new Memory();
        using var reader = memory.Read(sql);
        var rows = 0;
        for (; reader.Read(); rows++)
        {
            reader.GetInt32(0).ShouldBe(1);
            reader.GetString(1).ShouldBe("constant");
            reader.GetString(2).ShouldBe("[1, 2]");
            reader.GetString(3).ShouldBe("{'a': x, 'b': [7]}");
        }

        rows.ShouldBe(5_000);
    }
}
