using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Engine.Query.Workers;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>Queries that become tables: of a PostgreSQL, whose broker is the real program, and over other tables.</summary>
public sealed class MaterializedTests(Postgres postgres) : IAsyncLifetime
{
    private readonly string _role = $"reader_{Guid.NewGuid():N}";
    private NpgsqlDataSource _database = null!;
    private Shop _shop = null!;
    private string _name = null!;

    public async ValueTask InitializeAsync()
    {
        var address = await postgres.NewDatabaseAsync();
        _name = new NpgsqlConnectionStringBuilder(address).Database!;
        _database = NpgsqlDataSource.Create(address);
        await _database.ExecuteAsync($"CREATE ROLE {_role} LOGIN PASSWORD 'secret'");
        await _database.ExecuteAsync("CREATE SCHEMA shop");
        await _database.ExecuteAsync("CREATE TABLE shop.sales (id bigint, amount numeric(21,1), customer text, day date)");
        await _database.ExecuteAsync("""
            INSERT INTO shop.sales SELECT i, i * 1.5, 'customer ' || i % 10, DATE '2026-01-01' + i::integer
            FROM generate_series(0::bigint, 999) t(i)
            """);
        await _database.ExecuteAsync(
            "CREATE TABLE regions AS SELECT 'customer ' || i AS customer, 'region ' || i % 2 AS region FROM generate_series(0, 9) t(i)");
        await _database.ExecuteAsync(
            "CREATE FUNCTION forever() RETURNS bigint LANGUAGE plpgsql COST 1 AS 'BEGIN PERFORM pg_sleep(600); RETURN 1; END'");
        await _database.ExecuteAsync("CREATE VIEW endless AS SELECT forever() AS id");
        await _database.ExecuteAsync("CREATE TABLE hidden AS SELECT 1 AS id");
        await _database.ExecuteAsync($"GRANT USAGE ON SCHEMA shop TO {_role}");
        await _database.ExecuteAsync($"GRANT SELECT ON shop.sales, regions, endless TO {_role}");
        await _database.ExecuteAsync("ANALYZE");
        _shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { AllowedPrivateHosts = [postgres.Address] });
        var settings = new JsonObject { ["host"] = postgres.Address, ["database"] = _name, ["user"] = _role, ["ssl_mode"] = "disable" };
        var body = new JsonObject { ["name"] = "depot", ["kind"] = "postgres", ["settings"] = settings };
        (await _shop.AsAdminAsync("POST", "/api/admin/connections", body.ToJsonString())).Status.ShouldBe(201);
        await _shop.AsAdminAsync("PUT", "/api/admin/secrets/AGNES_CONNECTION_DEPOT_PASSWORD", """{"value":"secret"}""");
    }

    public async ValueTask DisposeAsync()
    {
        await _shop.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_query_becomes_a_table_like_any()
    {
        const string Sql = """
            -- by region
            SELECT r.region, count(*) AS n, sum(s.id) AS ids, max(sales_last.day) AS last
            FROM shop.sales s JOIN regions r USING (customer)
                JOIN (SELECT shop.sales.id, shop.sales.day FROM shop.sales) AS sales_last ON sales_last.id = s.id
            GROUP BY 1 ORDER BY 1 -- the end
            """;
        await RegisterAsync("by_region", Sql, "postgres", "depot");
        Reads("by_region").ShouldBe(["shop.sales", "regions"], ignoreOrder: true);
        (await _shop.QueryAsync("SELECT * FROM by_region")).Status.ShouldBe(403);
        await _shop.GrantAsync("by_region");
        (await _shop.QueryAsync("SELECT * FROM by_region")).Body.ShouldContain("no data yet");

        var run = await _shop.SyncAsync("""["by_region"]""");
        run["status"]!.GetValue<string>().ShouldBe("ok", run.ToJsonString());
        (await _shop.RowsAsync("SELECT region, n, ids::BIGINT, last FROM by_region ORDER BY 1"))
            .ShouldBe("""[["region 0",500,249500,"2028-09-25"],["region 1",500,250000,"2028-09-26"]]""");

        var entry = (await _shop.AsAnalystAsync("GET", "/api/sync/manifest")).Json["tables"]!["by_region"]!;
        entry["query_mode"]!.GetValue<string>().ShouldBe("materialized");
        entry["rows"]!.GetValue<long>().ShouldBe(2);
        var file = await _shop.AsAnalystAsync("GET", "/api/data/by_region/download");
        (file.Status, file.Body.StartsWith("PAR1", StringComparison.Ordinal)).ShouldBe((200, true));
        var listed = (await _shop.AsAnalystAsync("GET", "/api/v2/catalog")).Json["tables"]!.AsArray()
            .Single(table => table!["id"]!.GetValue<string>() == "by_region")!;
        listed["query_mode"]!.GetValue<string>().ShouldBe("materialized");
        listed["sql_flavor"]!.GetValue<string>().ShouldBe("duckdb");
        (await _shop.QueryAsync("SELECT * FROM regions")).Status.ShouldBe(403);
    }

    [Fact]
    public async Task A_query_that_would_not_be_answered_is_refused_where_it_is_registered()
    {
        foreach (var (sql, why) in ((string, string)[])
        [
            ("SELECT nothing FROM shop.sales", "nothing"),
            ("SELECT * FROM shop.missing", "is not at 'depot'"),
            ("SELECT * FROM hidden", "may not read"),
            ("DELETE FROM shop.sales", "Only single SELECT"),
            ("SELECT 1; SELECT 2", "Only single SELECT"),
            ("SELECT pg_sleep(1) FROM regions", "pg_sleep"),
            ("SELECT * FROM read_csv('/etc/passwd')", "read_csv"),
            ("SELECT * FROM a.b.c", "three words"),
            ("SELECT FROM FROM", "Parser Error"),
        ])
        {
            foreach (var path in (string[])["register-table", "register-table/precheck"])
            {
                var refused = await _shop.AsAdminAsync("POST", $"/api/admin/{path}", Body("wrong", sql, "postgres", "depot"));
                (refused.Status, refused.Body.Contains(why, StringComparison.Ordinal)).ShouldBe((422, true), $"{sql}: {refused.Body}");
            }
        }
    }

    [Fact]
    public async Task A_run_that_fails_leaves_what_was_there_and_says_why()
    {
        await RegisterAsync("copy", "SELECT id, customer FROM shop.sales WHERE id < 5", "postgres", "depot");
        await _shop.GrantAsync("copy");
        await _shop.SyncAsync("""["copy"]""");
        await _database.ExecuteAsync($"REVOKE SELECT ON shop.sales FROM {_role}");
        var failed = await _shop.SyncAsync("""["copy"]""");
        failed["status"]!.GetValue<string>().ShouldBe("failed");
        failed["error"]!.GetValue<string>().ShouldContain("may not read the table there");
        (await _shop.RowsAsync("SELECT count(*) AS n FROM copy")).ShouldBe("[[5]]");

        await _database.ExecuteAsync($"GRANT SELECT ON shop.sales TO {_role}");
        await ChangeAsync("""{"max_bytes_per_materialize":10}""");
        var dear = await _shop.SyncAsync("""["copy"]""");
        dear["error"]!.GetValue<string>().ShouldContain("max_bytes_per_materialize allows 10");
        (await _shop.RowsAsync("SELECT count(*) AS n FROM copy")).ShouldBe("[[5]]");
        await _database.ExecuteAsync("DELETE FROM shop.sales");
        await ChangeAsync("""{"max_bytes_per_materialize":0}""");
        var empty = await _shop.SyncAsync("""["copy"]""");
        empty["status"]!.GetValue<string>().ShouldBe("ok", empty.ToJsonString());
        (await _shop.RowsAsync("SELECT count(*) AS n FROM copy")).ShouldBe("[[0]]");
        var log = await _shop.AsAdminAsync("GET", $"/api/sync/runs/{empty["id"]}/log");
        log.Body.ShouldContain("copy: warning: its query returned no rows");
        const string Wrong = """{"settings":{"max_bytes_per_materialize":"much"}}""";
        (await _shop.AsAdminAsync("PUT", "/api/admin/connections/depot", Wrong)).Status.ShouldBe(422);
    }

    [Fact]
    public async Task It_is_run_once_at_a_time_and_a_killed_broker_publishes_nothing()
    {
        await _database.ExecuteAsync("CREATE TABLE switch (id bigint)");
        await _database.ExecuteAsync($"GRANT SELECT ON switch TO {_role}");
        await RegisterAsync("slow", "SELECT id FROM switch", "postgres", "depot");
        await _shop.GrantAsync("slow");
        await _database.ExecuteAsync("INSERT INTO switch VALUES (7)");
        await _shop.SyncAsync("""["slow"]""");
        await _database.ExecuteAsync("DROP TABLE switch");
        await _database.ExecuteAsync("CREATE VIEW switch AS SELECT forever() AS id");
        await _database.ExecuteAsync($"GRANT SELECT ON switch TO {_role}");

        var started = await _shop.AsAdminAsync("POST", "/api/sync/trigger", """["slow"]""");
        started.Status.ShouldBe(200, started.Body);
        await _database.UntilRunningAsync(1);
        var second = await _shop.AsAdminAsync("POST", "/api/sync/trigger", """["slow"]""");
        (second.Status, second.Body.Contains("sync_already_in_progress", StringComparison.Ordinal)).ShouldBe((409, true), second.Body);
        await _database.UntilRunningAsync(1);
        var brokers = _shop.Server.Services.GetRequiredService<RemoteBrokers>();
        using (var broker = System.Diagnostics.Process.GetProcessById(brokers.ProcessIds().ShouldHaveSingleItem())) broker.Kill();
        var run = await _shop.EndOfAsync(started.Text("run_id"));
        run["status"]!.GetValue<string>().ShouldBe("failed", run.ToJsonString());
        (await _shop.RowsAsync("SELECT id FROM slow")).ShouldBe("[[7]]");
        Directory.EnumerateFileSystemEntries(Path.Combine(_shop.DataDir, "scratch"), "answers-*").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_table_over_tables_is_made_after_what_it_reads_in_the_same_run()
    {
        await RegisterAsync("sold", "SELECT id, customer, amount FROM shop.sales", "postgres", "depot");
        // Named so that an order by name would be wrong.
        await RegisterAsync(
            "m_by_customer", "SELECT customer, sum(id) AS ids, count(*) AS n FROM sold JOIN orders USING (id) GROUP BY ALL", "derived");
        await RegisterAsync(
            "a_total", "SELECT sum(ids) AS ids, (SELECT count(*) FROM m_by_customer) AS customers FROM m_by_customer LIMIT 5", "derived");
        Reads("m_by_customer").ShouldBe(["sold", "orders"], ignoreOrder: true);
        await _shop.GrantAsync("a_total");
        var run = await _shop.SyncAsync();
        run["status"]!.GetValue<string>().ShouldBe("ok", run.ToJsonString());
        (await _shop.RowsAsync("SELECT ids::BIGINT AS ids, customers FROM a_total")).ShouldBe("[[499500,10]]");
        (await _shop.QueryAsync("SELECT * FROM m_by_customer")).Status.ShouldBe(403);

        await _database.ExecuteAsync("INSERT INTO shop.sales VALUES (1, 1, 'new', '2026-01-01')");
        run = await _shop.SyncAsync("""["a_total","m_by_customer","sold"]""");
        run["status"]!.GetValue<string>().ShouldBe("ok", run.ToJsonString());
        (await _shop.RowsAsync("SELECT ids::BIGINT AS ids, customers FROM a_total")).ShouldBe("[[499501,11]]");
    }

    [Fact]
    public async Task A_table_over_tables_may_follow_what_it_reads()
    {
        await RegisterAsync("sold", "SELECT id FROM shop.sales", "postgres", "depot");
        var wrong = JsonNode.Parse(Body("eager", "SELECT id FROM shop.sales", "postgres", "depot"))!;
        wrong["sync_schedule"] = "on change";
        (await _shop.AsAdminAsync("POST", "/api/admin/register-table", wrong.ToJsonString())).Status.ShouldBe(422);
        var follower = JsonNode.Parse(Body("counted", "SELECT count(*) AS n FROM Sold", "derived"))!;
        follower["sync_schedule"] = "on change";
        (await _shop.AsAdminAsync("POST", "/api/admin/register-table", follower.ToJsonString())).Status.ShouldBe(201);
        await _shop.GrantAsync("counted");
        await _shop.SyncAsync("""["sold"]""");
        await _shop.EventuallyAsync(() => _shop.Server.State.Snapshot.PublishedTable("counted") is not null, "it followed");
        (await _shop.RowsAsync("SELECT n FROM counted")).ShouldBe("[[1000]]");
        var runs = (await _shop.AsAdminAsync("GET", "/api/sync/runs")).Json["runs"]!.AsArray();
        runs.ShouldContain(run => run!["trigger"]!.GetValue<string>() == "publication");
    }

    [Fact]
    [Long]
    public async Task A_killed_query_worker_publishes_nothing()
    {
        await RegisterAsync("pairs", "SELECT count(*) AS n FROM orders", "derived");
        await _shop.GrantAsync("pairs");
        await _shop.SyncAsync("""["pairs"]""");
        const string Long = "SELECT sum(hash(a.name || b.name || c.name) % 7) AS n FROM orders a, orders b, orders c, orders d";
        var body = new JsonObject { ["query_mode"] = "materialized", ["source_query"] = Long };
        (await _shop.AsAdminAsync("PUT", "/api/admin/registry/pairs", body.ToJsonString())).Status.ShouldBe(200);
        var started = await _shop.AsAdminAsync("POST", "/api/sync/trigger", """["pairs"]""");
        var runner = _shop.Server.Services.GetRequiredService<StatementRunner>();
        await _shop.EventuallyAsync(() => runner.Running.All().Any(one => one.Tables.Contains("Orders")), "it runs");
        await Task.Delay(TimeSpan.FromSeconds(2)); // described by now, and counting
        foreach (var worker in _shop.Server.Services.GetRequiredService<WorkerPool>().ProcessIds())
        {
            using var process = System.Diagnostics.Process.GetProcessById(worker);
            process.Kill();
        }

        var run = await _shop.EndOfAsync(started.Text("run_id"));
        run["status"]!.GetValue<string>().ShouldBe("failed", run.ToJsonString());
        (await _shop.RowsAsync("SELECT n FROM pairs")).ShouldBe("[[1000]]");
        Directory.EnumerateFileSystemEntries(Path.Combine(_shop.DataDir, "scratch"), "answers-*").ShouldBeEmpty();
    }

    [Fact]
    [Long]
    public async Task A_circle_and_a_missing_input_are_said()
    {
        await RegisterAsync("one", "SELECT id FROM orders", "derived");
        await RegisterAsync("two", "SELECT id FROM one", "derived");
        await RegisterAsync("three", "SELECT id FROM two WHERE id < 3", "derived");
        const string Closing = """{"query_mode":"materialized","source_query":"SELECT id FROM three"}""";
        var circle = await _shop.AsAdminAsync("PUT", "/api/admin/registry/one", Closing);
        (circle.Status, circle.Body.Contains("one → three → two → one", StringComparison.Ordinal)).ShouldBe((422, true), circle.Body);
        var unknown = await _shop.AsAdminAsync("POST", "/api/admin/register-table", Body("four", "SELECT * FROM nobody", "derived"));
        (unknown.Status, unknown.Body.Contains("'nobody' does not exist", StringComparison.Ordinal)).ShouldBe((422, true), unknown.Body);

        await _shop.GrantAsync("three");
        (await _shop.SyncAsync("""["one","two","three"]"""))["status"]!.GetValue<string>().ShouldBe("ok");
        (await _shop.RowsAsync("SELECT count(*) AS n FROM three")).ShouldBe("[[3]]");
        (await _shop.AsAdminAsync("DELETE", "/api/admin/registry/two")).Status.ShouldBe(204);
        var run = await _shop.SyncAsync("""["three"]""");
        run["error"]!.GetValue<string>().ShouldContain("'two' does not exist");
        (await _shop.RowsAsync("SELECT count(*) AS n FROM three")).ShouldBe("[[3]]");

        // A name that comes back can close a circle that nobody saw.
        var back = await _shop.AsAdminAsync("POST", "/api/admin/register-table", Body("two", "SELECT id FROM three", "derived"));
        (back.Status, back.Body.Contains("two → three → two", StringComparison.Ordinal)).ShouldBe((422, true), back.Body);
    }

    private static string Body(string name, string sql, string type, string? connection = null)
    {
        var body = new JsonObject { ["name"] = name, ["source_type"] = type, ["query_mode"] = "materialized", ["source_query"] = sql };
        if (connection is not null) body["connection"] = connection;
        return body.ToJsonString();
    }

    private async Task RegisterAsync(string name, string sql, string type, string? connection = null)
    {
        var answer = await _shop.AsAdminAsync("POST", "/api/admin/register-table", Body(name, sql, type, connection));
        answer.Status.ShouldBe(201, answer.Body);
    }

    private List<string> Reads(string id) =>
        [.. JsonNode.Parse(_shop.Server.State.Snapshot.Table(id)!.ReadsTables!)!.AsArray().Select(name => name!.GetValue<string>())];

    private async Task ChangeAsync(string settings) =>
        (await _shop.AsAdminAsync("PUT", "/api/admin/connections/depot", $$"""{"settings":{{settings}}}""")).Status.ShouldBe(200);
}
