using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Emulators.BigQuery;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>BigQuery as a source that is asked, over HTTP: its broker is the real program, in its walls, and asks an emulator.</summary>
public sealed partial class BigQuerySourceTests(Postgres postgres) : IAsyncLifetime
{
    private const string Data = BigQueryShop.Data;
    private const string Billing = BigQueryShop.Billing;
    private BigQueryShop _world = null!;
    private BigQueryServer _cloud = null!;
    private Shop _shop = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await BigQueryShop.OpenAsync(postgres);
        (_cloud, _shop) = (_world.Cloud, _world.Shop);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task It_is_described_sampled_queried_and_taken_in_part()
    {
        var schema = await _shop.AsAnalystAsync("GET", "/api/v2/schema/bought");
        schema.Status.ShouldBe(200, schema.Body);
        schema.Json["columns"]!.AsArray().Select(column => $"{column!["name"]} {column["type"]}")
            .ShouldBe(["id BIGINT", "name VARCHAR", "price DECIMAL(38,9)", "day DATE", "tags VARCHAR[]"]);
        var sample = await _shop.AsAnalystAsync("GET", "/api/v2/sample/bought?n=2");
        sample.Status.ShouldBe(200, sample.Body);
        sample.Json["rows"]!.AsArray().Count.ShouldBe(2);
        (await _shop.RowsAsync("SELECT COUNT(*) AS n, SUM(price) AS s FROM bought")).ShouldBe("""[[7,"29.750000000"]]""");
        (await _shop.RowsAsync("SELECT o.name, b.price FROM orders o JOIN bought b ON b.id = o.id ORDER BY b.id LIMIT 1"))
            .ShouldBe("""[["name 1","1.250000000"]]""");
        const string Part = "SELECT o.name, b.price FROM orders o JOIN bought b ON b.id = o.id "
            + "WHERE b.day >= DATE '2026-01-07' AND o.name LIKE '%'";
        (await _shop.RowsAsync($"{Part} AND b.price < 7 ORDER BY b.id")).ShouldBe("""[["name 6","6.250000000"]]""");
        _cloud.Jobs[^1].Sql.ShouldBe(
            "SELECT `id`, `name`, `price`, `day` FROM `data-project.sales.orders_v2` "
            + "WHERE (`day` >= DATE '2026-01-07') AND (`price` < NUMERIC '7')");
    }

    [Fact]
    public async Task Its_own_dialect_is_read_here_and_only_what_was_written_anew_is_sent()
    {
        const string Marker = "marker of a comment";
        foreach (var table in (string[])["bought", "sales.orders_v2", "bq.sales.orders_v2", "bq.\"sales\".\"orders_v2\"",
            "`data-project.sales.orders_v2`", "`data-project`.sales.orders_v2"])
            (await _shop.RowsAsync($"SELECT /* {Marker} */ SAFE_DIVIDE(SUM(id), 7) AS a FROM {table} WHERE name != r'\\d' -- {Marker}"))
                .ShouldBe("[[4.0]]", table);
        (await _shop.RowsAsync("WITH x AS (SELECT id FROM bought) SELECT COUNTIF(id > 3) AS n FROM x")).ShouldBe("[[4]]");
        var jobs = _cloud.Jobs;
        jobs.Count.ShouldBe(7);
        foreach (var job in jobs)
        {
            job.Sql.ShouldContain("`data-project.sales.orders_v2`");
            job.Sql.ShouldNotContain(Marker);
            (job.Project, job.Labels["connection"]).ShouldBe((Billing, "warehouse"));
        }

        var audit = (await _shop.Server.AuditAsync()).Last(row => row.Action == "query");
        JsonNode.Parse(audit.Params!)!["tables"]!.ToJsonString().ShouldBe("""["bought"]""");
    }

