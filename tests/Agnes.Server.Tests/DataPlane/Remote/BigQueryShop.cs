using System.Text.Json.Nodes;
using Agnes.Emulators.BigQuery;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>
/// A shop some of whose tables are in BigQuery: an emulator, asked over HTTP by the broker, which is the real program in its walls. The
/// analyst may read all but <c>secrets</c>; <c>huge</c> and the view <c>wide</c> are too large to be read whole.
/// </summary>
internal sealed class BigQueryShop(BigQueryServer cloud, Shop shop) : IAsyncDisposable
{
    public const string Data = "data-project";
    public const string Billing = "billing-project";

    public BigQueryServer Cloud => cloud;

    public Shop Shop => shop;

    public static async Task<BigQueryShop> OpenAsync(
        Postgres postgres, Func<ServerOptions, ServerOptions>? change = null, StateEngine engine = StateEngine.DuckDb)
    {
        var cloud = await BigQueryServer.StartAsync();
        var rows = cloud.Warehouse;
        rows.AddDataset(Data, "sales", "EU");
        rows.AddDataset(Data, "hr", "EU");
        var orders = rows.AddTable(
            Data, "sales", "orders_v2", "id INT64 NOT NULL, name STRING, price NUMERIC, day DATE, tags ARRAY<STRING>",
            "SELECT i, 'n' || i, i + 0.25, DATE '2026-01-01' + i::INTEGER, CASE WHEN i % 2 = 0 THEN ['a', 'b'] ELSE [] END "
            + "FROM range(1, 8) r(i)");
        rows.Set(orders with { PartitionField = "day", Clustering = ["name"] });
        rows.AddTable(Data, "sales", "huge", "id INT64, note STRING", "SELECT i, 'x' FROM range(1000) r(i)", scale: 1L << 20);
        rows.AddTable(Data, "hr", "secrets", "who STRING", "SELECT 'secret'");
        rows.AddView(Data, "sales", "cheap", "SELECT id, who FROM `data-project.sales.orders_v2`, `data-project.hr.secrets` WHERE id < 4");
        rows.AddView(Data, "sales", "wide", "SELECT id, note FROM `data-project.sales.huge`");
        var shop = await Shop.OpenAsync(engine, postgres, options =>
        {
            options = options with { BigQueryAddress = cloud.Address };
            return change is null ? options : change(options);
        });
        var made = new BigQueryShop(cloud, shop);
        var settings = new JsonObject { ["project"] = Data, ["billing_project"] = Billing };
        var connection = new JsonObject { ["name"] = "warehouse", ["kind"] = "bigquery", ["settings"] = settings };
        var answer = await shop.AsAdminAsync("POST", "/api/admin/connections", connection.ToJsonString());
        answer.Status.ShouldBe(201, answer.Body);
        await made.RegisterAsync("bought", "sales", "orders_v2");
        await made.RegisterAsync("huge", "sales", "huge");
        await made.RegisterAsync("cheap", "sales", "cheap");
        await made.RegisterAsync("wide", "sales", "wide");
        await made.RegisterAsync("secrets", "hr", "secrets");
        foreach (var table in (string[])["bought", "huge", "cheap", "wide"]) await shop.GrantAsync(table);
        return made;
    }

    public Task<Answer> ChangeAsync(string settings) =>
        shop.AsAdminAsync("PUT", "/api/admin/connections/warehouse", $$"""{"settings":{{settings}}}""");

    public Task RegisterAsync(string name, string dataset, string table) => shop.RegisterAsync(new JsonObject
    {
        ["name"] = name,
        ["source_type"] = "bigquery",
        ["connection"] = "warehouse",
        ["bucket"] = dataset,
        ["source_table"] = table,
    }.ToJsonString());

    /// <summary>Waits until all has been asked about: no run of the server's own takes what a test breaks from then on.</summary>
    public async Task SettledAsync()
    {
        for (var left = 400; ; left--)
        {
            var known = (await shop.AsAdminAsync("GET", "/api/v2/metadata-cache/status")).Json["tables"]!.AsArray();
            var open = await shop.Server.State.ReadAsync<long>("SELECT count(*) FROM jobs WHERE key = 'metadata' AND finished_at IS NULL");
            if (open[0] == 0 && known.All(table => table!["freshness"]!.GetValue<string>() == "fresh")) return;
            if (left == 0) throw new TimeoutException("The source has not been asked about everything.");
            await Task.Delay(50);
        }
    }

    public async Task UntilAsync(string table, string freshness)
    {
        for (var left = 400; ; left--)
        {
            var now = (await KnownAsync(table))["freshness"]!.GetValue<string>();
            if (now == freshness) return;
            if (left == 0) throw new TimeoutException($"'{table}' is {now}.");
            await Task.Delay(50);
        }
    }

    public async Task<JsonNode> KnownAsync(string table) => (await shop.AsAdminAsync("GET", "/api/v2/metadata-cache/status"))
        .Json["tables"]!.AsArray().Single(one => one!["table_id"]!.GetValue<string>() == table)!;

    public async ValueTask DisposeAsync()
    {
        await shop.DisposeAsync();
        await cloud.DisposeAsync();
        cloud.Faults.ShouldBeEmpty();
    }
}
