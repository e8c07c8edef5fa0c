using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Testing;
using Npgsql;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>What a sync would do is said without doing it: which tables, how, how much, and what is in the way. Contracts hold for what a database brings.</summary>
public sealed class SyncPlanTests(Postgres postgres)
{
    [Fact]
    public async Task Files_are_counted_and_tables_that_are_not_due_or_not_ours_say_so_and_nothing_is_brought()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        shop.WriteCsv("bills.csv", "id\n1\n");
        await shop.RegisterAsync("""{"name":"bills","source_type":"csv","source_table":"bills.csv","sync_schedule":"every 1h"}""");
        await shop.RegisterAsync("""{"name":"nowhere","source_type":"csv","source_table":"nowhere.csv"}""");
        var all = await PlanAsync(shop);
        Of(all, "bills").ShouldBe("pulled=true due=true how=changed_files since= rows= bytes=5 blocked=0");
        Of(all, "nowhere").ShouldContain("blocked=1");
        Of(all, "orders").ShouldContain("pulled=false");
        all["orders"]["why"]!.GetValue<string>().ShouldBe("another program brings it");
        Directory.Exists(Path.Combine(shop.DataDir, "extracts", "csv")).ShouldBeFalse("nothing was brought");
        shop.Server.State.Snapshot.PublishedTable("bills").ShouldBeNull();
        (await shop.Server.State.ReadAsync<long>("SELECT count(*) FROM jobs WHERE kind = 'sync'"))[0].ShouldBe(0);