    [Fact]
    public async Task A_path_is_what_is_registered_and_granted_and_hidden_is_as_nothing()
    {
        foreach (var path in (string[])["bq.hr.{0}", "`data-project.hr.{0}`", "hr.{0}", "bq.\"hr\".\"{0}\" AS x, bought", "{0}, bought"])
        {
            var sql = $"SELECT 1 FROM {path}";
            var hidden = await _shop.QueryAsync(sql.Replace("{0}", "secrets", StringComparison.Ordinal));
            var nothing = await _shop.QueryAsync(sql.Replace("{0}", "nothing", StringComparison.Ordinal));
            (hidden.Status, hidden.Body.Replace("secrets", "it", StringComparison.Ordinal))
                .ShouldBe((403, nothing.Body.Replace("nothing", "it", StringComparison.Ordinal)), path);
            if (path.Contains('.', StringComparison.Ordinal) && !path.StartsWith("hr", StringComparison.Ordinal))
                hidden.Json["detail"]!["reason"]!.GetValue<string>().ShouldBe("bq_path_access_denied", path);
        }

        var missing = await AsAdminAsync("SELECT * FROM bq.sales.nope");
        (missing.Status, missing.Json["detail"]!["reason"]!.GetValue<string>(), missing.Json["detail"]!["path"]!.GetValue<string>())
            .ShouldBe((403, "bq_path_not_registered", "bq.\"sales\".\"nope\""));
        var other = await _shop.QueryAsync("SELECT * FROM `other-project.sales.orders_v2`");
        (other.Status, other.Json["detail"]!["reason"]!.GetValue<string>(), other.Json["detail"]!["expected_project"]!.GetValue<string>())
            .ShouldBe((403, "bq_path_cross_project", Data));
        (await AsAdminAsync("SELECT COUNT(*) AS n FROM bq.hr.secrets")).Json["rows"]!.ToJsonString().ShouldBe("[[1]]");
        _cloud.Jobs.Count.ShouldBe(1, "the admin's own");
    }

    [Fact]
    public async Task A_view_may_be_read_with_what_it_reads()
    {
        (await _shop.RowsAsync("SELECT who, COUNT(*) AS n FROM cheap GROUP BY who")).ShouldBe("""[["secret",3]]""");
    }

    [Fact]
    public async Task What_would_read_too_much_is_refused_before_it_is_run_with_a_way_on()
    {
        var refused = await _shop.QueryAsync("SELECT id FROM huge LIMIT 1");
        refused.Status.ShouldBe(400, refused.Body);
        var detail = refused.Json["detail"]!;
        (detail["reason"]!.GetValue<string>(), detail["limit_bytes"]!.GetValue<long>()).ShouldBe(("remote_scan_too_large", 5L << 30));
        (detail["tables"]!.ToJsonString(), detail["view_targets"]!.ToJsonString()).ShouldBe(("""["sales.huge"]""", "[]"));
        detail["scan_bytes"]!.GetValue<long>().ShouldBeGreaterThan(5L << 30);
        detail["suggestion"]!.GetValue<string>().ShouldContain("agnes snapshot create huge --where");
        var view = (await _shop.QueryAsync("SELECT id FROM wide LIMIT 1")).Json["detail"]!;
        (view["view_targets"]!.ToJsonString(), view["suggestion"]!.GetValue<string>().Contains("LIMIT", StringComparison.Ordinal))
            .ShouldBe(("""["wide"]""", true));
        _cloud.Jobs.ShouldBeEmpty();

        (await _world.ChangeAsync("""{"bq_max_scan_bytes":0}""")).Status.ShouldBe(200);
        (await _shop.RowsAsync("SELECT COUNT(id) AS n FROM huge")).ShouldBe("[[1000]]");
    }

