using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Testing;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using DuckDB.NET.Data;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>Parts of a table as a Parquet file: what may be asked for, what comes, and who gets it.</summary>
public sealed class ScanTests(Postgres postgres, Shops shops)
{
    private const string Scan = "/api/v2/scan";
    private const string Estimate = "/api/v2/scan/estimate";

    [Fact]
    public async Task The_chosen_rows_and_columns_come_as_a_file_of_known_length()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var cases = new (string Body, string Query, string Expected)[]
        {
            ("""{"table_id":"orders"}""", "SELECT count(*) || ':' || sum(id)", "1000:499500"),
            ("""{"table_id":"Orders","select":["NAME","id"],"where":"id >= 995 AND name LIKE 'name 99%'","order_by":["id DESC"],"limit":3}""", "SELECT string_agg(id || name, ',' )", "999name 999,998name 998,997name 997"),
            ("""{"table_id":"orders","select":null,"where":null,"limit":null,"order_by":null}""", "SELECT count(*)", "1000"),
            ("""{"table_id":"orders","where":"orders.id IN (1, 2) OR abs(amount - 4.5) < 0.1 -- three;"}""", "SELECT sum(id)", "6"),
            ("""{"table_id":"orders","where":"id < 0"}""", "SELECT count(*) || count(id)", "00"),
            ("""{"table_id":"orders","select":["id"],"order_by":["amount desc"],"limit":1}""", "SELECT max(id)", "999"),
        };
        foreach (var (body, query, expected) in cases)
        {
            var (status, headers, file) = await ScanAsync(shop, shop.Analyst, body);
            status.ShouldBe(200, $"{body}: {System.Text.Encoding.UTF8.GetString(file)}");
            headers.ContentType!.MediaType.ShouldBe("application/vnd.apache.parquet");
            headers.ContentLength.ShouldBe(file.Length);
            Ask(query, file).ShouldBe(expected, body);
        }

        var estimate = await shop.AsAnalystAsync("POST", Estimate, """{"table_id":"orders","where":"id = 1","limit":5}""");
        estimate.Body.ShouldBe("""{"table_id":"orders","estimated_scan_bytes":0,"estimated_result_rows":null,"estimated_result_bytes":null,"bq_cost_estimate_usd":0}""");
        Directory.EnumerateFileSystemEntries(Path.Combine(shop.DataDir, "scratch"), "scan-*").ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_not_a_predicate_over_this_table_is_refused_by_its_kind()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var faults = new List<string>();
        var cases = new (string Where, string Kind)[]
        {
            ("", "parse_error"), ("  ", "parse_error"), ("id = ", "parse_error"), ("id = 1)", "parse_error"), ("id = 1) OR (id = 2", "parse_error"), ("-- only a comment", "parse_error"),
            ("id = 1 LIMIT 5", "parse_error"), ("id = 1 ORDER BY id", "parse_error"), ("id = 1 GROUP BY id", "parse_error"), ("id = 1 GROUP BY ALL", "parse_error"), ("id = 1 QUALIFY true", "parse_error"),
            ("true USING SAMPLE 3", "parse_error"), ("id = 1;;", "multi_statement"), ("id = 1; id = 2", "multi_statement"), ("id = 1; id", "multi_statement"), ("name = ';' id", "parse_error"), ("id = 1 -- ; x\n id", "parse_error"), ("id = 1; DROP TABLE orders", "multi_statement"), ("id = 1; SELECT 1", "multi_statement"),
            ("id = 1 UNION SELECT * FROM salaries", "disallowed_node"), ("id = ?", "disallowed_node"), ("id = $x", "disallowed_node"), ("columns('id') = 1", "disallowed_node"), ("list_filter([1], lambda x: x > id) = [1]", "disallowed_node"),
            ("id IN (SELECT pay FROM salaries)", "nested_select"), ("EXISTS (SELECT 1)", "nested_select"), ("id = (SELECT max(id) FROM orders)", "nested_select"), ("id = (FROM read_csv('/etc/passwd'))", "nested_select"),
            ("DELETE FROM orders", "ddl_or_dml"), ("COPY orders TO '/tmp/x'", "ddl_or_dml"), ("INSTALL httpfs", "ddl_or_dml"),
            ("salaries.pay = 1", "cross_table_reference"), ("main.orders.id = 1", "cross_table_reference"),
            ("nope = 1", "unknown_column"), ("orders.nope = 1", "unknown_column"), ("rowid = 1", "unknown_column"), ("current_user = 'x'", "unknown_column"),
            ("getenv('HOME') = 'x'", "unknown_function"), ("read_text('/etc/hostname') = 'x'", "unknown_function"), ("count(*) > 1", "unknown_function"), ("row_number() OVER () = 1", "unknown_function"),
            ("repeat('x', 2000000000) = name", "unknown_function"), ("sum(id) = 1 AND nope = 2", "unknown_function"), ("other.lower(name) = 'x'", "unknown_function"), ("hash(id) = 1", "unknown_function"),
        };
        foreach (var (where, kind) in cases)
        {
            foreach (var path in (string[])[Scan, Estimate])
            {
                var answer = await shop.AsAnalystAsync("POST", path, new JsonObject { ["table_id"] = "orders", ["where"] = where }.ToJsonString());
                var detail = answer.Status == 400 ? answer.Json["detail"] as JsonObject : null;
                if ((string?)detail?["error"] != "validator_rejected" || (string?)detail["kind"] != kind) faults.Add($"{where} → {answer.Status} {answer.Body[..Math.Min(200, answer.Body.Length)]}");
            }
        }

