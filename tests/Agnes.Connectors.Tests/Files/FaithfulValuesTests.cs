using System.Globalization;
using System.Text;
using System.Text.Json;
using Agnes.Engine.Extracts;
using Agnes.Engine.Workers;

namespace Agnes.Connectors.Tests.Files;

/// <summary>A typed column gives back each cell as it was written, but for forms that mean the same.</summary>
public sealed class FaithfulValuesTests : IDisposable
{
    private readonly Workshop _shop = new();

    public void Dispose() => _shop.Dispose();

    /// <summary>One run for all, since each is a process.</summary>
    private static readonly (string Text, string Columns, string Values)[] Columns =
    [
        ("a\n01220\n94000\n", "a VARCHAR", "01220 94000"),
        ("a\n9223372036854775808\n-1\n", "a DECIMAL(38,0)", "9223372036854775808 -1"),
        ("a\n123456789012345678901234567890123456789\n", "a VARCHAR", "123456789012345678901234567890123456789"),
        ("a\n1E5\n2E7\n", "a VARCHAR", "1E5 2E7"),
        ("a\n1.5e-7\n2.25E+3\n", "a DOUBLE", "1.5e-07 2250.0"),
        ("a\n0.1234567890123456789\n1\n", "a DECIMAL(38,19)", "0.1234567890123456789 1.0000000000000000000"),
        ("a\n0.30000000000000004\n1.50\n.5\n", "a DOUBLE", "0.30000000000000004 1.5 0.5"),
        ("a\nYes\nNo\n", "a VARCHAR", "Yes No"),
        ("a\nTrue\nFALSE\n", "a BOOLEAN", "true false"),
        ("a\nt\nf\n", "a VARCHAR", "t f"),
        ("a\n+1\n2\n", "a VARCHAR", "+1 2"),
        ("a\n1_000\n2\n", "a VARCHAR", "1_000 2"),
        ("a\n-0\n2\n", "a DOUBLE", "-0.0 2.0"),
        ("a\nNaN\ninf\n", "a VARCHAR", "NaN inf"),
        ("a\n2024-01-02\n2024-12-31\n", "a DATE", "2024-01-02 2024-12-31"),
        ("a\n2024-01-02T03:04:05.678\n2024-01-02\n", "a TIMESTAMP", "2024-01-02 03:04:05.678 2024-01-02 00:00:00"),
        ("a\n2024-01-02T03:04:05.123456789\n", "a VARCHAR", "2024-01-02T03:04:05.123456789"),
        ("a\n2024-01-02T03:04:05Z\n2024-01-02T03:04:05+02:00\n", "a TIMESTAMP WITH TIME ZONE", "2024-01-02 03:04:05+00 2024-01-02 01:04:05+00"),
        ("a\n13/01/2024\n1/2/2024\n", "a DATE", "2024-01-13 2024-02-01"),
        ("a\n01/13/2024 05:06:00 PM\n01/02/2024 05:06:00 AM\n", "a TIMESTAMP", "2024-01-13 17:06:00 2024-01-02 05:06:00"),
        ("a\n01/02/2024\n05/06/2024\n", "a VARCHAR", "01/02/2024 05/06/2024"),
        ("a\n11/6/18\n11/6/18\n", "a VARCHAR", "11/6/18 11/6/18"),
        ("a\n10:30\n23:59\n", "a TIME", "10:30:00 23:59:00"),
    ];

    [Fact]
    public async Task A_type_is_taken_only_where_it_loses_nothing()
    {
        foreach (var (index, (text, _, _)) in Columns.Index()) _shop.Write($"t{index}.csv", text);
        (await _shop.RunAsync([.. Columns.Index().Select(each => new TableConfig($"t{each.Index}", $"t{each.Index}", SourceTable: $"t{each.Index}.csv"))])).Failed.ShouldBeEmpty();
        foreach (var (index, (text, columns, values)) in Columns.Index())
        {
            _shop.Columns($"t{index}").ShouldBe(columns, text);
            _shop.Rows($"t{index}", "a::VARCHAR").ShouldBe(values, text);
        }
    }

    [Fact]
    public async Task What_comes_after_the_sample_counts_as_much()
    {
        (string Late, string Type, string Value)[] cells = [("01220", "VARCHAR", "01220"), ("9223372036854775808", "DECIMAL(38,0)", "9223372036854775808"), ("3.25", "DOUBLE", "3.25"), ("3E2", "VARCHAR", "3E2"), (" 7", "VARCHAR", " 7")];
        var text = new StringBuilder($"id,{string.Join(',', cells.Select((_, index) => $"c{index}"))}\n");
        for (var row = 0; row < 21_000; row++) text.Append(row).AppendJoin("", Enumerable.Repeat(",94000", cells.Length)).Append('\n');
        _shop.Write("t.csv", text.Append("21000,").AppendJoin(',', cells.Select(cell => cell.Late)).Append('\n').ToString());
        (await _shop.RunAsync("t", "t.csv")).Failed.ShouldBeEmpty();
        _shop.Columns("t").ShouldBe($"id BIGINT, {string.Join(", ", cells.Select((cell, index) => $"c{index} {cell.Type}"))}");
        _shop.Rows("t", $"{string.Join(", ", cells.Select((_, index) => $"max(CASE WHEN id = 21000 THEN c{index}::VARCHAR END)"))}, count(*)")
            .ShouldBe($"{string.Join('|', cells.Select(cell => cell.Value))}|21001");
    }