    [Fact]
    public async Task A_scan_is_made_in_its_dialect_and_its_cost_is_said()
    {
        const string Scan = """
            {"table_id":"bought","select":["id","day"],"where":"day >= DATE '2026-01-03' AND name LIKE 'n%' /* x */",
            "order_by":["id DESC"],"limit":2}
            """;
        var scan = await _shop.AsAnalystAsync(
            "POST", "/api/v2/scan", Scan, request => request.Headers.Add("Accept", "application/vnd.apache.parquet"));
        (scan.Status, scan.Body.StartsWith("PAR1", StringComparison.Ordinal), scan.Header("X-Agnes-Truncated")).ShouldBe((200, true, null));
        _cloud.Jobs.ShouldHaveSingleItem().Sql.ShouldBe(
            "SELECT `id`, `day` FROM `data-project.sales.orders_v2` WHERE day >= DATE '2026-01-03' AND name LIKE 'n%' "
            + "ORDER BY `id` DESC LIMIT 3");
        var rejected = await _shop.AsAnalystAsync(
            "POST", "/api/v2/scan", """{"table_id":"bought","where":"id IN (SELECT 1 FROM hr.secrets)"}""");
        (rejected.Status, rejected.Json["detail"]!["kind"]!.GetValue<string>()).ShouldBe((400, "nested_select"));
        const string Estimate = """{"table_id":"huge","select":["id"],"limit":10}""";
        var estimate = (await _shop.AsAnalystAsync("POST", "/api/v2/scan/estimate", Estimate)).Json;
        (estimate["estimated_scan_bytes"]!.GetValue<long>(), estimate["estimated_result_rows"]!.GetValue<long>())
            .ShouldBe((8000L << 20, 10));
        estimate["bq_cost_estimate_usd"]!.GetValue<double>().ShouldBe(0.0381);
        var schema = (await _shop.AsAnalystAsync("GET", "/api/v2/schema/bought")).Json;
        (schema["sql_flavor"]!.GetValue<string>(), schema["where_dialect_hints"]!.AsObject().Count).ShouldBe(("bigquery", 5));
        (schema["partition_by"]!.GetValue<string>(), schema["clustered_by"]!.ToJsonString()).ShouldBe(("day", """["name"]"""));
    }

    [Fact]
    public async Task A_failure_has_the_shape_of_its_family()
    {
        foreach (var (reason, kind, status) in ((string, string, int)[])[("accessDenied", "bq_forbidden", 502),
            ("serviceusage", "cross_project_forbidden", 502), ("responseTooLarge", "bq_response_too_large", 400),
            ("invalidQuery", "bq_bad_request", 400), ("notFound", "bq_upstream_error", 502), ("authError", "auth_failed", 502)])
        {
            _cloud.Break(Call.JobsInsert, Trouble.Of(reason), times: 20);
            var query = await _shop.QueryAsync("SELECT id FROM bought");
            (query.Status, query.Json["detail"]!["kind"]!.GetValue<string>())
                .ShouldBe((status, kind == "bq_bad_request" ? "remote_estimate_failed" : kind), query.Body);
            query.Json["detail"]!["message"]!.GetValue<string>().ShouldNotBeEmpty();
            var sample = await _shop.AsAnalystAsync("GET", "/api/v2/sample/cheap"); // a view: it is asked by a statement
            (sample.Status, sample.Json["detail"]!["error"]!.GetValue<string>(), sample.Json["detail"]!["details"] is JsonObject)
                .ShouldBe((status, kind, true), sample.Body);
            foreach (var body in (string[])[query.Body, sample.Body]) body.ShouldNotContain("payroll");
            if (kind == "cross_project_forbidden")
            {
                query.Json["detail"]!["billing_project"]!.GetValue<string>().ShouldBe(Billing);
                sample.Json["detail"]!["details"]!["hint"]!.GetValue<string>().ShouldNotBeEmpty();
            }

            _cloud.Mend();
        }
    }

