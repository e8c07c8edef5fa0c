using System.Text.Json.Nodes;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>What becomes of a table whose source has other columns than the version that is published is said for each table, and every drift is noted.</summary>
public sealed class SchemaContractTests(Postgres postgres)
{
    [Theory]
    [OnEitherEngine]
    public async Task A_frozen_table_keeps_its_version_and_says_which_columns_are_others_until_they_are_taken(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres);
        await RegisterAsync(shop, "freeze", "id,amount,old\n1,10,x\n");
        foreach (var (text, said) in ((string, string)[])
        [
            ("id,amount,old,fresh\n1,10,x,y\n", "new: fresh VARCHAR"),
            ("id,amount\n1,10\n", "missing: old (was VARCHAR)"),
            ("id,amount,old\n1,1.5,x\n", "changed: amount (was BIGINT, is DOUBLE)"),
        ])
        {
            var error = await FailAsync(shop, text);
            error.ShouldContain(said);
            error.ShouldContain("agnes admin update-table bills --schema-contract evolve");
            (await shop.RowsAsync("SELECT id, amount, old FROM bills")).ShouldBe("""[[1,10,"x"]]""");
        }

        await FailAsync(shop, "id,amount,old\n1,1.5,x\n");
        (await DriftsAsync(shop)).ShouldBe(["refused", "refused", "refused"], "what stands already is not said again at each sync");
        var drift = await DriftAsync(shop);
        (drift["outcome"]!.GetValue<string>(), drift["changes"]!.ToJsonString()).ShouldBe(("refused", """["amount BIGINT -\u003E DOUBLE"]"""));
        (await shop.AsAnalystAsync("GET", "/api/v2/catalog")).Body.ShouldNotContain("DOUBLE", Case.Sensitive, "what a table does not have is none of an analyst's");

        // The order of columns, and other rows, are no drift; what stood against the table goes.
        await WriteAsync(shop, "old,id,amount\nz,2,20\n");
        (await shop.RowsAsync("SELECT id, amount, old FROM bills")).ShouldBe("""[[2,20,"z"]]""");
        shop.Server.State.Snapshot.SyncStates["bills"].Error.ShouldBeNull();