    [Fact]
    public async Task A_day_beyond_the_twelfth_after_the_sample_decides_which_is_the_month()
    {
        var text = new StringBuilder("d\n");
        for (var row = 0; row < 21_000; row++) text.Append("01/02/2024\n");
        _shop.Write("t.csv", text.Append("01/31/2024\n").ToString());
        (await _shop.RunAsync("t", "t.csv")).Failed.ShouldBeEmpty();
        _shop.Columns("t").ShouldBe("d DATE");
        _shop.Rows("t", "max(d)::VARCHAR, min(d)::VARCHAR").ShouldBe("2024-01-31|2024-01-02");
    }

    [Fact]
    public async Task Dates_that_stay_text_are_told_with_the_setting_that_reads_them()
    {
        _shop.Write("t.csv", "day\n01/02/2024\n05/06/2024\n");
        (await _shop.RunAsync("t", "t.csv")).Warnings.ShouldContain(warning => warning.Contains("column day") && warning.Contains("date_format"));
        await RunWithAsync("""{"date_format":"%m/%d/%Y"}""");
        _shop.Columns("t").ShouldBe("day DATE");
        _shop.Rows("t", "day::VARCHAR").ShouldBe("2024-01-02 2024-05-06");

        _shop.Write("t.csv", "day\n11/6/18\n");
        await RunWithAsync("""{"date_format":"%m/%d/%y"}""");
        _shop.Rows("t", "day::VARCHAR").ShouldBe("2018-11-06");
    }

    [Fact]
    public async Task The_next_file_is_read_as_the_one_before_it_and_what_differs_is_told()
    {
        _shop.Write("t.csv", "day,code\n13/01/2024,1\n01/02/2024,2\n");
        (await _shop.RunAsync("t", "t.csv")).Warnings.ShouldBeEmpty();
        _shop.Columns("t").ShouldBe("day DATE, code BIGINT");

        // Alone it could be read in two ways.
        _shop.Write("t.csv", "day,code\n01/02/2024,1\n05/06/2024,2\n");
        (await _shop.RunAsync("t", "t.csv")).Warnings.ShouldBeEmpty();
        _shop.Rows("t", "day::VARCHAR").ShouldBe("2024-02-01 2024-06-05");

        _shop.Write("t.csv", "day;code\n01/13/2024;A1\n");
        var warnings = (await _shop.RunAsync("t", "t.csv")).Warnings;
        warnings.ShouldContain("t: t.csv is not written like the table's files before it: delimiter ;, before ,; dates of day as %m/%d/%Y, before %d/%m/%Y");
        warnings.ShouldContain("t: columns have another type than before: code BIGINT → VARCHAR");
        _shop.Rows("t", "day::VARCHAR").ShouldBe("2024-01-13");
    }

    [Fact]
    public async Task Settings_say_how_a_file_is_to_be_read()
    {
        (string Text, string Settings, string Columns, string Rows)[] files =
        [
            ("n,s\nNA,x\n1,N/A\n", """{"null_texts":["NA","N/A"]}""", "n BIGINT, s VARCHAR", "NULL|x 1|NULL"),
            ("p;q\n1,50;1.234,00\n2,25;12,5\n", """{"decimal":",","thousands":"."}""", "p DOUBLE, q DOUBLE", "1.5|1234 2.25|12.5"),
            ("p;q\n1,50;1.234,00\n2,25;12,5\n", """{}""", "p VARCHAR, q VARCHAR", "1,50|1.234,00 2,25|12,5"),
            ("a,b\n 1 ,  x\n2, \n", """{"trim":true}""", "a BIGINT, b VARCHAR", "1|x 2|NULL"),
            ("a,b\n1,2\n", """{"types":{"a":"DECIMAL(10,2)","b":"VARCHAR"}}""", "a DECIMAL(10,2), b VARCHAR", "1.00|2"),
            ("a,b\n1,2\n", """{"text_columns":["*"]}""", "a VARCHAR, b VARCHAR", "1|2"),
            ("a,b\nYes,1\n", """{"types":{"a":"BOOLEAN"}}""", "a BOOLEAN, b BIGINT", "True|1"),
            ("1,2\n3,4\n", """{"header":false}""", "column0 BIGINT, column1 BIGINT", "1|2 3|4"),
            ("exported on\nmonday\na~b\n1~'x~y'\n", """{"skip_lines":2,"delimiter":"~","quote":"'","escape":"'","header":true}""", "a BIGINT, b VARCHAR", "1|x~y"),
        ];
        foreach (var (index, file) in files.Index()) _shop.Write($"t{index}.csv", file.Text);
        (await _shop.RunAsync([.. files.Index().Select(each => With($"t{each.Index}", $"t{each.Index}.csv", each.Item.Settings))])).Failed.ShouldBeEmpty();
        foreach (var (index, file) in files.Index())
        {
            _shop.Columns($"t{index}").ShouldBe(file.Columns, file.Settings);
            _shop.Rows($"t{index}").ShouldBe(file.Rows, file.Settings);
        }
    }