    /// <summary>
    /// The list of the rewriter's own tests, asked of the server by whoever was granted one table of it: what must be refused is, and
    /// nothing of it reaches BigQuery.
    /// </summary>
    [Fact]
    [Long]
    public async Task No_statement_of_the_list_leads_past_the_guard()
    {
        using var stream = typeof(BigQuerySourceTests).Assembly.GetManifestResourceStream("references.txt")!;
        using var reader = new StreamReader(stream);
        var asked = 0;
        while (await reader.ReadLineAsync() is { } line)
        {
            var (statement, expected) = (line.Split('\t')[0].Replace('⏎', '\n'), line.Split('\t')[1]);
            var sql = Named().Replace(statement.Replace("warehouse-1", Data, StringComparison.Ordinal), "bought");
            var answer = await _shop.QueryAsync(sql);
            if (!Refused().IsMatch(expected)) continue;
            asked++;
            answer.Body.ShouldNotContain("registered_as");
            // One is a statement of the engine's, and reads nothing.
            if (sql.StartsWith("WITH RECURSIVE a AS (SELECT 1 ", StringComparison.Ordinal)) continue;
            answer.Status.ShouldBeOneOf([400, 403], $"{sql}: {answer.Body}");
        }

        asked.ShouldBeGreaterThan(80);
        foreach (var job in _cloud.Jobs) job.Sql.ShouldNotContain("hr.");
    }

    [Fact]
    public async Task A_job_ends_there_when_its_asker_leaves()
    {
        _cloud.HoldJobs();
        using var patience = new CancellationTokenSource();
        using var client = new HttpClient { BaseAddress = new Uri(_shop.Server.Url) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", _shop.Analyst);
        using var body = new StringContent("""{"sql":"SELECT id FROM bought"}""", System.Text.Encoding.UTF8, "application/json");
        var leaving = client.PostAsync(new Uri("/api/query", UriKind.Relative), body, patience.Token);
        await _shop.EventuallyAsync(() => _cloud.Jobs.Count == 1, "the job runs");
        await patience.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => leaving);
        await _shop.EventuallyAsync(() => _cloud.Jobs[0].IsCancelled, "the job is cancelled");
    }

    [Fact]
    public async Task A_statement_is_billed_once_when_its_broker_is_killed_after_it_was_sent()
    {
        _cloud.HoldJobs();
        var asking = _shop.RowsAsync("SELECT COUNT(*) AS n, SUM(id) AS s FROM bought");
        await _shop.EventuallyAsync(() => _cloud.Jobs.Count == 1, "the job runs");
        var process = _shop.Server.Services.GetRequiredService<RemoteBrokers>().ProcessIds().ShouldHaveSingleItem();
        using (var broker = System.Diagnostics.Process.GetProcessById(process)) broker.Kill();
        await Task.Delay(TimeSpan.FromMilliseconds(200));
        _cloud.ReleaseJobs();
        (await asking).ShouldBe("[[7,28]]");
        _cloud.Jobs.ShouldHaveSingleItem().BytesBilled.ShouldBe(10 << 20);
    }

    [Fact]
    public async Task An_admin_tests_a_connection()
    {
        const string Test = "/api/admin/bigquery/test-connection";
        var named = await _shop.AsAdminAsync("POST", $"{Test}?connection=warehouse");
        (named.Status, named.Json["ok"]!.GetValue<bool>(), named.Text("billing_project"), named.Text("data_project"))
            .ShouldBe((200, true, Billing, Data));
        var unset = await _shop.AsAdminAsync("POST", Test);
        (unset.Status, unset.Json["detail"]!["kind"]!.GetValue<string>()).ShouldBe((400, "not_configured"), unset.Body);
        (await _shop.AsAnalystAsync("POST", Test)).Status.ShouldBe(403);
        (await _shop.AsAdminAsync("POST", $"{Test}?connection=nowhere")).Status.ShouldBe(404);
        _cloud.Break(Call.JobsInsert, Trouble.Of("accessDenied"), times: 2);
        var refused = await _shop.AsAdminAsync("POST", $"{Test}?connection=warehouse");
        (refused.Status, refused.Json["detail"]!["kind"]!.GetValue<string>()).ShouldBe((502, "bq_forbidden"), refused.Body);
    }

    private Task<Answer> AsAdminAsync(string sql) =>
        _shop.AsAdminAsync("POST", "/api/query", new JsonObject { ["sql"] = sql }.ToJsonString());

    [GeneratedRegex(@"(?i)\borders\b")]
    private static partial Regex Named();

    [GeneratedRegex(@"\A(TableDenied|Broken|FunctionDenied|NotASelect)\b")]
    private static partial Regex Refused();
}
