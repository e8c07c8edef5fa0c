using Agnes.Engine.Extracts;

namespace Agnes.Connectors.Tests.Files;

public sealed class BrokenFilesTests : IDisposable
{
    private readonly Workshop _shop = new();

    public void Dispose() => _shop.Dispose();

    [Theory]
    [InlineData("t.csv", "a,b\n1,2\n3,4,5\n6,7\n", "t.csv, line 3: expected 2 columns, found 3")]
    [InlineData("t.csv", "a,b\n1\n2,3\n", "t.csv, line 2: expected 2 columns, found 1")]
    [InlineData("t.csv", "a,b\n1,2\n3,\"open\n5,6\n", "t.csv, line 3: a quote is opened and not closed")]
    [InlineData("t.csv", "a,b\n1,2,3\n4,5,6\n", "t.csv, line")]
    [InlineData("t.csv", "a,b\n1,2\n3\n", "t.csv, line 3: expected 2 columns, found 1")] // most lines are as the first: it is the last that is at fault
    [InlineData("t.csv", "a,b,c\n1,2,3\n4,5\n", "t.csv, line 3: expected 3 columns, found 2")]
    [InlineData("t.csv", "a,b,c\n1,2,3\n4,5,6\n7,8,9\n10", "t.csv, line 5: expected 3 columns, found 1")]
    [InlineData("t.csv", "1,2,3\n4,5,6\n7,8,9\n10,11\n", "t.csv, line 4: expected 3 columns, found 2")]
    [InlineData("t.csv", "name,city\nAnna,Brno\nBob,Prague\nCyril\n", "t.csv, line 4: expected 2 columns, found 1")]
    [InlineData("t.csv", "name,city,zip\nAnna,Brno,x\nBob,Prague\n", "t.csv, line 3: expected 3 columns, found 2")]
    [InlineData("t.csv", "id;name;city\n1;a;b\n2;c\n", "t.csv, line 3: expected 3 columns, found 2")]
    [InlineData("t.csv", "name,city,zip\nBob,Prague\n", "t.csv, line 2: expected 3 columns, found 2")]
    [InlineData("t.csv", "id,name,price\n1,a,1.5\n2,b,2.5\n3,c,3.5\n4,d\n", "t.csv, line 5: expected 3 columns, found 2")]
    [InlineData("t.csv", "1,2,3\n4,5\n", "t.csv, line 2: expected 3 columns, found 2")]
    [InlineData("t.csv", "1;2\n4;5\n6\n", "t.csv, line 3: expected 2 columns, found 1")]
    [InlineData("t.csv", "", "t.csv: it is empty")]
    [InlineData("t.json", "[]", "t.json: it has no columns")]
    [InlineData("t.json", "[{\"a\":1},\n", "t.json: it ends before its array does")]
    [InlineData("t.json", "[{\"a\":1},{\"a\"", "t.json")]
    [InlineData("t.ndjson", "{\"a\":1}\n{\"a\":\n", "t.ndjson, line 3: malformed JSON")]
    [InlineData("t.parquet", "PAR1 this is not", "t.parquet")]
    public async Task A_broken_file_fails_its_table_with_file_line_and_reason(string file, string text, string error)
    {
        _shop.Write(file, text);
        _shop.Write("good.csv", "a\n1\n");
        var outcome = await _shop.RunAsync([new TableConfig("t", "t", SourceTable: file), new TableConfig("good", "good", SourceTable: "good.csv")]);
        var failed = outcome.Failed.ShouldHaveSingleItem();
        failed.Error.ShouldStartWith(error);
        failed.Error.ShouldNotContain(_shop.Data.Root);
        outcome.Ok.ShouldHaveSingleItem().Name.ShouldBe("good");
        _shop.Rows("good").ShouldBe("1");
        _shop.Events.ShouldContain(happened => happened.Kind == "table_failed" && happened.Table == "t");
    }

    [Fact]
    public async Task The_last_good_version_stays_while_a_file_is_broken()
    {
        _shop.Write("t.csv", "a,b\n1,2\n");
        await _shop.RunAsync("t", "t.csv");
        _shop.Write("t.csv", "a,b\n1,2\n3\n");
        (await _shop.RunAsync("t", "t.csv")).Failed.ShouldHaveSingleItem();
        _shop.Rows("t").ShouldBe("1|2");
        _shop.Write("t.csv", "a,b\n5,6\n");
        (await _shop.RunAsync("t", "t.csv")).Failed.ShouldBeEmpty();
        _shop.Rows("t").ShouldBe("5|6");
    }

    [Theory]
    [InlineData("../secret.csv", null)]
    [InlineData("secret.csv", "..")]
    [InlineData("/etc/passwd", null)]
    [InlineData("passwd", "/etc")]
    [InlineData("link.csv", null)]
    [InlineData("*.csv", "out")]
    [InlineData("missing.csv", null)]
    [InlineData("none-*.csv", null)]
    [InlineData("empty", null)]
    [InlineData("t.exe", null)]
    [InlineData("mixed/*", null)]
    public async Task What_lies_outside_of_the_root_or_is_no_table_is_refused(string sourceTable, string? bucket)
    {
        await File.WriteAllTextAsync(_shop["secret.csv"], "a\nsecret\n", Workshop.Stop);
        File.CreateSymbolicLink(Path.Combine(_shop.Data.Csv, "link.csv"), _shop["secret.csv"]);
        Directory.CreateSymbolicLink(Path.Combine(_shop.Data.Csv, "out"), _shop.Data.Root);
        Directory.CreateDirectory(Path.Combine(_shop.Data.Csv, "empty"));
        _shop.Write("t.exe", "MZ");
        _shop.Write("mixed/a.csv", "a\n1\n");
        _shop.Write("mixed/b.bin", "x");
        var outcome = await _shop.RunAsync("t", sourceTable, bucket);
        outcome.Failed.ShouldHaveSingleItem().Error.ShouldNotContain(_shop.Data.Root);
        _shop.Published.Tables.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_table_without_a_path_is_the_file_of_its_name_when_there_is_only_one()
    {
        _shop.Write("orders.csv", "a\n1\n");
        (await _shop.RunAsync("orders")).Failed.ShouldBeEmpty();
        _shop.Rows("orders").ShouldBe("1");
        _shop.Write("orders.json", "[{\"a\":2}]");
        (await _shop.RunAsync("orders")).Failed.ShouldHaveSingleItem().Error.ShouldContain("orders.csv, orders.json");
    }

    [Fact]
    public async Task Names_that_differ_in_case_only_are_one_table_too_many()
    {
        _shop.Write("a.csv", "a\n1\n");
        var outcome = await _shop.RunAsync([new TableConfig("Orders", "Orders", SourceTable: "a.csv"), new TableConfig("orders", "orders", SourceTable: "a.csv"), new TableConfig("x", "bad name", SourceTable: "a.csv")]);
        outcome.Ok.ShouldHaveSingleItem().Name.ShouldBe("Orders");
        outcome.Failed.Select(failed => failed.Name).ShouldBe(["orders", "bad name"]);
    }

    [Fact]
    public async Task A_root_that_does_not_exist_is_told_and_keeps_what_was_published()
    {
        _shop.Write("a.csv", "a\n1\n");
        await _shop.RunAsync("a", "a.csv");
        Directory.Move(_shop.Data.Csv, _shop["moved"]);
        (await _shop.RunAsync("a", "a.csv")).Failed.ShouldHaveSingleItem().Error.ShouldContain("does not exist");
        _shop.Rows("a").ShouldBe("1");
    }
}
