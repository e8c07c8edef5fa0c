using System.Text.Json.Nodes;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>A PostgreSQL as a source that is asked, over HTTP: its broker is the real program, in its walls.</summary>
public sealed class PostgresSourceTests(Postgres postgres) : IAsyncLifetime
{
    private const string Password = "s3cret-of-the-reader";
    private readonly string _role = $"reader_{Guid.NewGuid():N}";
    private NpgsqlDataSource _database = null!;
    private Shop _shop = null!;
    private string _name = null!;

    public async ValueTask InitializeAsync()
    {
        var address = await postgres.NewDatabaseAsync();
        _name = new NpgsqlConnectionStringBuilder(address).Database!;
        _database = NpgsqlDataSource.Create(address);
        await _database.ExecuteAsync($"CREATE ROLE {_role} LOGIN PASSWORD '{Password}'");
        await _database.ExecuteAsync("CREATE TABLE sales (id bigint, amount numeric(21,1), customer text, day date)");
        await _database.ExecuteAsync("""
            INSERT INTO sales SELECT i, i * 1.5, 'customer ' || i % 10, DATE '2026-01-01' + i::integer FROM generate_series(0::bigint, 999) t(i)
            """);
        await _database.ExecuteAsync("CREATE TABLE payroll AS SELECT 'secret' AS who");
        await _database.ExecuteAsync("CREATE FUNCTION forever() RETURNS bigint LANGUAGE plpgsql COST 1 AS 'BEGIN PERFORM pg_sleep(600); RETURN 1; END'");
        await _database.ExecuteAsync("CREATE VIEW endless AS SELECT forever() AS id");
        await _database.ExecuteAsync($"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {_role}");
        await _database.ExecuteAsync("ANALYZE");
        _shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { AllowedPrivateHosts = [postgres.Address] });
        await ConnectAsync("depot", postgres.Address);
        await _shop.AsAdminAsync("PUT", "/api/admin/secrets/AGNES_CONNECTION_DEPOT_PASSWORD", $$"""{"value":"{{Password}}"}""");
        foreach (var table in (string[])["sales", "endless", "payroll"]) await RegisterAsync(table, "depot");
        foreach (var table in (string[])["sales", "endless"]) await _shop.GrantAsync(table);
    }

    public async ValueTask DisposeAsync()
    {
        await _shop.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task It_is_described_sampled_queried_and_taken_in_part()
    {
        var schema = await _shop.AsAnalystAsync("GET", "/api/v2/schema/sales");
        schema.Status.ShouldBe(200, schema.Body);
        schema.Json["columns"]!.AsArray().Select(column => $"{column!["name"]} {column["type"]}")
            .ShouldBe(["id BIGINT", "amount DECIMAL(21,1)", "customer VARCHAR", "day DATE"]);
        (await _shop.AsAnalystAsync("GET", "/api/v2/sample/sales?n=2")).Json["rows"]!.AsArray().Count.ShouldBe(2);
        (await _shop.RowsAsync("SELECT customer, count(*) AS n, avg(id) AS a FROM Sales WHERE id < 15 GROUP BY 1 ORDER BY 1 LIMIT 2"))
            .ShouldBe("""[["customer 0",2,5.0],["customer 1",2,6.0]]""");
        (await _shop.RowsAsync("SELECT sum(s.amount - o.amount) AS same, count(*) AS n FROM orders o JOIN sales s USING (id)"))
            .ShouldBe("""[["0.0",1000]]""");

        const string Scan = """
            {"table_id":"sales","select":["id","day"],"where":"customer = 'customer 3' AND id > 900","order_by":["id DESC"],"limit":2}
            """;
        var scan = await _shop.AsAnalystAsync(
            "POST", "/api/v2/scan", Scan, request => request.Headers.Add("Accept", "application/vnd.apache.parquet"));
        (scan.Status, scan.Body.StartsWith("PAR1", StringComparison.Ordinal)).ShouldBe((200, true), scan.Body);
        var estimate = await _shop.AsAnalystAsync("POST", "/api/v2/scan/estimate", """{"table_id":"sales","limit":10}""");
        estimate.Json["estimated_scan_bytes"]!.GetValue<long>().ShouldBeGreaterThan(10_000);
    }

    [Fact]
    public async Task What_is_not_known_to_mean_the_same_is_refused_with_what_to_do_and_hidden_stays_hidden()
    {
        var unknown = await _shop.QueryAsync("SELECT reverse(customer) FROM sales");
        (unknown.Status, unknown.Body.Contains("agnes snapshot create", StringComparison.Ordinal)).ShouldBe((400, true), unknown.Body);
        unknown.Body.ShouldContain("reverse");
        (await _shop.QueryAsync("SELECT a.* FROM sales a, sales b, sales c")).Json["detail"]!["reason"]!.GetValue<string>()
            .ShouldBe("remote_scan_too_large");
        foreach (var sql in (string[])["SELECT * FROM {0}", "SELECT * FROM sales, {0}", "SELECT (SELECT max(who) FROM {0}) FROM sales"])
        {
            var hidden = await _shop.QueryAsync(sql.Replace("{0}", "payroll", StringComparison.Ordinal));
            var nothing = await _shop.QueryAsync(sql.Replace("{0}", "nothing", StringComparison.Ordinal));
            (hidden.Status, hidden.Body.Replace("payroll", "it", StringComparison.Ordinal))
                .ShouldBe((403, nothing.Body.Replace("nothing", "it", StringComparison.Ordinal)));
        }

        await _database.ExecuteAsync("DROP TABLE payroll");
        var gone = await _shop.AsAdminAsync("POST", "/api/query", """{"sql":"SELECT * FROM payroll"}""");
        (gone.Status, gone.Body.Contains("at 'depot'. Ask an admin to look at its registration", StringComparison.Ordinal))
            .ShouldBe((502, true), gone.Body);
    }

    [Fact]
    public async Task A_question_ends_there_when_its_asker_leaves_or_the_connection_changes()
    {
        using var patience = new CancellationTokenSource();
        using var client = new HttpClient { BaseAddress = new Uri(_shop.Server.Url) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", _shop.Analyst);
        using var body = new StringContent("""{"sql":"SELECT id FROM endless"}""", System.Text.Encoding.UTF8, "application/json");
        var leaving = client.PostAsync(new Uri("/api/query", UriKind.Relative), body, patience.Token);
        await _database.UntilRunningAsync(1);
        await patience.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => leaving);
        await _database.UntilRunningAsync(0);

        var asking = _shop.QueryAsync("SELECT id FROM endless");
        await _database.UntilRunningAsync(1);
        await ChangeAsync("depot", """{"statement_timeout":100}""");
        (await asking).Status.ShouldBe(502);
        await _database.UntilRunningAsync(0);
        (await _shop.RowsAsync("SELECT count(*) AS n FROM sales")).ShouldBe("[[1000]]");
    }

    [Fact]
    public async Task What_a_statement_would_do_is_said_and_not_done()
    {
        async Task<Answer> ExplainAsync(string sql) =>
            await _shop.AsAnalystAsync("POST", "/api/query/explain", new JsonObject { ["sql"] = sql }.ToJsonString());

        var pushed = await ExplainAsync("SELECT count(*) FROM sales WHERE id < 15");
        pushed.Status.ShouldBe(200, pushed.Body);
        pushed.Json["path"]!.GetValue<string>().ShouldBe("push_down");
        var step = pushed.Json["steps"]!.AsArray().ShouldHaveSingleItem()!;
        (step["runs_at"]!.GetValue<string>(), step["fits"]!.GetValue<bool>(), step["bytes"]!.GetValue<long>() > 0, step["bytes_max"]!.GetValue<long>())
            .ShouldBe(("depot", true, true, 5L << 30));
        var left = pushed.Json["left_today"]!;
        (left["bytes"]!.GetValue<long>() > 1L << 30, left["statements"] is null, left["cost_usd"] is null).ShouldBe((true, true, true), pushed.Body);

        var mixed = await ExplainAsync("SELECT count(*) FROM orders JOIN sales USING (id)");
        mixed.Json["path"]!.GetValue<string>().ShouldBe("mixed");
        mixed.Json["steps"]!.AsArray().Select(part => part!["runs_at"]!.GetValue<string>()).ShouldBe(["depot", "server"]);

        var local = await ExplainAsync("SELECT count(*) FROM orders");
        (local.Json["path"]!.GetValue<string>(), local.Json["steps"]![0]!["rows"]!.GetValue<long>()).ShouldBe(("local", 1000L));
        local.Json["left_today"].ShouldBeNull("no source is asked");

        await _shop.RowsAsync("SELECT count(*) FROM sales WHERE id < 15");
        var spent = (await ExplainAsync("SELECT count(*) FROM sales WHERE id < 15")).Json["left_today"]!["bytes"]!.GetValue<long>();
        spent.ShouldBeLessThan(left["bytes"]!.GetValue<long>());

        (await ExplainAsync("SELECT * FROM payroll")).Status.ShouldBe(403);
        var refused = await ExplainAsync("SELECT reverse(customer) FROM sales");
        (refused.Status, refused.Json["steps"]![0]!["fits"]!.GetValue<bool>()).ShouldBe((200, false), refused.Body);
        (await ExplainAsync("DELETE FROM sales")).Status.ShouldBe(400);
    }

    [Fact]
    public async Task Its_own_time_ends_a_question_too_and_its_words_do_not_leave()
    {
        await ChangeAsync("depot", """{"statement_timeout":1}""");
        var late = await _shop.QueryAsync("SELECT id FROM endless");
        (late.Status, late.Body.Contains("'depot' ended the query", StringComparison.Ordinal)).ShouldBe((400, true), late.Body);
        var zero = await _shop.QueryAsync("SELECT 1 / (id - 3) FROM sales");
        zero.Body.ShouldContain("NULLIF");
        await _database.ExecuteAsync("""
            CREATE FUNCTION shout() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'payroll of example' USING ERRCODE = '22023'; END$$
            """);
        await _database.ExecuteAsync("CREATE OR REPLACE VIEW endless AS SELECT shout() AS id");
        var shouted = await _shop.QueryAsync("SELECT id FROM endless");
        (shouted.Status, shouted.Body.Contains("payroll", StringComparison.Ordinal)).ShouldBe((400, false), shouted.Body);
    }

    [Fact]
    public async Task A_connection_leads_to_no_private_host_that_the_operator_has_not_named_and_says_what_is_wrong_with_it()
    {
        const string Wrong = """
            {"name":"x","kind":"postgresql","settings":{"host":"db.example.com","database":"d","user":"u","ssl_mode":"maybe"}}
            """;
        (await _shop.AsAdminAsync("POST", "/api/admin/connections", Wrong)).Body.ShouldContain("ssl_mode must be");
        await ConnectAsync("inner", "127.0.0.99");
        await RegisterAsync("lost", "inner", "sales");
        var refused = await _shop.AsAdminAsync("POST", "/api/query", """{"sql":"SELECT * FROM lost"}""");
        (refused.Status, refused.Body.Contains("private or reserved network", StringComparison.Ordinal))
            .ShouldBe((502, true), refused.Body);
    }

    [Fact]
    [Long]
    public async Task Its_broker_is_one_process_that_ends_with_the_server_and_is_replaced()
    {
        var brokers = _shop.Server.Services.GetRequiredService<RemoteBrokers>();
        await _shop.RowsAsync("SELECT count(*) AS n FROM sales");
        var process = brokers.ProcessIds().ShouldHaveSingleItem();
        (await File.ReadAllTextAsync($"/proc/{process}/cmdline")).ShouldNotContain(Password);
        (await File.ReadAllTextAsync($"/proc/{process}/environ")).ShouldNotContain(Password);
        using (var broker = System.Diagnostics.Process.GetProcessById(process)) broker.Kill();
        await _shop.EventuallyAsync(() => brokers.ProcessIds().Length == 0, "it has ended");
        (await _shop.RowsAsync("SELECT count(*) AS n FROM sales")).ShouldBe("[[1000]]");

        var asking = _shop.QueryAsync("SELECT id FROM endless");
        await _database.UntilRunningAsync(1);
        using (var broker = System.Diagnostics.Process.GetProcessById(brokers.ProcessIds().ShouldHaveSingleItem())) broker.Kill();
        (await asking).Status.ShouldBe(502);
        await _database.UntilRunningAsync(0);
    }

    private async Task ConnectAsync(string name, string host)
    {
        var settings = new JsonObject { ["host"] = host, ["database"] = _name, ["user"] = _role, ["ssl_mode"] = "disable" };
        var body = new JsonObject { ["name"] = name, ["kind"] = "postgresql", ["settings"] = settings };
        var answer = await _shop.AsAdminAsync("POST", "/api/admin/connections", body.ToJsonString());
        answer.Status.ShouldBe(201, answer.Body);
    }

    private async Task ChangeAsync(string name, string settings)
    {
        var answer = await _shop.AsAdminAsync("PUT", $"/api/admin/connections/{name}", $$"""{"settings":{{settings}}}""");
        answer.Status.ShouldBe(200, answer.Body);
    }

    private Task RegisterAsync(string name, string connection, string? table = null) => _shop.RegisterAsync(
        new JsonObject
        {
            ["name"] = name,
            ["source_type"] = "postgres",
            ["query_mode"] = "remote",
            ["connection"] = connection,
            ["source_table"] = table ?? name,
        }.ToJsonString());
}