        await FailAsync(shop, "id,amount,fresh\n3,30,y\n");
        (await shop.AsAdminAsync("PUT", "/api/admin/registry/bills", """{"schema_contract":null}""")).Status.ShouldBe(200);
        (await shop.SyncAsync("""["bills"]"""))["status"]!.GetValue<string>().ShouldBe("ok");
        (await shop.RowsAsync("SELECT id, amount, fresh FROM bills")).ShouldBe("""[[3,30,"y"]]""");
        (await DriftAsync(shop))["outcome"]!.GetValue<string>().ShouldBe("taken");
        var entry = (await shop.AsAnalystAsync("GET", "/api/v2/catalog")).Json["tables"]!.AsArray().Single(table => table!["id"]!.GetValue<string>() == "bills")!;
        entry["columns_changed"]!["changes"]!.ToJsonString().ShouldBe("""["\u002Bfresh VARCHAR","-old"]""");
    }

    [Theory]
    [OnEitherEngine]
    public async Task New_columns_are_left_out_of_a_table_that_discards_them_and_come_when_they_are_wanted(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres);
        await RegisterAsync(shop, "discard", "id,amount\n1,10\n");
        await WriteAsync(shop, "id,amount,fresh\n1,10,a\n2,20,b\n");
        (await shop.RowsAsync("SELECT * FROM bills ORDER BY id")).ShouldBe("[[1,10],[2,20]]");
        var part = Version(shop).Parts.Single().Sha256;
        ColumnsOf(shop, part).ShouldBe("id BIGINT, amount BIGINT", "a laptop is given no column either");

        // The same again is neither encoded nor said anew.
        await SyncAsync(shop);
        (Version(shop).Parts.Single().Sha256, (await DriftsAsync(shop)).Count).ShouldBe((part, 1));
        (await DriftAsync(shop))["outcome"]!.GetValue<string>().ShouldBe("left_out");

        // A changed type is taken back where nothing is lost by that, and is an error where something would be.
        await WriteAsync(shop, "id,amount,fresh\n1,10.0,a\n");
        (await shop.RowsAsync("SELECT * FROM bills")).ShouldBe("[[1,10]]");
        (await FailAsync(shop, "id,amount\n1,10.5\n2,11.0\n3,\n")).ShouldContain("1 cell of amount cannot be BIGINT without a loss");
        (await FailAsync(shop, "id,amount\n1,ten\n2,eleven\n")).ShouldContain("2 cells of amount cannot be BIGINT");
        (await FailAsync(shop, "id,fresh\n1,a\n")).ShouldContain("missing: amount (was BIGINT)");
        (await shop.RowsAsync("SELECT * FROM bills")).ShouldBe("[[1,10]]");

        await WriteAsync(shop, "id,amount,fresh\n1,10,a\n");
        (await shop.AsAdminAsync("PUT", "/api/admin/registry/bills", """{"schema_contract":"evolve"}""")).Status.ShouldBe(200);
        await SyncAsync(shop);
        (await shop.RowsAsync("SELECT id, amount, fresh FROM bills")).ShouldBe("""[[1,10,"a"]]""");
    }

    [Fact]
    public async Task A_table_that_has_nothing_to_leave_out_is_published_from_the_parts_of_its_source()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        await RegisterAsync(shop, "discard", "id,amount\n1,10\n");
        await WriteAsync(shop, "amount,id\n10,1\n20,2\n");
        Directory.EnumerateFiles(Path.Combine(shop.DataDir, "extracts", "csv", "data"), "bills*", SearchOption.AllDirectories)
            .Select(file => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))).ShouldBe([Version(shop).Parts.Single().Sha256]);
    }

    [Fact]
    [Long]
    public async Task What_another_program_wrote_stays_as_it_is_and_a_contract_counts_without_its_doing_anything()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        (await shop.AsAdminAsync("PUT", "/api/admin/registry/orders", """{"schema_contract":"discard"}""")).Status.ShouldBe(200);
        WriteOrders(shop, "i AS id, 'name ' || i AS name, i * 1.5 AS amount, 'a secret' AS note");
        var written = File.ReadAllBytes(Path.Combine(shop.DataDir, "extracts", "erp", "data", "Orders.parquet"));
        await shop.RunAsync(PublishJob.Request("test"));
        NamesOf(shop).ShouldBe("id,name,amount");
        (await shop.RowsAsync("SELECT count(*), sum(amount) FROM orders")).ShouldContain("1000");
        File.ReadAllBytes(Path.Combine(shop.DataDir, "extracts", "erp", "data", "Orders.parquet")).ShouldBe(written);
        (await shop.QueryAsync("SELECT note FROM orders")).Status.ShouldBe(400);
        var part = shop.Server.State.Snapshot.Published["orders"].Parts.Single().Sha256;
        WriteOrders(shop, "i AS id, 'name ' || i AS name, i * 1.5 AS amount, 'a secret' AS note", "SELECT 2 AS a");
        await shop.RunAsync(PublishJob.Request("test"));
        shop.Server.State.Snapshot.Published["orders"].Parts.Single().Sha256.ShouldBe(part);

        // Its files do not change: the contract alone has the source looked at again.
        (await shop.AsAdminAsync("PUT", "/api/admin/registry/orders", """{"schema_contract":"evolve"}""")).Status.ShouldBe(200);
        await shop.RunAsync(PublishJob.Request("test"));
        NamesOf(shop).ShouldBe("id,name,amount,note");
        (await shop.AsAdminAsync("PUT", "/api/admin/registry/orders", """{"schema_contract":"freeze"}""")).Status.ShouldBe(200);
        WriteOrders(shop, "i AS id");
        var job = await shop.RunAsync(PublishJob.Request("test"));
        NamesOf(shop).ShouldBe("id,name,amount,note");
        shop.Server.State.Snapshot.SyncStates["orders"].Error!.ShouldContain("missing: name (was VARCHAR)");
        (await shop.Server.State.ReadAsync<string>("SELECT line FROM job_log WHERE job_id = @Id", new { job.Id }))
            .ShouldContain(line => line.Contains("Orders: skipped, its columns are frozen", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_column_that_comes_with_the_rows_of_a_merge_is_null_in_rows_of_before_or_is_left_out_of_all()
    {
        if (OperatingSystem.IsWindows()) return;
        using var programs = new TemporaryFolder();
        var script = Path.Combine(Directory.CreateDirectory(Path.Combine(programs.Path, "counter")).FullName, "extractor.sh");
        await File.WriteAllTextAsync(script, """
            #!/bin/sh
            read -r request
            cursor=$(printf '%s' "$request" | sed -n 's/.*"cursor":"\([0-9]*\)".*/\1/p')
            next=$((${cursor:-0} + 1))
            if [ $next -eq 1 ]; then printf 'id,name\n1,first\n2,second\n' > visits.csv
            else printf 'id,name,page\n%s,again,p%s\n' $next $next > visits.csv; fi
            printf '{"done":{"table":"visits","files":["visits.csv"],"cursor":"%s","merge_by":["id"],"partition_by":"id"}}\n' $next
            """);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { ConnectorsDir = programs.Path });
        (await shop.AsAdminAsync("POST", "/api/admin/connections", """{"name":"web","kind":"custom","settings":{"program":"counter"}}""")).Status.ShouldBe(201);
        await shop.RegisterAsync("""{"name":"visits","source_type":"custom","connection":"web","schema_contract":"discard","sync_schedule":"every 200h"}""");
        await shop.GrantAsync("visits");
        await SyncAsync(shop, "visits");
        await SyncAsync(shop, "visits");
        (await shop.RowsAsync("SELECT * FROM visits ORDER BY id")).ShouldBe("""[[1,"first"],[2,"again"]]""");

        // Long after, what the extract is made of is still there, though no version has it: the next run goes on from it.
        shop.Server.Time.Advance(TimeSpan.FromDays(3));
        await shop.SignInAgainAsync();
        await shop.RunAsync(PurgeJob.Request("test"));
        await SyncAsync(shop, "visits");
        (await shop.AsAdminAsync("PUT", "/api/admin/registry/visits", """{"schema_contract":"evolve"}""")).Status.ShouldBe(200);
        await SyncAsync(shop, "visits");
        var rows = await shop.AsAdminAsync("POST", "/api/query", """{"sql":"SELECT id, name, page FROM visits ORDER BY id"}""");
        rows.Json["rows"]!.ToJsonString().ShouldBe("""[[1,"first",null],[2,"again","p2"],[3,"again","p3"],[4,"again","p4"]]""", rows.Body);
    }

    [Theory]
    [InlineData("""{"schema_contract":"thaw"}""", "schema_contract must be one of evolve, freeze, discard")]
    [InlineData("""{"schema_contract":"freeze","query_mode":"remote","source_type":"bigquery","bucket":"d"}""", "schema_contract cannot be used with query_mode 'remote'")]
    public async Task A_contract_that_is_none_is_refused(string fields, string why)
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        var body = JsonNode.Parse(fields)!.AsObject();
        body["name"] = "bills";
        body["source_type"] ??= "csv";
        foreach (var path in (string[])["/api/admin/register-table", "/api/admin/register-table/precheck"])
        {
            var answer = await shop.AsAdminAsync("POST", path, body.ToJsonString());
            answer.Status.ShouldBe(422, answer.Body);
            answer.Body.Replace("\\u0027", "'", StringComparison.Ordinal).ShouldContain(why);
        }
    }

    private static async Task RegisterAsync(Shop shop, string contract, string text)
    {
        shop.WriteCsv("bills.csv", text);
        await shop.RegisterAsync(new JsonObject { ["name"] = "bills", ["source_type"] = "csv", ["source_table"] = "bills.csv", ["schema_contract"] = contract }.ToJsonString());
        await shop.GrantAsync("bills");
        await SyncAsync(shop);
    }

    private static async Task WriteAsync(Shop shop, string text)
    {
        shop.WriteCsv("bills.csv", text);
        await SyncAsync(shop);
    }

    private static async Task SyncAsync(Shop shop, string table = "bills")
    {
        shop.Server.Time.Advance(TimeSpan.FromMinutes(1));
        var run = await shop.SyncAsync(new JsonArray(table).ToJsonString());
        run["status"]!.GetValue<string>().ShouldBe("ok", run.ToJsonString());
    }

    /// <returns>Why the table failed, as the run says.</returns>
    private static async Task<string> FailAsync(Shop shop, string text)
    {
        shop.Server.Time.Advance(TimeSpan.FromMinutes(1));
        shop.WriteCsv("bills.csv", text);
        var run = await shop.SyncAsync("""["bills"]""");
        run["status"]!.GetValue<string>().ShouldBe("failed", run.ToJsonString());
        return run["result"]!["failed"]![0]!["error"]!.GetValue<string>();
    }

    private static void WriteOrders(Shop shop, string columns, string loose = "SELECT 1 AS a") => ForeignExtract.Write(
        shop.DataDir, "erp", ("Orders", $"SELECT {columns} FROM range(1000) t(i)"), ("salaries", "SELECT 'secret' AS who, 1 AS pay"), ("loose", loose));

    private static string NamesOf(Shop shop) => string.Join(',', shop.Server.State.Snapshot.Published["orders"].Columns.Select(column => column.Name));

    private static PublishedVersion Version(Shop shop) => shop.Server.State.Snapshot.Published["bills"];

    /// <summary>What the file itself has, whatever is said of it.</summary>
    private static string ColumnsOf(Shop shop, string sha256)
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = new DuckDBCommand(
            $"DESCRIBE SELECT * FROM '{Path.Combine(shop.DataDir, "parts", sha256[..2], $"{sha256}.parquet")}'", connection);
        using var reader = command.ExecuteReader();
        var columns = new List<string>();
        while (reader.Read()) columns.Add($"{reader.GetString(0)} {reader.GetString(1)}");
        return string.Join(", ", columns);
    }

    private static async Task<JsonNode> DriftAsync(Shop shop) => (await shop.AsAdminAsync("GET", "/api/admin/registry")).Json["tables"]!.AsArray()
        .Single(table => table!["id"]!.GetValue<string>() == "bills")!["schema_drift"]!;

    private static async Task<List<string>> DriftsAsync(Shop shop) =>
        [.. (await shop.Server.AuditAsync()).Where(entry => entry.Action == "schema_drift").Select(entry => JsonNode.Parse(entry.Params!)!["outcome"]!.GetValue<string>())];
}