        await shop.SyncAsync("""["bills"]""");
        all = await PlanAsync(shop);
        Of(all, "bills").ShouldBe("pulled=false due=false how= since= rows= bytes= blocked=0");
        all["bills"]["why"]!.GetValue<string>().ShouldStartWith("not due by 'every 1h'; it was last brought at ");
        Of(await PlanAsync(shop, "bills"), "bills").ShouldBe("pulled=true due=false how=unchanged since= rows= bytes=0 blocked=0");
        (await shop.AsAnalystAsync("POST", "/api/sync/plan")).Status.ShouldBe(403);
        (await shop.AsAdminAsync("POST", "/api/sync/plan", """["nothing"]""")).Json["unknown"]!.ToJsonString().ShouldBe("""["nothing"]""");
    }

    [Fact]
    [Long]
    public async Task A_database_says_how_its_tables_would_be_pulled_and_a_contract_that_breaks_is_foreseen_and_then_kept()
    {
        var address = await postgres.NewDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(address);
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { AllowedPrivateHosts = [postgres.Address] });
        var role = await StartAsync(shop, database, address);
        Of(await PlanAsync(shop), "sold").ShouldStartWith("pulled=true due=true how=full since= rows=300 bytes=");
        await SyncAsync(shop, "ok");
        Of(await PlanAsync(shop), "sold").ShouldBe("pulled=true due=true how=incremental since=2026-11-20 11:45:00 rows= bytes= blocked=0");
        (await shop.RowsAsync("SELECT count(*) FROM sold")).ShouldBe("[[300]]");

        // Frozen: said before, kept after, and the next run goes on from where the last good one ended.
        await ContractAsync(shop, "freeze");
        await ExecuteAsync(database, "ALTER TABLE sales ADD COLUMN fee numeric(6,2) DEFAULT 1; UPDATE sales SET amount = 0, changed = '2026-11-21' WHERE id = 1");
        var blocked = await PlanAsync(shop);
        Of(blocked, "sold").ShouldContain("blocked=1");
        blocked["sold"]["blocked_by"]![0]!.GetValue<string>().ShouldContain("new: fee DECIMAL(6,2)");
        await SyncAsync(shop, "failed");
        (await shop.RowsAsync("SELECT sum(amount) FROM sold")).ShouldBe("[[\"45150.00\"]]");
        await ExecuteAsync(database, "ALTER TABLE sales DROP COLUMN fee");
        Of(await PlanAsync(shop), "sold").ShouldBe("pulled=true due=true how=incremental since=2026-11-20 11:45:00 rows= bytes= blocked=0");
        await SyncAsync(shop, "ok");
        (await shop.RowsAsync("SELECT sum(amount) FROM sold")).ShouldBe("[[\"45149.00\"]]");

        // Left out: the pull stays incremental all the same, and parts that did not change are copied once.
        await ContractAsync(shop, "discard");
        await ExecuteAsync(database, "ALTER TABLE sales ADD COLUMN fee numeric(6,2) DEFAULT 1");
        await SyncAsync(shop, "ok");
        Of(await PlanAsync(shop), "sold").ShouldBe("pulled=true due=true how=incremental since=2026-11-20 23:45:00 rows= bytes= blocked=0");
        await ExecuteAsync(database, "UPDATE sales SET amount = 1, changed = '2026-11-22' WHERE id = 1");
        await SyncAsync(shop, "ok");
        shop.Server.State.Snapshot.Published["sold"].Columns.Select(column => column.Name).ShouldBe(["id", "amount", "changed"]);
        (await shop.RowsAsync("SELECT sum(amount) FROM sold")).ShouldBe("[[\"45150.00\"]]");
        await ContractAsync(shop, "evolve");
        await SyncAsync(shop, "ok");
        (await shop.RowsAsync("SELECT sum(fee) FROM sold")).ShouldBe("[[\"300.00\"]]");

        await ExecuteAsync(database, $"REVOKE SELECT ON sales FROM {role}");
        (await PlanAsync(shop))["sold"]["blocked_by"]![0]!.GetValue<string>().ShouldContain("GRANT SELECT on it there");
    }

    private async Task<string> StartAsync(Shop shop, NpgsqlDataSource database, string address)
    {
        var role = $"reader_{Guid.NewGuid():N}";
        await ExecuteAsync(
            database,
            $"""
            CREATE ROLE {role} LOGIN;
            CREATE TABLE sales (id int PRIMARY KEY, amount numeric(10,2) NOT NULL, changed timestamp NOT NULL);
            INSERT INTO sales SELECT i, i, '2026-11-20 12:00:00' FROM generate_series(1, 300) i;
            GRANT SELECT ON sales TO {role};
            ANALYZE;
            """);
        var settings = new JsonObject
        {
            ["host"] = postgres.Address,
            ["database"] = new NpgsqlConnectionStringBuilder(address).Database,
            ["user"] = role,
            ["ssl_mode"] = "disable",
        };
        var connection = new JsonObject { ["name"] = "depot", ["kind"] = "postgres", ["settings"] = settings };
        (await shop.AsAdminAsync("POST", "/api/admin/connections", connection.ToJsonString())).Status.ShouldBe(201);
        await shop.RegisterAsync(new JsonObject
        {
            ["name"] = "sold",
            ["source_type"] = "postgres",
            ["connection"] = "depot",
            ["source_table"] = "sales",
            ["sync_strategy"] = "incremental",
            ["incremental_column"] = "changed",
        }.ToJsonString());
        await shop.GrantAsync("sold");
        return role;
    }

    private static async Task ContractAsync(Shop shop, string contract) =>
        (await shop.AsAdminAsync("PUT", "/api/admin/registry/sold", $$"""{"schema_contract":"{{contract}}"}""")).Status.ShouldBe(200);

    private static async Task SyncAsync(Shop shop, string status)
    {
        shop.Server.Time.Advance(TimeSpan.FromMinutes(1));
        var run = await shop.SyncAsync("""["sold"]""");
        run["status"]!.GetValue<string>().ShouldBe(status, run.ToJsonString());
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<Dictionary<string, JsonNode>> PlanAsync(Shop shop, params string[] tables)
    {
        var body = tables.Length == 0 ? null : new JsonArray([.. tables.Select(table => (JsonNode)table)]).ToJsonString();
        var answer = await shop.AsAdminAsync("POST", "/api/sync/plan", body);
        answer.Status.ShouldBe(200, answer.Body);
        return answer.Json["tables"]!.AsArray().ToDictionary(table => table!["id"]!.GetValue<string>(), table => table!, StringComparer.Ordinal);
    }

    private static string Of(Dictionary<string, JsonNode> plan, string table)
    {
        var fields = ((string[])["pulled", "due", "how", "since", "rows", "bytes"]).Select(field => $"{field}={plan[table][field]}");
        return $"{string.Join(' ', fields)} blocked={plan[table]["blocked_by"]!.AsArray().Count}";
    }
}
