using Agnes.Connectors.Samples;
using Agnes.Engine.Extracts;
using Agnes.Engine.Workers;
using Agnes.Protocol;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Tests.Samples;

public sealed class SamplesConnectorTests : IDisposable
{
    private static readonly IReadOnlyList<TableConfig> AllTables = [.. SampleTable.All.Select(table => new TableConfig(table.Name, table.Name))];
    private readonly Workshop _shop = new();

    public void Dispose() => _shop.Dispose();

    [Fact]
    public async Task Nine_tables_of_the_promised_sizes_fit_together()
    {
        (await RunAsync(_shop, "xs", "42", AllTables)).Failed.ShouldBeEmpty();
        _shop.Published.Tables.Count.ShouldBe(9);
        string[] counted = ["customers", "products", "campaigns", "web_sessions", "web_leads", "orders", "support_tickets"];
        counted.Select(name => _shop.Table(name).Rows).ShouldBe([50, 30, 10, 500, 50, 100, 30]);
        _shop.Table("order_items").Rows.ShouldBeGreaterThan(100);
        _shop.Table("payments").Rows.ShouldBeGreaterThanOrEqualTo(100);
        string[] orphans =
        [
            "orders o ANTI JOIN customers c USING (customer_id)", "order_items i ANTI JOIN orders o USING (order_id)", "order_items i ANTI JOIN products p USING (product_id)",
            "payments p ANTI JOIN orders o USING (order_id)", "(FROM support_tickets WHERE order_id IS NOT NULL) t ANTI JOIN orders o USING (order_id)",
            "(FROM web_sessions WHERE campaign_id IS NOT NULL) s ANTI JOIN campaigns c USING (campaign_id)", "orders o JOIN customers c USING (customer_id) WHERE o.created_at < c.registration_date",
        ];
        foreach (var orphan in orphans) Ask($"SELECT count(*) FROM {orphan}").ShouldBe(0L, orphan);
        Ask("SELECT count(*) FROM orders WHERE abs(total_amount - (items_total - discount_amount + shipping_amount)) > 0.011").ShouldBe(0L);
        Ask("SELECT count(*) FROM web_sessions WHERE started_at < TIMESTAMP '2025-12-01' OR started_at >= TIMESTAMP '2026-03-01'").ShouldBe(0L);
    }

    [Fact]
    public async Task Columns_have_types_and_ids_their_form()
    {
        await RunAsync(_shop, "xs", "42", AllTables);
        _shop.Columns("orders").ShouldBe("order_id VARCHAR, customer_id VARCHAR, created_at TIMESTAMP, status VARCHAR, items_total DOUBLE, discount_amount DOUBLE, shipping_amount DOUBLE, total_amount DOUBLE, channel VARCHAR");
        _shop.Columns("customers").ShouldContain("registration_date DATE");
        _shop.Rows("customers", "min(customer_id)").ShouldBe("C-000001");
        _shop.Rows("orders", "min(order_id)").ShouldBe("ORD-0000001");
        _shop.Table("orders").Description.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    [Long]
    public async Task The_same_seed_gives_the_same_bytes_whatever_is_generated_beside_it()
    {
        await RunAsync(_shop, "xs", "42", AllTables);
        using var alone = new Workshop();
        await RunAsync(alone, "xs", "42", [new TableConfig("payments", "payments")]);
        alone.Table("payments").Parts[0].Sha256.ShouldBe(_shop.Table("payments").Parts[0].Sha256);

        using var other = new Workshop();
        await RunAsync(other, "xs", "43", [new TableConfig("payments", "payments")]);
        other.Table("payments").Parts[0].Sha256.ShouldNotBe(_shop.Table("payments").Parts[0].Sha256);
    }

    [Fact]
    public async Task An_unknown_table_or_size_is_an_error_that_names_what_there_is()
    {
        (await RunAsync(_shop, "xs", "42", [new TableConfig("x", "unicorns")])).Failed.ShouldHaveSingleItem().Error.ShouldContain("customers");
        (await Should.ThrowAsync<WorkerFailedException>(() => RunAsync(_shop, "xxl", "42", AllTables))).Message.ShouldContain("xs, s, m, l");
    }

    private static Task<ExtractOutcome> RunAsync(Workshop shop, string size, string seed, IReadOnlyList<TableConfig> tables) =>
        shop.RunAsync(tables, SamplesConnector.ConnectorName, SamplesConnector.SourceName, new Dictionary<string, string> { ["size"] = size, ["seed"] = seed });

    private object? Ask(string sql)
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        foreach (var table in _shop.Published.Tables)
            connection.ExecuteUnprepared($"CREATE VIEW {table.Name} AS {TableSource.FromParts([.. table.Parts.Select(part => _shop.Store.PathOf(part.Sha256))])}");
        using var command = new DuckDBCommand(sql, connection);
        return command.ExecuteScalar();
    }
}
