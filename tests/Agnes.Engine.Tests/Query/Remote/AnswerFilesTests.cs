using System.Globalization;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Engine.Tests.Query.Remote;

/// <summary>What other systems answer, on its way into Parquet.</summary>
public sealed class AnswerFilesTests : IDisposable
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_kind_of_cell_is_read_as_it_was_written()
    {
        string[] types =
        [
            "BOOLEAN", "BIGINT", "DOUBLE", "DECIMAL(38,10)", "DECIMAL(10,2)", "VARCHAR", "BLOB", "DATE", "TIME", "TIMESTAMP",
                "TIMESTAMP WITH TIME ZONE", "UUID",
            "INTEGER[]", "STRUCT(a INTEGER, b VARCHAR)", "HUGEINT", "FLOAT", "SMALLINT", "JSON",
        ];
        var answer = await AnswerFiles.OpenAsync(
            _folder["answer"], [.. types.Select((type, at) => new TableColumn($"c{at}", type))], 1 << 20, Stop);
        await using (answer)
        {
            answer.Boolean(true);
            answer.Integer(long.MinValue + 1);
            answer.Float(1e300);
            answer.Text("1234567890123456789012345678.0123456789");
            answer.Decimal(-12.34m);
            answer.Text("it's \"quoted\", žluťoučký\n");
            answer.Bytes([0, 1, 255]);
            answer.Date(int.MaxValue);
            answer.Time(86_399_999_999);
            answer.Timestamp(-long.MaxValue);
            answer.Timestamp(1);
            answer.Uuid(Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"));
            answer.Text("[1,null,3]");
            answer.Text("{\"a\":1,\"b\":\"x,y\"}");
            answer.Text("170141183460469231731687303715884105"); // as long as a decimal may be
            answer.Float(0.5);
            answer.Integer(-3);
            answer.Text("{\"k\": [1]}");
            await answer.EndRowAsync(Stop);
            for (var i = 0; i < types.Length; i++) answer.Null();
            await answer.EndRowAsync(Stop);
            Directory.Exists(_folder["answer"]).ShouldBeFalse("it is not whole");
            await answer.CompleteAsync(Stop);
        }

        var rows = await RowsAsync("*");
        rows.Count.ShouldBe(2);
        string.Join(" | ", rows[0]).ShouldBe(string.Join(" | ", (string[])
        [
            "true", "-9223372036854775807", "1e+300", "1234567890123456789012345678.0123456789", "-12.34",
                "it's \"quoted\", žluťoučký\n", "\\x00\\x01\\xFF",
            "infinity", "23:59:59.999999", "-infinity", "1970-01-01 00:00:00.000001+00", "00112233-4455-6677-8899-aabbccddeeff",
            "[1, NULL, 3]", "{'a': 1, 'b': 'x,y'}", "170141183460469231731687303715884105", "0.5", "-3", "{\"k\": [1]}",
        ]));
        rows[1].ShouldAllBe(cell => cell == "NULL");
    }

    [Fact]
    public async Task An_answer_of_many_rows_is_many_files_in_order()
    {
        await using var answer = await AnswerFiles.OpenAsync(
            _folder["answer"], [new("n", "BIGINT"), new("N", "VARCHAR"), new("n", "INTEGER")], 1 << 30, Stop);
        for (var i = 0; i < 300_000; i++)
        {
            answer.Integer(i);
            answer.Text("x");
            answer.Integer(1);
            await answer.EndRowAsync(Stop);
        }

        await answer.CompleteAsync(Stop);
        AnswerFiles.In(_folder["answer"]).Count.ShouldBe(3);
        (await RowsAsync("count(*), sum(n), sum(n_2), min(N_1), sum(CASE WHEN n <> place THEN 1 ELSE 0 END)",
            "(SELECT *, row_number() OVER () - 1 AS place FROM {0})"))
            .Single().ShouldBe(["300000", "44999850000", "300000", "x", "0"]);
    }

    [Theory]
    [InlineData("DECIMAL(9,2)", "1.005", "1.01")]
    [InlineData("DECIMAL(9,2)", "-1.005", "-1.01")]
    [InlineData("DECIMAL(9,2)", "1.0049999", "1.00")]
    [InlineData("DECIMAL(9,2)", "0", "0.00")]
    [InlineData("DECIMAL(9,2)", "-.5", "-0.50")]
    [InlineData("DECIMAL(9,2)", "7.", "7.00")]
    [InlineData("DECIMAL(9,2)", "1e3", "1000.00")]
    [InlineData("DECIMAL(9,2)", " +12.3 ", "12.30")]
    [InlineData("DECIMAL(9,2)", "0000000000000000000000000000000000000000000000000001.5", "1.50")]
    [InlineData("DECIMAL(38,0)", "99999999999999999999999999999999999999", "99999999999999999999999999999999999999")]
    [InlineData("DECIMAL(38,38)", "-0.99999999999999999999999999999999999999", "-.99999999999999999999999999999999999999")]
    [InlineData("DECIMAL(9,2)", "10000000", null)]
    [InlineData("DECIMAL(9,2)", "9999999.995", null)]
    [InlineData("DECIMAL(9,2)", "NaN", null)]
    [InlineData("DECIMAL(9,2)", "1.2.3", null)]
    [InlineData("DECIMAL(9,2)", ".", null)]
    [InlineData("DECIMAL(9,2)", "-", null)]
    [InlineData("DECIMAL(9,2)", "", null)]
    public async Task A_decimal_from_text_is_what_the_engine_makes_of_it(string type, string text, string? expected)
    {
        await using var answer = await AnswerFiles.OpenAsync(_folder["answer"], [new("n", type)], 1 << 20, Stop);
        if (expected is null)
        {
            Should.Throw<DuckDBException>(() => answer.Text(text));
            return;
        }

        answer.Text(text);
        await answer.EndRowAsync(Stop);
        await answer.CompleteAsync(Stop);
        (await RowsAsync("n")).Single().ShouldBe([expected]);
        await using var engine = new DuckDBConnection("Data Source=:memory:");
        await engine.OpenAsync(Stop);
        await using var command = new DuckDBCommand($"SELECT CAST(CAST('{text}' AS {type}) AS VARCHAR)", engine);
        ((string?)await command.ExecuteScalarAsync(Stop)).ShouldBe(expected);
    }

    [Theory]
    [InlineData("BOOLEAN", "true", "true")]
    [InlineData("SMALLINT", "-7", "-7")]
    [InlineData("DOUBLE", "1.5e3", "1500.0")]
    [InlineData("FLOAT", "inf", "inf")]
    [InlineData("DATE", "1969-12-31", "1969-12-31")]
    [InlineData("DATE", "-infinity", "-infinity")]
    [InlineData("TIME", "23:59:59.999999", "23:59:59.999999")]
    [InlineData("TIMESTAMP", "2026-01-02 03:04:05.6", "2026-01-02 03:04:05.6")]
    [InlineData("TIMESTAMP WITH TIME ZONE", "infinity", "infinity")]
    [InlineData("BLOB", "\\x01a", "\\x01a")]
    public async Task A_value_of_any_type_can_be_given_as_its_text(string type, string text, string expected)
    {
        await using var answer = await AnswerFiles.OpenAsync(_folder["answer"], [new("v", type)], 1 << 20, Stop);
        answer.Text(text);
        await answer.EndRowAsync(Stop);
        await answer.CompleteAsync(Stop);
        (await RowsAsync("v")).Single().ShouldBe([expected]);
    }

    [Theory]
    [InlineData(-5, 3, "DECIMAL(9,3)", "-0.005")]
    [InlineData(1234567, 4, "DECIMAL(9,2)", "123.46")]
    [InlineData(long.MinValue, 0, "DECIMAL(38,2)", "-9223372036854775808.00")]
    [InlineData(long.MaxValue, 18, "DECIMAL(38,2)", "9.22")]
    public async Task A_number_without_its_point_gets_it_where_the_column_has_it(long unscaled, int scale, string type, string expected)
    {
        await using var answer = await AnswerFiles.OpenAsync(_folder["answer"], [new("n", type)], 1 << 20, Stop);
        answer.Unscaled(unscaled, scale);
        await answer.EndRowAsync(Stop);
        await answer.CompleteAsync(Stop);
        (await RowsAsync("n")).Single().ShouldBe([expected]);
    }

    [Fact]
    public async Task Rows_of_many_empty_columns_do_not_wait_until_they_are_as_many_as_others()
    {
        await using var answer = await AnswerFiles.OpenAsync(
            _folder["answer"], [.. Enumerable.Range(0, 500).Select(at => new TableColumn($"c{at}", "VARCHAR"))], 1 << 30, Stop);
        for (var row = 0; row < 10_000; row++)
        {
            for (var i = 0; i < 500; i++) answer.Null();
            await answer.EndRowAsync(Stop);
        }

        await answer.CompleteAsync(Stop);
        AnswerFiles.In(_folder["answer"]).Count.ShouldBe(5, "8 KB a row, 16 MiB a chunk");
    }

    [Fact]
    public async Task No_rows_are_a_file_with_columns()
    {
        await using var answer = await AnswerFiles.OpenAsync(_folder["answer"], [new("a", "DATE")], 1 << 20, Stop);
        await answer.CompleteAsync(Stop);
        (await RowsAsync("count(a), typeof(max(a))")).Single().ShouldBe(["0", "DATE"]);
    }

    [Fact]
    public async Task What_is_too_large_is_refused_while_it_comes_and_nothing_stays()
    {
        await using (var answer = await AnswerFiles.OpenAsync(_folder["answer"], [new("a", "VARCHAR")], 1 << 20, Stop))
        {
            var written = 0;
            var refused = await Should.ThrowAsync<RemoteException>(async () =>
            {
                var random = new Random(1);
                var text = new char[1000];
                for (; written < 1_000_000; written++)
                {
                    for (var i = 0; i < text.Length; i++) text[i] = (char)random.Next(33, 127);
                    answer.Text(new string(text));
                    await answer.EndRowAsync(Stop);
                }
            });
            (refused.Fault, refused.Message.Contains("larger than 1 MiB", StringComparison.Ordinal)).ShouldBe((RemoteFault.Question, true));
            written.ShouldBeLessThan(30_000);
        }

        Directory.EnumerateFileSystemEntries(_folder.Path).ShouldBeEmpty();
    }

    private async Task<List<string[]>> RowsAsync(string select, string from = "{0}")
    {
        await using var engine = new DuckDBConnection("Data Source=:memory:");
        await engine.OpenAsync(Stop);
        engine.ExecuteUnprepared("SET TimeZone = 'UTC'", Stop);
        var source = string.Format(CultureInfo.InvariantCulture, from, $"({TableSource.FromParts(AnswerFiles.In(_folder["answer"]))})");
        await using var command = new DuckDBCommand($"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (SELECT {select} FROM {source})", engine);
        await using var reader = await command.ExecuteReaderAsync(Stop);
        var rows = new List<string[]>();
        while (await reader.ReadAsync(Stop)) rows.Add(
            [.. Enumerable.Range(0, reader.FieldCount).Select(at => reader.IsDBNull(at) ? "NULL" : reader.GetString(at))]);
        return rows;
    }
}
