using System.Text;
using System.Text.Json;
using Agnes.Engine.Extracts;

namespace Agnes.Connectors.Tests.Files;

/// <summary>A file is read as the table's files before it were, as long as it can be; where it cannot, it is looked at by itself, and that is told.</summary>
public sealed class ReadLikeTests : IDisposable
{
    private readonly Workshop _shop = new();

    public void Dispose() => _shop.Dispose();

    [Fact]
    public async Task A_delimiter_that_was_found_is_used_where_a_file_alone_would_say_another()
    {
        await FirstAsync("name,full;note,short\nAnna;x\nBert;y\n", "Anna|x Bert|y");
        // Commas would make three columns of every line.
        await NextAsync("name,full;note,short\na,b;c,d\ne,f;g,h\n", "name,full VARCHAR, note,short VARCHAR", "a,b|c,d e,f|g,h");
    }

    [Fact]
    public async Task A_header_that_was_found_is_one_in_a_file_that_holds_only_text_too()
    {
        await FirstAsync("1,x\n2,y\n", "1|x 2|y");
        // The sniffer would take the first line of it for names.
        await NextAsync("n/a,2\n1,3\n2,4\n", "column0 VARCHAR, column1 BIGINT", "n/a|2 1|3 2|4", "columns have another type than before: column0 BIGINT → VARCHAR");
    }

    [Fact]
    public async Task Lines_before_the_header_are_left_out_of_the_next_file_too()
    {
        await FirstAsync("Report of May\n\nid,amount,note\n1,2,a\n2,3,b\n", "1|2|a 2|3|b");
        await NextAsync("Report of June\n\nid,amount,note\n3,4,c\n", "id BIGINT, amount BIGINT, note VARCHAR", "3|4|c");
    }

    [Fact]
    public async Task An_encoding_that_was_found_outlives_a_file_without_special_letters()
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        var latin2 = Encoding.GetEncoding("iso-8859-2");
        _shop.Write("t.csv", latin2.GetBytes("who\nŠkoda\nžluťoučký\n"));
        (await _shop.RunAsync("t", "t.csv")).Warnings.ShouldHaveSingleItem().ShouldContain("iso-8859-2");
        await NextAsync("who\nplain\n", "who VARCHAR", "plain");
        // Alone it would be taken for windows-1252, in which it looks like a word as well.
        _shop.Write("t.csv", latin2.GetBytes("who\nDvořák\n"));
        (await _shop.RunAsync("t", "t.csv")).Warnings.ShouldHaveSingleItem().ShouldContain("iso-8859-2");
        _shop.Rows("t").ShouldBe("Dvořák");
    }

    [Theory]
    [InlineData("a,b\n1,2\n", "a;b\n3;4\n", "3|4", "delimiter ;, before ,")]
    [InlineData("a,b\n1,2\n", "Report\n\na,b\n3,4\n", "3|4", "lines before it 2, before 0")]
    [InlineData("1,2\n3,4\n", "a,b\n5,6\n", "5|6", "header yes, before no")]
    [InlineData("a,b\n1,2\n", "3,4\n5,6\n", "3|4 5|6", "header no, before yes")]
    public async Task A_file_that_cannot_be_read_so_is_looked_at_by_itself_and_told_once(string first, string next, string rows, string deviation)
    {
        _shop.Write("t.csv", first);
        (await _shop.RunAsync("t", "t.csv")).Failed.ShouldBeEmpty();
        _shop.Write("t.csv", next);
        (await _shop.RunAsync("t", "t.csv")).Warnings.Count(warning => warning.Contains($"is not written like the table's files before it: {deviation}", StringComparison.Ordinal)).ShouldBe(1);
        _shop.Rows("t").ShouldBe(rows);
        _shop.Write("t.csv", next + " ".Replace(" ", next[^4..], StringComparison.Ordinal));
        (await _shop.RunAsync("t", "t.csv")).Warnings.ShouldNotContain(warning => warning.Contains("is not written like", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_was_found_under_a_setting_does_not_outlive_it()
    {
        _shop.Write("t.csv", "a;b\n1;2\n");
        await RunAsync("""{"delimiter":","}""");
        _shop.Columns("t").ShouldBe("a;b VARCHAR");
        await RunAsync(null);
        _shop.Columns("t").ShouldBe("a BIGINT, b BIGINT");
    }

    [Fact]
    public async Task Bad_rows_are_set_aside_by_the_dialect_of_before()
    {
        _shop.Write("t.csv", "1,x\n2,y\n");
        await RunAsync("""{"bad_rows":"set_aside"}""");
        // Alone, its first line would be taken for names.
        _shop.Write("t.csv", "n/a,2\n1,3\nlost\n2,4\n");
        await RunAsync("""{"bad_rows":"set_aside"}""");
        _shop.Rows("t").ShouldBe("n/a|2 1|3 2|4");
        SetAside.Read(_shop.Data, "csv", "t", 100).Rows.ShouldHaveSingleItem().Text.ShouldBe("lost");
    }

    private async Task FirstAsync(string text, string rows)
    {
        _shop.Write("t.csv", text);
        (await _shop.RunAsync("t", "t.csv")).Failed.ShouldBeEmpty();
        _shop.Rows("t").ShouldBe(rows);
    }

    private async Task NextAsync(string text, string columns, string rows, string? warning = null)
    {
        _shop.Write("t.csv", text);
        var run = await _shop.RunAsync("t", "t.csv");
        run.Failed.ShouldBeEmpty();
        _shop.Columns("t").ShouldBe(columns);
        _shop.Rows("t").ShouldBe(rows);
        run.Warnings.ShouldNotContain(text => text.Contains("is not written like", StringComparison.Ordinal));
        if (warning is not null) run.Warnings.ShouldContain(text => text.Contains(warning, StringComparison.Ordinal));
    }

    private async Task RunAsync(string? settings)
    {
        var table = new TableConfig("t", "t", SourceTable: "t.csv", Settings: settings is null ? null : JsonElement.Parse(settings));
        (await _shop.RunAsync([table])).Failed.ShouldBeEmpty();
    }
}
