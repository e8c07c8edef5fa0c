using Agnes.Server.Platform.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>How the files of one table are read can be set, and a file that did not change is read again when that changes.</summary>
public sealed class TableSettingsTests(Postgres postgres)
{
    [Theory]
    [InlineData(StateEngine.DuckDb)]
    [InlineData(StateEngine.Postgres)]
    public async Task What_is_set_for_a_table_is_stored_shown_used_and_taken_away(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres);
        await WriteAsync(shop, "sales.csv", "day;price\n01/02/2024;1.234,50\n05/06/2024;2,25\n");
        (await shop.AsAdminAsync("POST", "/api/admin/register-table", """{"name":"sales","source_type":"csv","source_table":"sales.csv"}""")).Status.ShouldBe(201);
        await shop.SyncAsync("""["sales"]""");
        (await ColumnsAsync(shop)).ShouldBe("day VARCHAR, price VARCHAR");

        var set = await shop.AsAdminAsync("PUT", "/api/admin/registry/sales", """{"settings":{"date_format":"%m/%d/%Y","decimal":",","thousands":"."}}""");
        set.Status.ShouldBe(200, set.Body);
        (await shop.AsAdminAsync("GET", "/api/admin/registry")).Body.ShouldContain("\"date_format\":\"%m/%d/%Y\"");
        await shop.SyncAsync("""["sales"]""");
        (await ColumnsAsync(shop)).ShouldBe("day DATE, price DOUBLE");
        (await shop.AsAdminAsync("POST", "/api/query", """{"sql":"SELECT max(day)::VARCHAR AS d, sum(price) AS s FROM sales"}""")).Body.ShouldContain("\"2024-05-06\",1236.75");

        (await shop.AsAdminAsync("PUT", "/api/admin/registry/sales", """{"settings":null}""")).Status.ShouldBe(200);
        await shop.SyncAsync("""["sales"]""");
        (await ColumnsAsync(shop)).ShouldBe("day VARCHAR, price VARCHAR");
    }

    [Fact]
    public async Task Two_files_of_one_name_are_not_one_table_unless_that_is_said()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        await WriteAsync(shop, "invoices.csv", "a\n1\n");
        await WriteAsync(shop, "invoices.ndjson", "{\"b\":2}\n");
        const string byName = """{"name":"invoices","source_type":"csv"}""";
        foreach (var path in (string[])["/api/admin/register-table", "/api/admin/register-table/precheck"])
        {
            var refused = await shop.AsAdminAsync("POST", path, byName);
            refused.Status.ShouldBe(422, refused.Body);
            foreach (var part in (string[])["invoices.csv", "invoices.ndjson", "source_table"]) refused.Body.ShouldContain(part);
        }

        // A second file that comes later fails the run with the same words, and the last good version stays.
        File.Delete(Path.Combine(shop.DataDir, "csv", "invoices.ndjson"));
        (await shop.AsAdminAsync("POST", "/api/admin/register-table", byName)).Status.ShouldBe(201);
        await shop.SyncAsync("""["invoices"]""");
        await WriteAsync(shop, "invoices.ndjson", "{\"b\":2}\n");
        (await shop.SyncAsync("""["invoices"]""")).ToJsonString().ShouldContain("invoices.csv, invoices.ndjson");
        (await shop.AsAdminAsync("POST", "/api/query", """{"sql":"SELECT sum(a) AS s FROM invoices"}""")).Body.ShouldContain("[[1]]");
    }

    [Fact]
    public async Task Rows_that_were_set_aside_are_shown_in_the_run_the_page_and_to_admins()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        await WriteAsync(shop, "rows.csv", "a,b\n1,2\n3\n4,5,6\n");
        (await shop.AsAdminAsync("POST", "/api/admin/register-table", """{"name":"rows","source_type":"csv","source_table":"rows.csv","settings":{"bad_rows":"set_aside"}}""")).Status.ShouldBe(201);
        var run = await shop.SyncAsync("""["rows"]""");
        (await shop.AsAdminAsync("GET", $"/api/sync/runs/{run["id"]}/log")).Body.ShouldContain("2 row(s) that are no rows of the table were set aside");
        var shown = await shop.AsAdminAsync("GET", "/api/admin/registry/rows/set-aside?limit=1");
        shown.Json.ToJsonString().ShouldBe("""{"id":"rows","count":2,"rows":[{"file":"rows.csv","line":3,"reason":"expected 2 columns, found 1","text":"3"}]}""");
        (await shop.AsAdminAsync("GET", "/catalog/rows")).Body.ShouldContain("2 of its rows were left out");
        (await shop.AsAdminAsync("DELETE", "/api/admin/registry/rows")).Status.ShouldBe(204);
    }

    [Fact]
    public async Task A_precheck_shows_what_the_table_would_be_to_admins_alone_and_leaves_no_value_anywhere()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        await WriteAsync(shop, "pay.csv", "who;paid\nZephyrine;12\nQuentin;13\n");
        const string body = """{"name":"pay","source_type":"csv","source_table":"pay.csv"}""";
        var shown = await shop.AsAdminAsync("POST", "/api/admin/register-table/precheck", body);
        shown.Status.ShouldBe(200, shown.Body);
        var table = shown.Json["table"]!;
        (table["rows"]!.GetValue<long>(), table["size_bytes"]!.GetValue<long>(), table["column_count"]!.GetValue<int>()).ShouldBe((2, 33, 2));
        table["columns"]!.ToJsonString().ShouldBe("""[{"name":"who","type":"VARCHAR"},{"name":"paid","type":"BIGINT"}]""");
        table["preview"]!["rows"]!.ToJsonString().ShouldBe("""[["Zephyrine","12"],["Quentin","13"]]""");
        table["preview"]!["rows_looked_at"]!.GetValue<long>().ShouldBe(2);
        table["preview"]!["files"]!.ToJsonString().ShouldBe(
            """[{"path":"pay.csv","rows":2,"delimiter":";","quote":"\u0022","escape":"\u0022","header":true,"skip_lines":0,"encoding":"utf-8","date_formats":{},"null_texts":[""]}]""");

        (await shop.AsAdminAsync("GET", "/api/admin/audit")).Body.ShouldNotContain("Zephyrine");
        Directory.Exists(Path.Combine(shop.DataDir, "extracts", "csv")).ShouldBeFalse();

        await WriteAsync(shop, "pay.csv", "who;paid\nZephyrine\n");
        var broken = (await shop.AsAdminAsync("POST", "/api/admin/register-table/precheck", body)).Json["table"]!;
        (broken["preview"], broken["rows"]).ShouldBe((null, null));
        broken["preview_error"]!.GetValue<string>().ShouldBe("pay.csv, line 2: expected 2 columns, found 1");
    }

    private static async Task<string> ColumnsAsync(Shop shop)
    {
        var schema = (await shop.AsAdminAsync("GET", "/api/v2/schema/sales")).Json;
        return string.Join(", ", schema["columns"]!.AsArray().Select(column => $"{column!["name"]} {column["type"]}"));
    }

    private static async Task WriteAsync(Shop shop, string name, string text)
    {
        Directory.CreateDirectory(Path.Combine(shop.DataDir, "csv"));
        await File.WriteAllTextAsync(Path.Combine(shop.DataDir, "csv", name), text, TestContext.Current.CancellationToken);
    }
}
