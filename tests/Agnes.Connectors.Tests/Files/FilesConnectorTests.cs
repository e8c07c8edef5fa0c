using System.IO.Compression;
using System.Text;
using Agnes.Engine.Extracts;

namespace Agnes.Connectors.Tests.Files;

public sealed class FilesConnectorTests : IDisposable
{
    private static readonly DateTime LongAgo = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly Workshop _shop = new();

    public void Dispose() => _shop.Dispose();

    [Theory]
    [InlineData("t.csv", "id,name,day\n1,a,2026-01-02\n2,b,2026-01-03\n")]
    [InlineData("t.csv", "id;name;day\r\n1;a;2026-01-02\r\n2;b;2026-01-03\r\n")]
    [InlineData("t.csv", "id|name|day\n1|a|2026-01-02\n2|b|2026-01-03")]
    [InlineData("t.tsv", "id\tname\tday\n1\ta\t2026-01-02\n2\tb\t2026-01-03\n")]
    [InlineData("t.csv", "\uFEFFid,name,day\n1,\"a\",2026-01-02\n2,b,2026-01-03\n")]
    [InlineData("t.json", """[{"id":1,"name":"a","day":"2026-01-02"},{"id":2,"name":"b","day":"2026-01-03"}]""")]
    [InlineData("t.ndjson", "{\"id\":1,\"name\":\"a\",\"day\":\"2026-01-02\"}\n{\"id\":2,\"name\":\"b\",\"day\":\"2026-01-03\"}\n")]
    public async Task Delimited_and_JSON_files_become_typed_tables(string file, string text)
    {
        _shop.Write(file, text);
        (await _shop.RunAsync("t", file)).Failed.ShouldBeEmpty();
        _shop.Columns("t").ShouldBe("id BIGINT, name VARCHAR, day DATE");
        _shop.Rows("t", "id, name, day::VARCHAR").ShouldBe("1|a|2026-01-02 2|b|2026-01-03");
        _shop.Table("t").Parts.ShouldHaveSingleItem().Name.ShouldBe("t.parquet");
        _shop.Table("t").Md5.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("COPY (SELECT 1 AS id, 'a' AS name) TO '{csv}/t.csv.gz' (FORMAT csv, COMPRESSION gzip)", "t.csv.gz")]
    [InlineData("COPY (SELECT 1 AS id, 'a' AS name) TO '{csv}/t.csv.zst' (FORMAT csv, COMPRESSION zstd)", "t.csv.zst")]
    [InlineData("COPY (SELECT 1 AS id, 'a' AS name) TO '{csv}/t.ndjson.gz' (FORMAT json, COMPRESSION gzip)", "t.ndjson.gz")]
    [InlineData("COPY (SELECT 1 AS id, 'a' AS name) TO '{csv}/t.json.zst' (FORMAT json, ARRAY true, COMPRESSION zstd)", "t.json.zst")]
    [InlineData("COPY (SELECT 1::BIGINT AS id, 'a' AS name) TO '{csv}/t.parquet'", "t.parquet")]
    public async Task Compressed_files_and_Parquet_are_read(string sql, string file)
    {
        _shop.Engine(sql);
        (await _shop.RunAsync("t", file)).Failed.ShouldBeEmpty();
        _shop.Columns("t").ShouldBe("id BIGINT, name VARCHAR");
        _shop.Rows("t").ShouldBe("1|a");
    }

