using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Agnes.Engine.Extracts;

namespace Agnes.Connectors.Tests.Files;

/// <summary>Bad rows fail a table, or are left out, counted, kept and told; never silently.</summary>
public sealed class SetAsideTests : IDisposable
{
    private const string Aside = """{"bad_rows":"set_aside"}""";
    private readonly Workshop _shop = new();

    public void Dispose() => _shop.Dispose();

    /// <summary>Text, what is set besides, the rows that stay, and line, reason and text of those that do not.</summary>
    private static readonly (string Text, string Settings, string Rows, (long Line, string Reason, string Text)[] Aside)[] Files =
    [
        ("a,b\n1,2\n3\n4,5\n", "", "1|2 4|5", [(3, "expected 2 columns, found 1", "3")]),
        ("a,b\n1,2,3\n4,5\n", "", "4|5", [(2, "expected 2 columns, found 3", "1,2,3")]),
        ("a,b\r\n1,\"x\r\ny\"\r\n3\r\n4,z\r\n", "", "1|x\r\ny 4|z", [(4, "expected 2 columns, found 1", "3")]),
        ("a,b\n1,2\nx,\"open\n3,4\n5,6\n", "", "1|2 3|4 5|6", [(3, "a quote is opened and not closed", "x,\"open")]),
        ("a,b\n1,\"x\"y\n3,4\n", "", "3|4", [(2, "a quote is opened and not closed", "1,\"x\"y")]),
        ("a;b\n1;\"x;\"\"y\"\n3;4;5\n6;7", "", "1|x;\"y 6|7", [(3, "expected 2 columns, found 3", "3;4;5")]),
        ("title\na|b\n1|2\n3\n4|5\n", ",\"skip_lines\":1,\"delimiter\":\"|\"", "1|2 4|5", [(4, "expected 2 columns, found 1", "3")]),
        ("1,2\n3\n4,5\n", ",\"header\":false", "1|2 4|5", [(2, "expected 2 columns, found 1", "3")]),
        ("a,b\n1,x\n\n\"no\nnumber\",y\n3\n4,z\n", ",\"types\":{\"a\":\"BIGINT\"}", "1|x 4|z",
            [(4, "column a holds a value that is no BIGINT, which was set as its type", "\"no\nnumber\",y"), (6, "expected 2 columns, found 1", "3")]),
        ("a,b\n1,2\n3,4\n", "", "1|2 3|4", []),
    ];

    [Fact]
    public async Task What_is_no_row_is_left_out_and_kept_with_its_line_and_text()
    {
        foreach (var (index, file) in Files.Index()) _shop.Write($"t{index}.csv", file.Text);
        var run = await _shop.RunAsync([.. Files.Index().Select(each => Table($"t{each.Index}", $"t{each.Index}.csv", $"{{\"bad_rows\":\"set_aside\"{each.Item.Settings}}}"))]);
        run.Failed.ShouldBeEmpty();
        foreach (var (index, file) in Files.Index())
        {
            _shop.Rows($"t{index}").ShouldBe(file.Rows, file.Text);
            var (count, rows) = SetAside.Read(_shop.Data, "csv", $"t{index}", 100);
            count.ShouldBe(file.Aside.Length);
            rows.Select(row => (row.Line, row.Reason, row.Text)).ShouldBe(file.Aside, file.Text);
            run.Warnings.Any(warning => warning.StartsWith($"t{index}: t{index}.csv: {file.Aside.Length} row(s)", StringComparison.Ordinal)).ShouldBe(file.Aside.Length > 0, file.Text);
        }
    }

    [Fact]
    public async Task One_bad_row_among_many_fails_its_table_unless_it_may_be_set_aside()
    {
        var text = new StringBuilder("id,name,amount\n");
        for (var row = 0; row < 40_000; row++) text.Append(row == 30_000 ? "30000,bad\n" : $"{row},n{row},{row}.5\n");
        _shop.Write("t.csv", text.ToString());
        using (var packed = new GZipStream(File.Create(Path.Combine(_shop.Data.Csv, "u.csv.gz")), CompressionLevel.Fastest)) packed.Write(Encoding.UTF8.GetBytes(text.ToString()));
        (await _shop.RunAsync("t", "t.csv")).Failed.ShouldHaveSingleItem().Error.ShouldBe("t.csv, line 30002: expected 3 columns, found 2");
        (await _shop.RunAsync([Table("t", "t.csv", Aside), Table("u", "u.csv.gz", Aside)])).Failed.ShouldBeEmpty();
        foreach (var table in (string[])["t", "u"])
        {
            _shop.Columns(table).ShouldBe("id BIGINT, name VARCHAR, amount DOUBLE");
            _shop.Rows(table, "count(*), sum(id)").ShouldBe($"39999|{(40_000L * 39_999 / 2) - 30_000}");
            SetAside.Read(_shop.Data, "csv", table, 1).Rows.ShouldHaveSingleItem().Line.ShouldBe(30_002);
        }
    }

    [Fact]
    public async Task It_is_told_in_every_run_until_the_file_is_mended()
    {
        _shop.Write("d/a.csv", "a,b\n1,2\n3\n");
        _shop.Write("d/b.csv", "a,b\n5,6\n");
        for (var run = 0; run < 2; run++) (await _shop.RunAsync([Table("t", "d", Aside)])).Warnings.ShouldHaveSingleItem().ShouldContain("d/a.csv: 1 row(s)");
        _shop.Write("d/b.csv", "a,b\n5,6\n7\n8\n");
        (await _shop.RunAsync([Table("t", "d", Aside)])).Warnings.Count.ShouldBe(2);
        SetAside.Read(_shop.Data, "csv", "t", 100).Count.ShouldBe(3);
        _shop.Write("d/a.csv", "a,b\n1,2\n");
        _shop.Write("d/b.csv", "a,b\n5,6\n");
        (await _shop.RunAsync([Table("t", "d", Aside)])).Warnings.ShouldBeEmpty();
        SetAside.Read(_shop.Data, "csv", "t", 100).Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_row_that_is_no_text_is_set_aside_where_the_others_are_UTF_8()
    {
        _shop.Write("t.csv", [.. "a,b\ncafé,1\n"u8, (byte)'x', 0xE9, .. ",2\nThé,3\n"u8]);
        (await _shop.RunAsync("t", "t.csv")).Failed.ShouldHaveSingleItem();
        (await _shop.RunAsync([Table("t", "t.csv", Aside)])).Failed.ShouldBeEmpty();
        _shop.Rows("t").ShouldBe("café|1 Thé|3");
        SetAside.Read(_shop.Data, "csv", "t", 1).Rows.ShouldHaveSingleItem().Line.ShouldBe(3);

        _shop.Write("t.csv", Encoding.Latin1.GetBytes("a,b\ncafé,1\nx\nThé,3\n"));
        (await _shop.RunAsync([Table("t", "t.csv", Aside)])).Warnings.ShouldContain(warning => warning.Contains("windows-1252"));
        _shop.Rows("t").ShouldBe("café|1 Thé|3");
    }

    private static TableConfig Table(string name, string file, string settings) => new(name, name, SourceTable: file, Settings: JsonElement.Parse(settings));
}
