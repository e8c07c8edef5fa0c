using DuckDB.NET.Data;

namespace Agnes.Connectors.Samples;

/// <summary>A table of the sample shop.</summary>

public sealed record SampleTable
{
    private SampleTable(string name, string description, string columns, Action<Shop, DuckDBAppender> append) =>
        (Name, Description, Columns, Append) = (name, description, columns, append);

    public string Name { get; }

    public string Description { get; }

    internal string Columns { get; }

    internal Action<Shop, DuckDBAppender> Append { get; }

    public static IReadOnlyList<SampleTable> All { get; } =
    [
        new("customers", "People and companies that buy; one row each.", "customer_id VARCHAR, email VARCHAR, first_name VARCHAR, last_name VARCHAR, company VARCHAR, country VARCHAR, city VARCHAR, segment VARCHAR, registration_date DATE, is_active BOOLEAN", People.Append),
        new("products", "What the shop sells, with price and cost in EUR.", "product_id VARCHAR, sku VARCHAR, name VARCHAR, category VARCHAR, price DOUBLE, cost DOUBLE, weight_kg DOUBLE, is_active BOOLEAN, created_at TIMESTAMP", Goods.Append),
        new("campaigns", "Marketing campaigns with budget, spend, impressions and clicks.", "campaign_id VARCHAR, name VARCHAR, channel VARCHAR, status VARCHAR, budget DOUBLE, spend DOUBLE, impressions BIGINT, clicks BIGINT, start_date DATE, end_date DATE, target_segment VARCHAR", Marketing.Append),
        new("web_sessions", "Visits to the web shop; one row a visit.", "session_id VARCHAR, visitor_id VARCHAR, customer_id VARCHAR, campaign_id VARCHAR, started_at TIMESTAMP, duration_seconds BIGINT, pages_viewed BIGINT, device_type VARCHAR, browser VARCHAR, country VARCHAR, landing_page VARCHAR, is_bounce BOOLEAN", Marketing.AppendSessions),
        new("web_leads", "Contacts left on the web site, with what became of them.", "lead_id VARCHAR, customer_id VARCHAR, email VARCHAR, source VARCHAR, campaign_id VARCHAR, created_at TIMESTAMP, status VARCHAR, converted_at TIMESTAMP", Marketing.AppendLeads),
        new("orders", "Orders with totals in EUR; one row an order.", "order_id VARCHAR, customer_id VARCHAR, created_at TIMESTAMP, status VARCHAR, items_total DOUBLE, discount_amount DOUBLE, shipping_amount DOUBLE, total_amount DOUBLE, channel VARCHAR", Sales.Append),
        new("order_items", "Lines of orders; line_total is after the line's discount.", "order_item_id VARCHAR, order_id VARCHAR, product_id VARCHAR, quantity BIGINT, unit_price DOUBLE, discount_percent DOUBLE, line_total DOUBLE", Sales.AppendItems),
        new("payments", "Attempts to pay an order, failed ones included.", "payment_id VARCHAR, order_id VARCHAR, customer_id VARCHAR, amount DOUBLE, currency VARCHAR, method VARCHAR, status VARCHAR, created_at TIMESTAMP, completed_at TIMESTAMP", Sales.AppendPayments),
        new("support_tickets", "Tickets of the support desk.", "ticket_id VARCHAR, customer_id VARCHAR, order_id VARCHAR, category VARCHAR, priority VARCHAR, status VARCHAR, channel VARCHAR, subject VARCHAR, created_at TIMESTAMP, first_response_at TIMESTAMP, resolved_at TIMESTAMP, satisfaction_score BIGINT", People.AppendTickets),
    ];
}