    [Fact]
    public async Task A_setting_that_cannot_be_is_refused_by_name()
    {
        (string Settings, string Error)[] wrong =
        [
            ("""{"delimter":","}""", "'delimter' is no setting of files"),
            ("""{"encoding":"klingon"}""", "encoding must be"),
            ("""{"types":{"a":"BLOB; DROP TABLE x"}}""", "types must be"),
            ("""{"quote":"''"}""", "quote must be one character"),
            ("""{"decimal":",","thousands":","}""", "thousands must be another mark"),
            ("""{"types":{"a":"BIGINT"}}""", "column a holds a value that is no BIGINT"),
            ("""{"encoding":"utf-8"}""", "t.csv, line 2: the text is not UTF-8"),
        ];
        _shop.Write("t.csv", Encoding.Latin1.GetBytes("a\ncafé\n"));
        var failed = (await _shop.RunAsync([.. wrong.Index().Select(each => With($"t{each.Index}", "t.csv", each.Item.Settings))])).Failed;
        failed.Count.ShouldBe(wrong.Length);
        foreach (var (index, (settings, error)) in wrong.Index()) failed.Single(table => table.Name == $"t{index}").Error.ShouldContain(error, customMessage: settings);
    }

    [Fact]
    public async Task The_encoding_of_a_text_that_is_not_UTF_8_is_found_and_told()
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        (string Encoding, string Line)[] files = [("windows-1252", "Zoë,€5,“quoted”"), ("windows-1252", "Müller,Straße,Köln"), ("macintosh", "Rodríguez,Chloë,François"), ("windows-1251", "Привет мир,как дела,хорошо"), ("gb18030", "东京都,大阪市,名古屋")];
        foreach (var (index, (encoding, line)) in files.Index()) _shop.Write($"t{index}.csv", Encoding.GetEncoding(encoding).GetBytes($"a,b,c\n{line}\n{line}\n"));
        var guessed = await _shop.RunAsync([.. files.Index().Select(each => new TableConfig($"t{each.Index}", $"t{each.Index}", SourceTable: $"t{each.Index}.csv"))]);
        guessed.Failed.ShouldBeEmpty();
        foreach (var (index, (encoding, line)) in files.Index())
        {
            _shop.Rows($"t{index}").ShouldStartWith(line.Replace(',', '|'));
            guessed.Warnings.ShouldContain(warning => warning.Contains($"t{index}.csv: read as {encoding}"), encoding);
        }

        var told = await _shop.RunAsync([.. files.Index().Select(each => With($"t{each.Index}", $"t{each.Index}.csv", $$"""{"encoding":"{{each.Item.Encoding}}"}"""))]);
        told.Warnings.ShouldBeEmpty();
        foreach (var (index, (_, line)) in files.Index()) _shop.Rows($"t{index}").ShouldStartWith(line.Replace(',', '|'));
    }

    [Fact]
    public async Task A_byte_that_is_not_UTF_8_may_come_late()
    {
        var text = new StringBuilder("id,name\n");
        for (var row = 0; row < 30_000; row++) text.Append(CultureInfo.InvariantCulture, $"{row},plain\n");
        _shop.Write("t.csv", Encoding.Latin1.GetBytes(text.Append("30000,café\n").ToString()));
        (await _shop.RunAsync("t", "t.csv")).Failed.ShouldBeEmpty();
        _shop.Rows("t", "max(CASE WHEN id = 30000 THEN name END), count(*)").ShouldBe("café|30001");
    }

    [Fact]
    public async Task Columns_of_one_name_are_numbered_by_position_unless_that_is_a_fault()
    {
        _shop.Write("t.csv", "Male,Female,Male,Female,male,Male_2\n1,2,3,4,5,6\n");
        var outcome = await _shop.RunAsync("t", "t.csv");
        _shop.Columns("t").ShouldBe("Male BIGINT, Female BIGINT, Male_3 BIGINT, Female_2 BIGINT, male_4 BIGINT, Male_2 BIGINT");
        _shop.Rows("t").ShouldBe("1|2|3|4|5|6");
        outcome.Warnings.ShouldContain(warning => warning.Contains("Female → Female_2"));
        (await RunWithAsync("""{"duplicate_names":"fail"}""")).Failed.ShouldHaveSingleItem().Error.ShouldContain("line 1: two columns are called 'Male'");
    }

    private Task<ExtractOutcome> RunWithAsync(string settings) => _shop.RunAsync([With("t", "t.csv", settings)]);

    private static TableConfig With(string table, string file, string settings) => new(table, table, SourceTable: file, Settings: JsonElement.Parse(settings));
}
