using System.Text;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Testing;

namespace Agnes.Connectors.Tests.Files;

/// <summary>What a table of files would be is shown before it is one: the same as a sync makes of it, in bounded time, memory and length, and nothing is left behind.</summary>
public sealed class PreviewTests : IDisposable
{
    private readonly Workshop _shop = new();

    public void Dispose() => _shop.Dispose();

    [Fact]
    public async Task It_shows_rows_types_what_was_guessed_and_what_is_to_be_known()
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        var text = new StringBuilder("day;name;code\n");
        for (var row = 1; row <= 30; row++) text.Append($"{row}.01.2024;Müller;{(row == 30 ? "007" : row)}\n");
        _shop.Write("t.csv", Encoding.GetEncoding("windows-1252").GetBytes(text.ToString()));

        var preview = await _shop.PreviewAsync("t.csv", """{"null_texts":["NA"]}""");
        preview.First.Count.ShouldBe(20);
        preview.First[0].ShouldBe(["2024-01-01", "Müller", "1"]);
        string.Join(", ", preview.Columns.Select(column => $"{column.Name} {column.Type}")).ShouldBe("day DATE, name VARCHAR, code VARCHAR");
        (preview.ColumnCount, preview.Rows, preview.LookedAt, preview.FileCount).ShouldBe((3, 30, 30, 1));
        var written = preview.Files.ShouldHaveSingleItem().Written!;
        (written.Delimiter, written.Quote, written.Header, written.SkippedLines, written.Encoding).ShouldBe((";", "\"", true, 0, "windows-1252"));
        written.DateFormats.ShouldHaveSingleItem().ShouldBe(KeyValuePair.Create("day", "%d.%m.%Y"));
        written.NullTexts.ShouldBe(["", "NA"]);
        preview.Remarks.ShouldHaveSingleItem().ShouldContain("windows-1252");

        (await _shop.RunAsync("t", "t.csv")).Failed.ShouldBeEmpty();
        _shop.Table("t").Columns.ShouldBe(preview.Columns, "a sync makes the same of it");
    }

    [Fact]
    public async Task Nothing_is_left_behind_by_a_look()
    {
        _shop.Write("t.csv", "a\n1\n");
        await _shop.PreviewAsync("t.csv");
        Directory.Exists(_shop.Data.Source("csv")).ShouldBeFalse();
        Directory.EnumerateFiles(_shop.Data.Parts, "*", SearchOption.AllDirectories).ShouldBeEmpty();
        Directory.EnumerateFileSystemEntries(_shop.Scratch.Root).ShouldBeEmpty();
    }

    [Fact]
    public async Task Files_of_all_kinds_are_counted_and_a_large_one_is_judged_by_its_sample()
    {
        _shop.Engine("COPY (SELECT range AS a, 'x' AS b FROM range(3000)) TO '{csv}/t.parquet' (FORMAT parquet)");
        _shop.Write("t.json", """[{"a":1},{"a":2}]""");
        _shop.Engine("COPY (SELECT range AS a, repeat('x', 600) AS b FROM range(130000)) TO '{csv}/large.csv' (FORMAT csv)");
        (await _shop.PreviewAsync("t.parquet")).Rows.ShouldBe(3000);
        (await _shop.PreviewAsync("t.json")).Rows.ShouldBe(2);
        var large = await _shop.PreviewAsync("large.csv");
        (large.Rows, large.LookedAt, large.First.Count).ShouldBe((null, 20_480, 20));
        large.First[0][1]!.Length.ShouldBe(201, "a cell is cut");
    }

    [Fact]
    [Long]
    public async Task The_answer_has_a_bound_whatever_the_file_holds()
    {
        _shop.Engine($"COPY (SELECT {string.Join(", ", Enumerable.Range(0, 1100).Select(column => $"repeat('€', 300) AS c{column}"))} FROM range(20)) TO '{{csv}}/wide.csv' (FORMAT csv)");
        (await Should.ThrowAsync<WorkerFailedException>(() => _shop.PreviewAsync("wide.csv"))).Message.ShouldContain("a sync has twice as much");
        var wide = await _shop.PreviewAsync("wide.csv", budget: Budget.FromTotal(4L << 30, 2));
        (wide.ColumnCount, wide.Columns.Count, wide.First[0].Count).ShouldBe((1100, 1000, 1000));
        wide.First.Sum(row => row.Sum(cell => cell!.Length)).ShouldBeLessThan(1_100_000);
    }

    [Theory]
    [InlineData("a,b\n1,2\n3\n", "t.csv, line 3: expected 2 columns, found 1")]
    [InlineData("", "t.csv: it is empty, so it has no columns")]
    public async Task A_file_that_cannot_be_read_says_why(string text, string error)
    {
        _shop.Write("t.csv", text);
        (await Should.ThrowAsync<WorkerFailedException>(() => _shop.PreviewAsync("t.csv"))).Message.ShouldBe(error);
        (await Should.ThrowAsync<WorkerFailedException>(() => _shop.PreviewAsync("none.csv"))).Message.ShouldBe("There is no file or folder 'none.csv'.");
    }

    [Fact]
    public async Task It_ends_when_its_time_is_over()
    {
        _shop.Write("t.csv", "a\n1\n");
        (await Should.ThrowAsync<WorkerFailedException>(() => _shop.PreviewAsync("t.csv", limit: TimeSpan.FromMilliseconds(1)))).Message.ShouldContain("can be registered all the same");
        Directory.EnumerateFileSystemEntries(_shop.Scratch.Root).ShouldBeEmpty();
    }
}