        faults.ShouldBeEmpty();
        (await shop.AsAnalystAsync("POST", Scan, """{"table_id":"orders","where":"nope = 1"}""")).Body.ShouldBe("""{"detail":{"error":"validator_rejected","kind":"unknown_column","details":{"column":"nope"}}}""");
        (await shop.AsAnalystAsync("POST", Scan, new JsonObject { ["table_id"] = "orders", ["where"] = new string('(', 20_000) + "id" + new string(')', 20_000) }.ToJsonString())).Status.ShouldBe(400);
        (await shop.AsAnalystAsync("POST", Scan, new JsonObject { ["table_id"] = "orders", ["where"] = string.Join(" + ", Enumerable.Repeat("id", 3_000)) + " > 0" }.ToJsonString())).Status.ShouldBe(400);
    }

    [Fact]
    public async Task What_is_allowed_in_a_predicate_is_understood()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var faults = new List<string>();
        foreach (var where in (string[])
        [
            "id BETWEEN 1 AND 5", "NOT (id = 1) AND id IS NOT NULL", "id IS DISTINCT FROM 3", "name ILIKE 'N%' OR name NOT LIKE '%_x' ESCAPE 'x'", "id % 2 = 0 AND id // 2 > 1", "name || 'x' = 'name 1x'",
            "CASE WHEN id > 5 THEN 'a' ELSE 'b' END = 'a'", "DATE '2026-01-01' + INTERVAL 30 DAY > CURRENT_DATE - INTERVAL '1' MONTH", "EXTRACT(year FROM TIMESTAMP '2026-01-01 00:00:00') = 2026",
            "CAST(id AS VARCHAR) = '1' OR id::INTEGER = 2 OR TRY_CAST(name AS INTEGER) IS NULL", "COALESCE(name, 'x') <> 'y' AND NULLIF(id, 1) IS NULL AND IFNULL(id, 0) = 0", "length(trim(upper(name))) > 3", "substring(name FROM 1 FOR 2) = 'na'",
            "id & 1 = 1 AND (id | 2) > 0 AND (id << 1) > 0", "round(amount, 1) >= 1.5 AND greatest(id, 2) = 2", "regexp_matches(name, 'x') OR starts_with(name, 'n')", "date_trunc('month', DATE '2026-01-05') = DATE '2026-01-01'", "id = 1;",
            "\"id\" = 1 AND \"Orders\".\"name\" = 'x'", "-id < 0 AND id IN (1,2,3) AND id NOT IN (9)",
        ])
        {
            var answer = await shop.AsAnalystAsync("POST", Scan, new JsonObject { ["table_id"] = "orders", ["where"] = where }.ToJsonString());
            if (answer.Status != 200) faults.Add($"{where} → {answer.Status} {answer.Body}");
        }

        faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task Wrong_shapes_and_names_are_refused_in_words()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var faults = new List<string>();
        foreach (var (body, status, has) in ((string, int, string)[])
        [
            ("[]", 422, "valid dictionary"), ("{}", 400, "table_id is required"), ("""{"table_id":7}""", 400, "table_id"), ("""{"table_id":"orders","limit":0}""", 400, "at least 1"), ("""{"table_id":"orders","limit":1.5}""", 400, "at least 1"),
            ("""{"table_id":"orders","limit":99999999999}""", 400, "api.scan.max_limit"), ("""{"table_id":"orders","select":["nope"]}""", 400, "unknown column 'nope'"), ("""{"table_id":"orders","select":"id"}""", 400, "list"),
            ("""{"table_id":"orders","select":["id\"; DROP"]}""", 400, "unknown column"), ("""{"table_id":"orders","order_by":["id; DROP"]}""", 400, "unknown column"), ("""{"table_id":"orders","order_by":["id SIDEWAYS"]}""", 400, "unknown column"),
            ("""{"table_id":"orders","where":7}""", 400, "where must be a text"), ("""{"table_id":"orders","where":"id = 'x'"}""", 400, "Conversion Error"), ("""{"table_id":"orders","select":[null]}""", 400, "text"),
        ])
        {
            var answer = await shop.AsAnalystAsync("POST", Scan, body);
            if (answer.Status != status || !answer.Body.Contains(has, StringComparison.Ordinal)) faults.Add($"{body} → {answer.Status} {answer.Body}");
        }

        faults.ShouldBeEmpty();
        (await shop.Server.SendAsync("POST", Scan, """{"table_id":"orders"}""")).Status.ShouldBe(401);
        (await shop.AsAnalystAsync("POST", Scan, """{"table_id":"salaries"}""")).Body.ShouldBe("""{"detail":"not authorized"}""");
        (await shop.AsAnalystAsync("POST", Estimate, """{"table_id":"nonsense"}""")).Body.ShouldBe("""{"detail":"not authorized for this table"}""");
        (await shop.AsAdminAsync("POST", Scan, """{"table_id":"nonsense"}""")).Body.ShouldBe("""{"detail":"table not found"}""");
        (await shop.AsAdminAsync("POST", Estimate, """{"table_id":"nonsense"}""")).Body.ShouldBe("""{"detail":"table nonsense not found"}""");
    }

    [Fact]
    public async Task A_scan_is_audited_counted_and_cut_to_what_is_allowed()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { Scan = options.Scan with { ResultBytesMax = 3_000, BytesPerDay = 20_000 } });
        var (status, headers, file) = await ScanAsync(shop, shop.Analyst, """{"table_id":"orders","where":"id >= 0 AND name <> 'marker-7'","order_by":["id"]}""");
        status.ShouldBe(200);
        headers.TryGetValues("X-Agnes-Truncated", out var cut).ShouldBeTrue();
        cut!.Single().ShouldBe("true");
        file.Length.ShouldBeInRange(1_000, 3_000);
        var kept = long.Parse(Ask("SELECT count(*)", file), System.Globalization.CultureInfo.InvariantCulture);
        kept.ShouldBeInRange(50, 999);
        Ask("SELECT max(id)", file).ShouldBe($"{kept - 1}");

        var entry = (await shop.Server.AuditAsync()).Last(row => row.Action == "scan");
        (entry.Resource, entry.Result).ShouldBe(("table:orders", "ok"));
        entry.Params!.ShouldNotContain("marker-7");
        JsonNode.Parse(entry.Params!)!["bytes"]!.GetValue<long>().ShouldBe(file.Length);

        for (var i = 0; i < 10 && status == 200; i++)
        {
            await shop.Server.State.FlushAsync();
            (status, _, file) = await ScanAsync(shop, shop.Analyst, """{"table_id":"orders"}""");
        }

        status.ShouldBe(429);
        var refusal = JsonNode.Parse(file)!["detail"]!;
        ((string?)refusal["error"], (string?)refusal["kind"]).ShouldBe(("quota_exceeded", "daily_bytes"));
        refusal["retry_after_seconds"]!.GetValue<int>().ShouldBeInRange(1, 86_400);
        shop.Server.Time.Advance(TimeSpan.FromDays(1));
        await shop.SignInAgainAsync();
        (await shop.AsAdminAsync("POST", Scan, """{"table_id":"orders","limit":1}""")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_client_that_names_no_form_gets_an_arrow_stream_with_all_rows_and_an_end()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        foreach (var (body, rows, fields) in ((string, long, int)[])[("""{"table_id":"orders"}""", 1000, 3), ("""{"table_id":"orders","select":["name"],"where":"id < 0"}""", 0, 1)])
        {
            var (status, headers, stream) = await ScanAsync(shop, shop.Analyst, body, "*/*");
            (status, headers.ContentType!.MediaType).ShouldBe((200, "application/vnd.apache.arrow.stream"));
            using var reader = new ArrowStreamReader(new MemoryStream(stream)); // Apache's own
            var (seen, ids) = (0L, 0L);
            while (reader.ReadNextRecordBatch() is { } batch)
            {
                using var read = batch;
                seen += read.Length;
                if (fields > 1) ids += ((Int64Array)read.Column("id")).Values.ToArray().Sum();
            }

            (seen, reader.Schema.FieldsList.Count).ShouldBe((rows, fields));
            if (fields > 1) ids.ShouldBe(long.Parse(Ask("SELECT sum(id)", (await ScanAsync(shop, shop.Analyst, body)).File), System.Globalization.CultureInfo.InvariantCulture));
            stream[^8..].ShouldBe([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]); // its end
        }
    }

    private static async Task<(int Status, HttpContentHeaders Headers, byte[] File)> ScanAsync(Shop shop, string token, string body, string accept = "application/vnd.apache.parquet")
    {
        using var client = new HttpClient { BaseAddress = new Uri(shop.Server.Url) };
        using var request = new HttpRequestMessage(HttpMethod.Post, Scan) { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Accept.ParseAdd(accept);
        using var response = await client.SendAsync(request);
        var file = await response.Content.ReadAsByteArrayAsync();
        if (response.Headers.TryGetValues("X-Agnes-Truncated", out var cut)) response.Content.Headers.TryAddWithoutValidation("X-Agnes-Truncated", cut);
        return ((int)response.StatusCode, response.Content.Headers, file);
    }

    private static string Ask(string select, byte[] file)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["result.parquet"], file);
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = new DuckDBCommand($"{select} FROM read_parquet('{folder["result.parquet"]}')", connection);
        return $"{command.ExecuteScalar()}";
    }
}
