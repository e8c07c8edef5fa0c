using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>
/// Remote tables of another program's extract. No extension that attaches anything can be had here: a file of the engine's own storage stands in
/// for what an extension would attach, so that everything but the loading of an extension and its own calls is real.
/// </summary>
public sealed class AttachedExtractTests(Postgres postgres)
{
    private const string Count = "SELECT count(*) AS n, max(page) AS last FROM clicks";

    [Fact]
    public async Task Remote_tables_of_a_foreign_extract_are_asked_through_what_it_attaches_and_follow_its_file()
    {
        await using var shop = await OpenAsync(["duckdb"], url => [url]);
        (await shop.RowsAsync(Count)).ShouldBe("""[[3,"p3"]]""");
        var schema = await shop.AsAnalystAsync("GET", "/api/v2/schema/clicks");
        schema.Json["columns"]!.AsArray().Select(column => $"{column!["name"]} {column["type"]}").ShouldBe(["id BIGINT", "page VARCHAR"], schema.Body);
        (await shop.AsAnalystAsync("GET", "/api/v2/sample/clicks?n=1")).Json["rows"]!.ToJsonString().ShouldBe("""[{"id":1,"page":"p1"}]""");
        (await shop.RowsAsync("SELECT count(*) AS n FROM clicks JOIN orders USING (id) WHERE clicks.id < 3")).ShouldBe("[[2]]");

        Write(shop, rows: 5, table: "clicks");
        (await shop.RowsAsync(Count)).ShouldBe("""[[5,"p5"]]""");
        var audit = (await shop.Server.AuditAsync()).Last(entry => entry.Action == "query");
        audit.Params!.ShouldContain("\"connection\":\"keboola\"");
    }

    [Theory]
    [InlineData("keboola,bigquery", true, "its extension is not allowed")]
    [InlineData("duckdb", false, "its address is none that AGNES_REMOTE_ATTACH_URLS names")]
    public async Task What_is_not_allowed_is_not_attached_and_the_asker_is_told_why(string extensions, bool isAllowedUrl, string told)
    {
        await using var shop = await OpenAsync(extensions.Split(','), url => isAllowedUrl ? [url] : ["https://connection.example.com"]);
        var answer = await shop.QueryAsync(Count);
        (answer.Status, answer.Body.Contains(told, StringComparison.Ordinal)).ShouldBe((502, true), answer.Body);
        (await shop.RowsAsync("SELECT count(*) AS n FROM orders")).ShouldBe("[[1000]]", "other sources are unaffected");
    }

    [Fact]
    public async Task A_view_of_the_extract_opens_no_file_of_the_server()
    {
        await using var shop = await OpenAsync(["duckdb"], url => [url], view: "SELECT 1::BIGINT AS id, content AS page FROM read_text('/etc/hostname')");
        var answer = await shop.QueryAsync(Count);
        (answer.Status, answer.Body.Contains(File.ReadAllText("/etc/hostname").Trim(), StringComparison.Ordinal)).ShouldBe((502, false), answer.Body);
    }

    [Fact]
    public async Task An_extension_that_is_not_installed_is_said_to_be_missing()
    {
        await using var shop = await OpenAsync(["keboola"], url => [url], extension: "keboola");
        (await shop.QueryAsync(Count)).Body.ShouldContain("the extension keboola is not installed");
    }

    private async Task<Shop> OpenAsync(string[] extensions, Func<string, string[]> urls, string? view = null, string extension = "duckdb")
    {
        var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with
        {
            Attach = new AttachOptions { Extensions = extensions, Urls = urls(StandIn(options.DataDir)) },
        });
        Write(shop, rows: 3, table: "clicks", view, extension);
        await shop.SyncAsync();
        await shop.RegisterAsync("""{"name":"clicks","source_type":"keboola","query_mode":"remote","bucket":"in.c-main","source_table":"clicks"}""");
        await shop.GrantAsync("clicks");
        return shop;
    }

    private static string StandIn(string dataDir) => Path.Combine(dataDir, "extracts", "keboola", "stand-in.duckdb");

    /// <summary>As another program writes it: to a file beside, and then by its name.</summary>
    private static void Write(Shop shop, int rows, string table, string? view = null, string extension = "duckdb")
    {
        var standIn = StandIn(shop.DataDir);
        var folder = Directory.CreateDirectory(Path.GetDirectoryName(standIn)!).FullName;
        using (var there = new DuckDBConnection($"Data Source={standIn}.new"))
        {
            there.Open();
            there.ExecuteUnprepared($"""
                CREATE SCHEMA "in.c-main";
                CREATE TABLE "in.c-main".clicks AS SELECT i AS id, 'p' || i AS page FROM range(1, {rows} + 1) t(i);
                CHECKPOINT
                """);
        }

        File.Move($"{standIn}.new", standIn, overwrite: true);
        var extract = Path.Combine(folder, "extract.duckdb");
        using (var connection = new DuckDBConnection($"Data Source={extract}.tmp"))
        {
            connection.Open();
            connection.ExecuteUnprepared($"""
                CREATE TABLE _meta(table_name VARCHAR NOT NULL, description VARCHAR, rows BIGINT, size_bytes BIGINT, extracted_at TIMESTAMP, query_mode VARCHAR);
                INSERT INTO _meta VALUES ('{table}', 'Clicks', 0, 0, now() AT TIME ZONE 'UTC', 'remote');
                CREATE TABLE _remote_attach(alias VARCHAR, extension VARCHAR, url VARCHAR, token_env VARCHAR);
                INSERT INTO _remote_attach VALUES ('kbc', '{extension}', '{standIn}', '');
                ATTACH '{standIn}' AS kbc (READ_ONLY);
                CREATE VIEW {table} AS {view ?? """SELECT * FROM kbc."in.c-main"."clicks" """};
                CHECKPOINT
                """);
        }

        File.Move($"{extract}.tmp", extract, overwrite: true);
    }
}
