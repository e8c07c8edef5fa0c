namespace Agnes.Server.Features.Demo;

/// <summary>Who and what the demo has: nine tables of a shop, two groups that see different ones of them.</summary>
internal static class DemoPlan
{
    public const string AdminEmail = "admin@example.com";
    public const string AdminName = "Ada Admin";

    public static IReadOnlyList<DemoGroup> Groups { get; } =
    [
        new("finance", "Sees orders and what was paid for them.", "finance@example.com", "Fiona Finance", ["customers", "order_items", "orders", "payments"]),
        new("marketing", "Sees campaigns and what they led to.", "marketing@example.com", "Marek Marketing", ["campaigns", "products", "web_leads", "web_sessions"]),
    ];

    public static IReadOnlyList<(string Name, string Description)> Tables { get; } =
    [
        ("campaigns", "Marketing campaigns with channel, budget, spend and reach; one row each."),
        ("customers", "Customers with segment, country and registration date; one row each."),
        ("order_items", "Lines of orders: product, quantity, price and discount."),
        ("orders", "Orders with status, channel and amounts; one row each. Join customers by customer_id."),
        ("payments", "Payments and attempts, refunds included; several for an order are possible."),
        ("products", "Products with category, price and cost; one row each."),
        ("support_tickets", "Support tickets with category, priority and satisfaction; granted to nobody."),
        ("web_leads", "Contacts made on the web site, and what became of them."),
        ("web_sessions", "Visits to the web site with device, country and campaign."),
    ];

    public static bool Knows(string email) => email == AdminEmail || Groups.Any(group => group.Email == email);
}

internal sealed record DemoGroup(string Name, string Description, string Email, string Person, IReadOnlyList<string> Tables);
