using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

public sealed class EdgeTests
{
    [Theory]
    [InlineData("")]
    [InlineData("\0")]
    [InlineData("a\0b")]
    [InlineData("exactly12byt")]
    [InlineData("exactly13byte")]
    [InlineData("ünïcödé 🦆 \u200b")]
    public void Any_text_comes_back_as_it_went_in(string text)
    {
        using var memory = new Memory();
        memory.Scalar("select @t", ("t", text)).ShouldBe(text);
        memory.Run("create table t(s varchar)");
        memory.Run("insert into t values (@t)", ("t", text));
        memory.Scalar("select s from t where s = @t", ("t", text)).ShouldBe(text);
    }

    [Fact]
    public void Huge_texts_and_blobs_come_back_whole()
    {
        using var memory = new Memory();
        var text = new string('ä', 5_000_000);
        ((string)memory.Scalar("select @t", ("t", text))!).Length.ShouldBe(text.Length);
        var bytes = new byte[10_000_000];
        new Random(1).NextBytes(bytes);
        ((byte[])memory.Scalar("select @b", ("b", bytes))!).AsSpan().SequenceEqual(bytes).ShouldBeTrue();
    }

    [Fact]
    public void Invalid_utf8_cannot_get_in()
    {
        using var memory = new Memory();
        Should.Throw<DuckDBException>(() => memory.Scalar("select '\\xff'::blob::varchar || decode('\\xff'::blob)"));
    }

    [Fact]
    public void A_hundred_columns_of_many_rows_are_read()
    {
        using var memory = new Memory();
        var columns = string.Join(", ", Enumerable.Range(0, 100).Select(i => $"range * {i} as c{i}"));
        using var reader = memory.Read($"select {columns} from range(10000)");
        reader.FieldCount.ShouldBe(100);
        for (var row = 0L; reader.Read(); row++)
        {
            for (var i = 0; i < 100; i += 33) reader.GetInt64(i).ShouldBe(row * i);
        }
    }

    [Fact]
    public void Nested_nulls_keep_their_places()
    {
        using var memory = new Memory();
        using var reader = memory.Read(
            "select case range % 4 when 0 then null when 1 then [] when 2 then [null] else [{'a': null, 'b': [range, null]}, null] end from range(8000)");
        for (var row = 0L; reader.Read(); row++)
        {
            if (row % 4 == 0)
            {
                reader.IsDBNull(0).ShouldBeTrue();
                continue;
            }

            var list = (object?[])reader.GetValue(0);
            if (row % 4 == 1) list.ShouldBeEmpty();
            else if (row % 4 == 2) list.ShouldBe([null]);
            else
            {
                list.Length.ShouldBe(2);
                var item = (Dictionary<string, object?>)list[0]!;
                item["a"].ShouldBeNull();
                ((object?[])item["b"]!).ShouldBe([row, null]);
            }
        }
    }

    [Fact]
    public void An_error_in_the_middle_of_a_stream_comes_out_of_read_and_frees_the_connection()
    {
        using var memory = new Memory();
        using var reader = memory.Read("select case when range = 3000000 then error('boom') else range end from range(10000000)");
        Should.Throw<DuckDBException>(() =>
        {
            while (reader.Read()) reader.GetInt64(0);
        }).Message.ShouldContain("boom");
        memory.Scalar("select 1").ShouldBe(1);
    }

    [Fact]
    public void A_stream_holds_little_memory_however_long_it_is()
    {
        using var memory = new Memory("memory_limit=100MB;");
        using var reader = memory.Read("select range, 'some text that is longer than twelve bytes ' || range from range(3000000)");
        var rows = 0;
        while (reader.Read()) rows++;
        rows.ShouldBe(3_000_000);
    }

    [Fact]
    public void Errors_carry_their_class_and_the_engines_text()
    {
        using var memory = new Memory();
        memory.Run("create table t(i int primary key)");
        (string Sql, DuckDBErrorType Type)[] cases =
        [
            ("selec", DuckDBErrorType.Parser), ("select * from nosuch", DuckDBErrorType.Catalog), ("select nosuch", DuckDBErrorType.Binder),
            ("select 'a'::int", DuckDBErrorType.Conversion), ("select error('x')", DuckDBErrorType.InvalidInput), ("insert into t values (1), (1)", DuckDBErrorType.Constraint),
            ("select 2147483647::int + i::int from range(1, 2) r(i)", DuckDBErrorType.OutOfRange), ("attach '/nonexistent/x.db'", DuckDBErrorType.IO),
        ];
        foreach (var (sql, type) in cases)
        {
            var error = Should.Throw<DuckDBException>(() => memory.Scalar(sql), sql);
            error.ErrorType.ShouldBe(type, sql);
            error.IsFatal.ShouldBeFalse();
            DuckDBException.ErrorTypeOf(error.Message).ShouldBe(type, sql);
        }

        using var small = new Memory("memory_limit=10MB;max_temp_directory_size=0KB;");
        Should.Throw<DuckDBException>(() => small.Scalar("select count(*) from (select distinct range, hash(range) from range(2000000))"))
            .ErrorType.ShouldBe(DuckDBErrorType.OutOfMemory);
    }

    [Fact]
    public void The_fatal_class_is_told_apart() =>
        new DuckDBException("FATAL Error: Failed: database has been invalidated because of a previous fatal error.").IsFatal.ShouldBeTrue();
}
