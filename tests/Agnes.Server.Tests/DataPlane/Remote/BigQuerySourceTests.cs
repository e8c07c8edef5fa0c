using System.Text.Json.Nodes;
using Agnes.Emulators.BigQuery;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>BigQuery as a source that is asked, over HTTP: its broker is the real program, in its walls, and asks an emulator.</summary>
public sealed class BigQuerySourceTests(Postgres postgres) : IAsyncLifetime
{
    private const string Data = "data-project";
    private const string Billing = "billing-project";
    private BigQueryServer _cloud = null!;
    private Shop _shop = null!;

    public async ValueTask InitializeAsync()
    {
        _cloud = await BigQueryServer.StartAsync();
        var rows = _cloud.Warehouse;
        rows.AddDataset(Data, "sales", "EU");
        rows.AddDataset(Data, "hr", "EU");
        rows.AddTable(
            Data, "sales", "orders_v2", "id INT64 NOT NULL, name STRING, price NUMERIC, day DATE, tags ARRAY<STRING>",
            "SELECT i, 'n' || i, i + 0.25, DATE '2026-01-01' + i::INTEGER, CASE WHEN i % 2 = 0 THEN ['a', 'b'] ELSE [] END FROM range(1, 8) r(i)");
        rows.AddTable(Data, "sales", "huge", "id INT64, note STRING", "SELECT i, 'x' FROM range(1000) r(i)", scale: 1L << 20);
        rows.AddTable(Data, "hr", "secrets", "who STRING", "SELECT 'secret'");
        rows.AddView(Data, "sales", "cheap", "SELECT id, who FROM `data-project.sales.orders_v2`, `data-project.hr.secrets` WHERE id < 4");
        rows.AddView(Data, "sales", "wide", "SELECT id, note FROM `data-project.sales.huge`");
        _shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { BigQueryAddress = _cloud.Address });
        var settings = new JsonObject { ["project"] = Data, ["billing_project"] = Billing };
        var connection = new JsonObject { ["name"] = "warehouse", ["kind"] = "bigquery", ["settings"] = settings };
        var answer = await _shop.AsAdminAsync("POST", "/api/admin/connections", connection.ToJsonString());
        answer.Status.ShouldBe(201, answer.Body);
        await RegisterAsync("bought", "sales", "orders_v2");
        await RegisterAsync("huge", "sales", "huge");
        await RegisterAsync("cheap", "sales", "cheap");
        await RegisterAsync("wide", "sales", "wide");
        await RegisterAsync("secrets", "hr", "secrets");
        foreach (var table in (string[])["bought", "huge", "cheap", "wide"]) await _shop.GrantAsync(table);
    }

    public async ValueTask DisposeAsync()
    {
        await _shop.DisposeAsync();
        await _cloud.DisposeAsync();
        _cloud.Faults.ShouldBeEmpty();
    }

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
        (await RowsAsync("SELECT COUNT(*) AS n, SUM(price) AS s FROM bought")).ShouldBe("""[[7,"29.750000000"]]""");
        (await RowsAsync("SELECT o.name, b.price FROM orders o JOIN bought b ON b.id = o.id ORDER BY b.id LIMIT 1"))
            .ShouldBe("""[["name 1","1.250000000"]]""");
    }

    private Task RegisterAsync(string name, string dataset, string table) => _shop.RegisterAsync(new JsonObject
    {
        ["name"] = name,
        ["source_type"] = "bigquery",
        ["connection"] = "warehouse",
        ["bucket"] = dataset,
        ["source_table"] = table,
    }.ToJsonString());

    private Task<Answer> QueryAsync(string sql) =>
        _shop.AsAnalystAsync("POST", "/api/query", new JsonObject { ["sql"] = sql }.ToJsonString());

    private async Task<string> RowsAsync(string sql)
    {
        var answer = await QueryAsync(sql);
        answer.Status.ShouldBe(200, answer.Body);
        return answer.Json["rows"]!.ToJsonString();
    }
}