    [Fact]
    public async Task Text_in_UTF_16_and_Latin_1_is_read_as_what_it_is()
    {
        const string text = "name,v\nžluť,1\n";
        _shop.Write("le.csv", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(text)]);
        _shop.Write("be.csv", [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes(text)]);
        _shop.Write("latin.csv", Encoding.Latin1.GetBytes("name,v\ncafé,1\n"));
        using (var packed = new MemoryStream())
        {
            using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true)) gzip.Write(Encoding.Latin1.GetBytes("name,v\ncafé,1\n"));
            _shop.Write("packed.csv.gz", packed.ToArray());
        }
        var outcome = await _shop.RunAsync([Config("le", "le.csv"), Config("be", "be.csv"), Config("latin", "latin.csv"), Config("packed", "packed.csv.gz")]);
        outcome.Failed.ShouldBeEmpty();
        outcome.Warnings.ShouldContain(warning => warning.Contains("read as windows-1252"));
        _shop.Rows("le").ShouldBe("žluť|1");
        _shop.Rows("be").ShouldBe("žluť|1");
        _shop.Rows("latin").ShouldBe("café|1");
        _shop.Rows("packed").ShouldBe("café|1");
    }

    [Fact]
    public async Task A_damaged_UTF_8_file_is_an_error_and_not_taken_for_Latin_1()
    {
        _shop.Write("t.csv", [.. Encoding.UTF8.GetBytes("name,v\nžluť,1\n"), 0xFF, 0xFE, .. "x,2\n"u8]);
        (await _shop.RunAsync("t", "t.csv")).Failed.ShouldHaveSingleItem().Error.ShouldContain("not UTF-8");
    }

    [Fact]
    public async Task Every_file_of_a_folder_is_a_part_and_only_changed_ones_are_read_again()
    {
        for (var month = 1; month <= 3; month++) _shop.Write($"sales/2026/{month:00}.csv", $"id,v\n{month},x\n");
        _shop.Write("sales/readme.md", "no data");
        var first = Path.Combine(_shop.Data.Csv, "sales/2026/01.csv");
        File.SetLastWriteTimeUtc(first, LongAgo);
        await _shop.RunAsync("sales", "2026", "sales");
        var before = _shop.Table("sales");
        before.Parts.Select(part => part.Name).ShouldBe(["01.csv.parquet", "02.csv.parquet", "03.csv.parquet"]);
        _shop.Rows("sales", "id").ShouldBe("1 2 3");

        (await _shop.RunAsync("sales", "2026", "sales")).Ok.ShouldHaveSingleItem().Changed.ShouldBeFalse();
        _shop.Table("sales").ExtractedAt.ShouldBe(before.ExtractedAt);

        _shop.Write("sales/2026/02.csv", "id,v\n22,y\n");
        (await _shop.RunAsync("sales", "2026", "sales")).Ok.ShouldHaveSingleItem().Changed.ShouldBeTrue();
        _shop.Rows("sales", "id").ShouldBe("1 22 3");
        _shop.Table("sales").Parts[0].ShouldBe(before.Parts[0]);
        _shop.Table("sales").ExtractedAt.ShouldBeGreaterThan(before.ExtractedAt);
        // Had the first been read again, its damage under an unchanged stamp would have been found.
        await File.WriteAllTextAsync(first, "id,v\n9,x\n", Workshop.Stop);
        File.SetLastWriteTimeUtc(first, LongAgo);
        _shop.Write("sales/2026/04.csv", "id,v\n4,x\n");
        await _shop.RunAsync("sales", "2026", "sales");
        _shop.Rows("sales", "id").ShouldBe("1 22 3 4");
    }

    [Fact]
    public async Task A_file_that_went_away_leaves_its_rows_out_and_a_lone_part_gets_its_md5()
    {
        _shop.Write("s/a.csv", "id\n1\n");
        _shop.Write("s/b.csv", "id\n2\n");
        await _shop.RunAsync("s", "s/*.csv");
        File.Delete(Path.Combine(_shop.Data.Csv, "s/b.csv"));
        await _shop.RunAsync("s", "s/*.csv");
        _shop.Rows("s").ShouldBe("1");
        _shop.Table("s").Md5.ShouldNotBeNull();
    }

    [Fact]
    public async Task Files_that_differ_are_unified_by_name_and_the_drift_is_told()
    {
        _shop.Write("d/1.csv", "id,amount,code\n1,5,1.50\n");
        _shop.Write("d/2.csv", "ID,amount,note\n2,2.5,hello\n");
        await _shop.RunAsync("d", "d");
        _shop.Columns("d").ShouldBe("id BIGINT, amount DOUBLE, code DOUBLE, note VARCHAR");
        _shop.Rows("d").ShouldBe("1|5|1.5|NULL 2|2.5|NULL|hello");
        _shop.Events.ShouldContain(happened => happened.Kind == "warning" && happened.Message!.Contains("amount BIGINT → DOUBLE"));
        foreach (var part in _shop.Table("d").Parts) part.Rows.ShouldBe(1);

        // A later file that makes a column text gives back what the text was.
        _shop.Write("d/3.csv", "id,code\n3,A7\n");
        var outcome = await _shop.RunAsync("d", "d");
        outcome.Warnings.ShouldNotBeEmpty();
        _shop.Columns("d").ShouldBe("id BIGINT, amount DOUBLE, code VARCHAR, note VARCHAR");
        _shop.Rows("d", "code").ShouldBe("1.50 NULL A7");
    }

    [Fact]
    public async Task An_empty_column_takes_the_type_that_other_files_give_it()
    {
        _shop.Write("e/1.csv", "id,v\n1,\n");
        _shop.Write("e/2.csv", "id,v\n2,7\n");
        _shop.Write("e/3.json", """[{"id":3,"v":null}]""");
        await _shop.RunAsync("e", "e");
        _shop.Columns("e").ShouldBe("id BIGINT, v BIGINT");
        _shop.Rows("e").ShouldBe("1|NULL 2|7 3|NULL");
    }

    [Fact]
    public async Task A_value_that_the_sample_did_not_show_widens_the_column()
    {
        var text = new StringBuilder("id,late,empty\n");
        for (var i = 0; i < 50_000; i++) text.Append(i).Append(',').Append(i).Append(",\n");
        _shop.Write("t.csv", text.Append("50000,x9,2026-01-01\n").ToString());
        (await _shop.RunAsync("t", "t.csv")).Failed.ShouldBeEmpty();
        _shop.Columns("t").ShouldBe("id BIGINT, late VARCHAR, empty DATE");
        _shop.Rows("t", "count(*), max(empty)::VARCHAR").ShouldBe("50001|2026-01-01");
    }

    [Fact]
    public async Task JSON_of_mixed_negative_and_nested_values_gets_the_plainest_types()
    {
        _shop.Write("t.json", """[{"title":"Alien","delay":-5,"more":{"a":1},"none":null},{"title":1917,"delay":7,"more":[2],"none":null}]""");
        (await _shop.RunAsync("t", "t.json")).Failed.ShouldBeEmpty();
        _shop.Columns("t").ShouldBe("title VARCHAR, delay BIGINT, more JSON, none VARCHAR");
        _shop.Rows("t").ShouldBe("""Alien|-5|{"a":1}|NULL 1917|7|[2]|NULL""");
    }

    [Fact]
    public async Task Types_that_Parquet_lacks_are_kept_exact()
    {
        _shop.Engine("COPY (SELECT '[{\"n\": 18446744073709551615}, {\"n\": -5}]' AS j) TO '{csv}/raw.csv' (HEADER false, QUOTE '', ESCAPE '', DELIMITER '\t')");
        File.Move(Path.Combine(_shop.Data.Csv, "raw.csv"), Path.Combine(_shop.Data.Csv, "t.json"));
        (await _shop.RunAsync("t", "t.json")).Failed.ShouldBeEmpty();
        _shop.Rows("t", "n::VARCHAR").ShouldBe("18446744073709551615 -5");
    }

    [Theory]
    [InlineData("s[1].csv")]
    [InlineData("it's a \"file\"; DROP TABLE x --.csv")]
    [InlineData("žluť 数据.csv")]
    [InlineData("{a,b}.csv")]
    public async Task A_file_may_have_any_name(string name)
    {
        _shop.Write($"odd/{name}", "a\n1\n");
        _shop.Write("odd/s1.csv", "a\n2\n");
        (await _shop.RunAsync([Config("one", $"odd/{name}"), Config("both", "odd")])).Failed.ShouldBeEmpty();
        _shop.Rows("one").ShouldBe("1");
        _shop.Table("both").Rows.ShouldBe(2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30_000)]
    public async Task A_line_of_five_megabytes_is_read_wherever_it_stands(int before)
    {
        var text = new StringBuilder("a,b\n");
        for (var i = 0; i < before; i++) text.Append("0,z\n");
        _shop.Write("long.csv", text.Append($"1,{new string('x', 5_000_000)}\n2,y\n").ToString());
        (await _shop.RunAsync("long", "long.csv")).Failed.ShouldBeEmpty();
        _shop.Rows("long", "count(*), max(length(b)), max(a)").ShouldBe($"{before + 2}|5000000|2");
    }

    private static TableConfig Config(string name, string file) => new(name, name, SourceTable: file);
}
