using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>What a table's rows look like: right to the number, made once for each version, and only for whoever may read the table.</summary>
public sealed class ProfileTests(Postgres postgres)
{
    private const string Address = "/api/catalog/profile/things";

    private const string Things =
        """
        SELECT i AS id, CAST(i * 1.25 AS DECIMAL(12,2)) AS price, CASE WHEN i % 10 = 0 THEN 'NaN'::DOUBLE WHEN i = 1 THEN 'Infinity'::DOUBLE ELSE i / 4.0 END AS ratio,
            CASE WHEN i % 4 = 0 THEN 'rare' ELSE 'common' END AS kind, i % 4 = 0 AS flag, DATE '2026-01-01' + i::INTEGER AS day, TIMESTAMP '2026-01-01 00:00:00' + to_hours(i) AS moment,
            CAST(NULL AS INTEGER) AS nothing, 'x' AS same, 'text ' || i AS "a ""quoted"" name", CASE WHEN i % 5 > 0 THEN i % 5 - 2 END AS small, CASE WHEN i < 60 THEN 0 ELSE 1 END AS naught,
            [i, i] AS list, TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_hours(i) AS zoned, CASE i WHEN 1 THEN 1e308 WHEN 2 THEN -1e308 ELSE i END AS huge, 'v' || (i % 60) AS many,
            CASE WHEN i > 50 THEN DATE 'infinity' ELSE DATE '1900-01-01' + (i * 10)::INTEGER END AS ancient, DATE '0001-01-01' + (i * 30000)::INTEGER AS ages, repeat('ü', 300) AS long,
            i AS n1, i AS n2, i AS n3
        FROM range(1, 101) t(i)
        """;

