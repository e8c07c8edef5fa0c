using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane.Remote;
using Agnes.Testing;
using Npgsql;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>Tables of a database are registered, looked at, pulled, granted and queried, beside tables of the same connection that stay there.</summary>
public sealed class PulledDatabaseTests(Postgres postgres)
{
    [Fact]
    public async Task A_table_of_a_database_is_pulled_beside_one_that_stays_there_and_one_that_is_a_query()
    {
        var address = await postgres.NewDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(address);
        var role = $"reader_{Guid.NewGuid():N}";
        await ExecuteAsync(
            $"""
            CREATE ROLE {role} LOGIN;
            CREATE TABLE sales (id int PRIMARY KEY, region text, amount numeric(10,2) NOT NULL, changed timestamptz NOT NULL DEFAULT now());
            INSERT INTO sales SELECT i, 'r' || i % 3, i, now() - interval '1 day' FROM generate_series(1, 300) i;
            GRANT SELECT ON sales TO {role};
            CREATE TABLE payroll (id int);
            ANALYZE;
            """);
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { AllowedPrivateHosts = [postgres.Address] });
        var settings = new JsonObject
        {
            ["host"] = postgres.Address,
            ["database"] = new NpgsqlConnectionStringBuilder(address).Database,
            ["user"] = role,
            ["ssl_mode"] = "disable",
        };
        var connection = new JsonObject { ["name"] = "depot", ["kind"] = "postgres", ["settings"] = settings };
        (await shop.AsAdminAsync("POST", "/api/admin/connections", connection.ToJsonString())).Status.ShouldBe(201);

        var looked = await shop.AsAdminAsync("POST", "/api/admin/register-table/precheck", Body("sold", "sales", "local"));
        looked.Status.ShouldBe(200, looked.Body);
        var table = looked.Json["table"]!;
        (table["rows"]!.GetValue<long>(), table["columns"]!.AsArray().Count).ShouldBe((300, 4), looked.Body);
        (await shop.AsAdminAsync("POST", "/api/admin/register-table/precheck", Body("sold", "payroll", "local"))).Body.ShouldContain("GRANT SELECT on it there");
        var wrong = JsonNode.Parse(Body("sold", "sales", "local"))!;
        wrong["settings"] = new JsonObject { ["lug"] = "5m" };
        (await shop.AsAdminAsync("POST", "/api/admin/register-table", wrong.ToJsonString())).Body.ShouldContain("'lug' is no setting of a table of PostgreSQL");
        wrong["settings"] = new JsonObject { ["lag"] = "soon" };
        (await shop.AsAdminAsync("POST", "/api/admin/register-table", wrong.ToJsonString())).Body.ShouldContain("lag must be a time such as");

        var pulled = JsonNode.Parse(Body("sold", "sales", "local"))!;
        (pulled["sync_strategy"], pulled["incremental_column"]) = ("incremental", "changed");
        await shop.RegisterAsync(pulled.ToJsonString());
        await shop.RegisterAsync(Body("there", "sales", "remote"));
        var query = JsonNode.Parse(Body("by_region", "", "materialized"))!;
        query["source_query"] = "SELECT region, sum(amount) AS total FROM sales GROUP BY region";
        await shop.RegisterAsync(query.ToJsonString());
        foreach (var name in (string[])["sold", "there", "by_region"]) await shop.GrantAsync(name);

        var run = await shop.SyncAsync();
        run["status"]!.GetValue<string>().ShouldBe("ok", run.ToJsonString());
        (await shop.RowsAsync("SELECT count(*), sum(amount) FROM sold")).ShouldBe("[[300,\"45150.00\"]]");
        (await shop.RowsAsync("SELECT count(*) FROM there")).ShouldBe("[[300]]");
        (await shop.RowsAsync("SELECT count(*), sum(total) FROM by_region")).ShouldBe("[[3,\"45150.00\"]]");

        await ExecuteAsync("UPDATE sales SET amount = 0, changed = now() WHERE id <= 10; INSERT INTO sales VALUES (301, 'new', 1)");
        (await shop.SyncAsync())["status"]!.GetValue<string>().ShouldBe("ok");
        (await shop.RowsAsync("SELECT count(*), sum(amount), count(DISTINCT region) FROM sold")).ShouldBe("[[301,\"45096.00\",4]]");

        await ExecuteAsync("DROP TABLE sales");
        var failed = await shop.SyncAsync("""["sold"]""");
        failed["status"]!.GetValue<string>().ShouldNotBe("ok");
        (await shop.RowsAsync("SELECT count(*) FROM sold")).ShouldBe("[[301]]");

        async Task ExecuteAsync(string sql)
        {
            await using var command = database.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }

        static string Body(string name, string table, string mode) => new JsonObject
        {
            ["name"] = name,
            ["source_type"] = "postgres",
            ["connection"] = "depot",
            ["query_mode"] = mode,
            ["source_table"] = table,
        }.ToJsonString();
    }
}