    [Fact]
    public async Task A_profile_is_right_for_every_type()
    {
        await using var shop = await OpenAsync(StateEngine.DuckDb, Things);
        var askers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => shop.AsAnalystAsync("GET", Address)));
        foreach (var asker in askers) (asker.Status, asker.Body).ShouldBe((200, askers[0].Body)); // one profile for all, although none was there
        var profile = askers[0].Json.AsObject();
        Text(profile, "table_id", "description", "primary_key", "sync_strategy", "row_count", "column_count", "duplicate_rows", "missing_cells", "missing_cells_pct", "avg_completeness", "sampled")
            .ShouldBe("things|all sorts|id|full_refresh|100|22|0|120|5.45|94.55|false");
        profile["variable_types"]!.ToJsonString().ShouldBe("""{"STRING":6,"NUMERIC":10,"DATE":3,"TIMESTAMP":2,"BOOLEAN":1}""");
        profile["date_range"]!.ToJsonString().ShouldBe("""{"earliest":"0083-02-20","latest":"8214-09-22","span_days":2970000}""");
        profile["sample_rows"]!.AsArray().Count.ShouldBe(5);
        profile["sample_rows"]![1]!.AsObject().Take(4).Select(cell => $"{cell.Key}={cell.Value}").ShouldBe(["id=2", "price=2.50", "ratio=0.5", "kind=common"]);
        profile["sample_rows"]![0]!.AsObject().Count.ShouldBe(22);

        var columns = profile["columns"]!.AsArray().ToDictionary(column => (string)column!["name"]!, column => column!.AsObject(), StringComparer.Ordinal);
        string Alerts(string column) => string.Join(',', columns[column]["alerts"]!.AsArray().Select(alert => (string)alert!));
        new[] { "id", "kind", "nothing", "same", "small", "naught", "many", "flag" }.Select(Alerts).ShouldBe(["unique", "imbalance", "high_missing", "constant", "missing", "zeros", "high_cardinality", ""]);
        profile["alerts"]!.AsArray().Select(alert => $"{alert!["column"]}: {alert["type"]}").ShouldContain("naught: zeros");
        Text(columns["id"], "type", "type_category", "completeness_pct", "null_count", "unique_count", "unique_pct", "is_primary_key").ShouldBe("BIGINT|NUMERIC|100|0|100|100|true");
        columns["small"]["sample_values"]!.ToJsonString().ShouldBe("""["-1","0","1","2"]""");
        var id = columns["id"]["numeric_stats"]!.AsObject();
        Text(id, "min", "max", "mean", "median", "stddev", "p5", "p25", "p75", "p95", "zeros", "negative").ShouldBe("1|100|50.5|50.5|29.01|5.95|25.75|75.25|95.05|0|0");
        id["histogram"]!["bins"]![0]!.GetValue<string>().ShouldBe("1-7.60");
        Counts(id).ShouldBe([7, 7, 6, 7, 6, 7, 7, 6, 7, 6, 7, 7, 6, 7, 7]);
        Counts(columns["price"]["numeric_stats"]!).ShouldBe(Counts(id));
        Text(columns["ratio"]["numeric_stats"]!, "min", "max").ShouldBe("0.5|24.75");
        Counts(columns["ratio"]["numeric_stats"]!).Sum().ShouldBe(89); // without NaN and infinity
        Counts(columns["small"]["numeric_stats"]!).ShouldBe([20, 0, 0, 0, 0, 20, 0, 0, 0, 0, 20, 0, 0, 0, 20]);
        Text(columns["huge"]["numeric_stats"]!, "mean", "stddev", "median").ShouldBe("||51.5");
        columns["nothing"].ContainsKey("numeric_stats").ShouldBeFalse();
        columns["kind"]["string_stats"]!.ToJsonString().ShouldBe("""{"min_length":4,"max_length":6,"avg_length":5.5,"top_values":[{"value":"common","count":75,"pct":75},{"value":"rare","count":25,"pct":25}]}""");
        columns["a \"quoted\" name"]["string_stats"]!.ToJsonString().ShouldBe("""{"min_length":6,"max_length":8,"avg_length":6.92}""");
        columns["flag"]["boolean_stats"]!.ToJsonString().ShouldBe("""{"true_count":25,"false_count":75,"true_pct":25}""");
        columns["day"]["date_stats"]!.ToJsonString().ShouldBe("""{"earliest":"2026-01-02","latest":"2026-04-11","span_days":99,"histogram":{"bins":["2026-Q1","2026-Q2"],"counts":[89,11]}}""");
        Text(columns["zoned"]["date_stats"]!, "earliest", "latest", "span_days").ShouldBe("2026-01-01 01:00:00|2026-01-05 04:00:00|4");
        Text(columns["ancient"]["date_stats"]!, "earliest", "latest").ShouldBe("1900-01-11|1901-05-16");
        columns["ages"]["date_stats"]!.AsObject().ContainsKey("histogram").ShouldBeFalse();
        columns["long"]["sample_values"]![0]!.GetValue<string>().Length.ShouldBe(200);

        await IsMadeOnceForEachVersionAsync(shop);
    }

    [Fact]
    [Long]
    public async Task A_large_table_is_sampled_and_nothing_of_a_hidden_one_or_of_the_server_is_told()
    {
        await using var shop = await OpenAsync(StateEngine.Postgres, "SELECT i // 2 AS id FROM range(500002) t(i)");
        Text((await shop.AsAnalystAsync("GET", Address)).Json, "row_count", "sampled", "sampled_rows", "duplicate_rows").ShouldBe("500002|true|500000|250001");

        (await shop.AsAdminAsync("POST", "/api/admin/metrics", """{"id":"c/open","name":"open","display_name":"A","category":"c","table_name":"Things","sql":"SELECT count(*) AS a FROM things"}""")).Status.ShouldBeInRange(200, 201);
        (await shop.AsAdminAsync("POST", "/api/admin/metrics", """{"id":"c/secret","name":"secret","display_name":"B","category":"c","table_name":"Things","sql":"SELECT count(*) AS a FROM things, salaries"}""")).Status.ShouldBeInRange(200, 201);
        (await shop.AsAnalystAsync("GET", Address)).Json["used_by_metrics"]!.ToJsonString().ShouldBe("""[{"name":"open","file":""}]""");
        (await shop.AsAdminAsync("GET", Address)).Json["used_by_metrics"]!.AsArray().Select(metric => (string)metric!["name"]!).ShouldBe(["open", "secret"]);

        foreach (var (method, suffix, missing) in new[] { ("GET", "", "Profile not found for 'never_was'"), ("POST", "/refresh", "No parquet for 'never_was'") })
        {
            var answers = new List<string>();
            foreach (var table in new[] { "salaries", "loose", "never_was" })
            {
                var answer = await shop.AsAnalystAsync(method, $"/api/catalog/profile/{table}{suffix}");
                answer.Status.ShouldBe(403);
                answers.Add(answer.Body.Replace(table, "?", StringComparison.Ordinal));
            }

            answers.Distinct(StringComparer.Ordinal).ShouldBe(["""{"detail":"Access denied to table '?'"}"""]);
            var never = await shop.AsAdminAsync(method, $"/api/catalog/profile/never_was{suffix}");
            (never.Status, never.Body).ShouldBe((404, $$"""{"detail":"{{missing}}"}"""));
        }

        (await KeptAsync(shop)).ShouldBe(["things"]);
        var part = shop.Server.State.Snapshot.PublishedTable("salaries")!.Parts[0].Sha256;
        await File.WriteAllTextAsync(Path.Combine(shop.DataDir, "parts", part[..2], $"{part}.parquet"), "no longer what it was", TestContext.Current.CancellationToken);
        var failed = await shop.AsAdminAsync("POST", "/api/catalog/profile/salaries/refresh");
        (failed.Status, (string)failed.Json["detail"]!).ShouldBe((500, "Profile failed: a part of the table is missing or was changed. An admin can sync the table again."));
        await IsMadeOnceForEachVersionAsync(shop);
    }

    private static async Task IsMadeOnceForEachVersionAsync(Shop shop)
    {
        var first = (await shop.AsAnalystAsync("GET", "/api/catalog/profile/Things")).Json;
        var again = (await shop.AsAdminAsync("GET", Address)).Json;
        ((string)again["profiled_at"]!).ShouldBe((string)first["profiled_at"]!);
        (await shop.AsAnalystAsync("POST", $"{Address}/refresh")).Body.ShouldBe($$"""{"status":"ok","table":"Things","columns":{{first["column_count"]}}}""");

        ForeignExtract.Write(shop.DataDir, "lab", ("Things", "SELECT 7 AS id UNION ALL SELECT 7"));
        (await shop.SyncAsync())["status"]!.GetValue<string>().ShouldBe("ok");
        Text((await shop.AsAnalystAsync("GET", Address)).Json, "row_count", "column_count", "duplicate_rows").ShouldBe("2|1|1");
        Text((await shop.AsAdminAsync("PUT", "/api/admin/registry/things", """{"primary_key":[]}""")).Json, "id").ShouldBe("things");
        Text((await shop.AsAnalystAsync("GET", Address)).Json, "primary_key", "duplicate_rows").ShouldBe("|0");
        var started = await shop.AsAnalystAsync("POST", $"{Address}/refresh", change: request => request.Headers.Add("Prefer", "respond-async"));
        (started.Status, started.Body).ShouldBe((202, """{"status":"queued"}"""));
        (await KeptAsync(shop)).ShouldBe(["things"]);
        (await shop.AsAdminAsync("DELETE", "/api/admin/registry/things")).Status.ShouldBe(204);
        (await KeptAsync(shop)).ShouldBeEmpty();
    }

    private static string Text(JsonNode fields, params string[] names) => string.Join('|', names.Select(name => fields[name]?.ToJsonString().Trim('"') ?? ""));

    private static IEnumerable<int> Counts(JsonNode stats) => stats["histogram"]!["counts"]!.AsArray().Select(count => (int)count!);

    private static Task<IReadOnlyList<string>> KeptAsync(Shop shop) => shop.Server.State.ReadAsync<string>("SELECT table_id FROM table_profiles ORDER BY table_id", cancellation: TestContext.Current.CancellationToken);

    private async Task<Shop> OpenAsync(StateEngine engine, string select)
    {
        var shop = await Shop.OpenAsync(engine, postgres, options =>
        {
            ForeignExtract.Write(options.DataDir, "lab", ("Things", select));
            return options;
        });
        await shop.EventuallyAsync(() => shop.Server.State.Snapshot.PublishedTable("Things") is not null, "the things were published");
        await shop.RegisterAsync("""{"name":"Things","source_type":"keboola","description":"all sorts","primary_key":["id"]}""");
        await shop.GrantAsync("things");
        return shop;
    }
}
