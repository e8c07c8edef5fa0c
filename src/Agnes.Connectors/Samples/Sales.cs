using DuckDB.NET.Data;

namespace Agnes.Connectors.Samples;

/// <summary>Orders, their items, and their payments.</summary>
internal static class Sales
{
    private const double FreeShippingFrom = 100;
    private static readonly Weighted<string> Statuses = new(("delivered", .58), ("shipped", .15), ("confirmed", .10), ("pending", .04), ("cancelled", .08), ("returned", .05));
    private static readonly Weighted<string> Channels = new(("web", .55), ("mobile_app", .35), ("phone", .05), ("api", .05));
    private static readonly Weighted<int> Quantities = new((1, 60), (2, 20), (3, 10), (4, 5), (5, 5));
    private static readonly Weighted<int> Discounts = new((0, 50), (5, 20), (10, 15), (15, 10), (20, 5));
    private static readonly Weighted<string> Methods = new(("credit_card", .38), ("debit_card", .20), ("paypal", .18), ("bank_transfer", .12), ("apple_pay", .08), ("invoice", .04));

    public static IEnumerable<Order> Orders(Shop shop)
    {
        var draw = shop.DrawFor("orders");
        var item = 0;
        for (var number = 1; number <= shop.Size.Orders; number++)
        {
            var customer = shop.Customers[draw.Pareto(shop.Customers.Count)];
            var created = shop.Calendar.MomentSince(draw, customer.Registered);
            var wanted = Math.Min(draw.Whole(1, customer.IsBusiness ? 8 : 5), draw.Whole(1, customer.IsBusiness ? 8 : 5)); // the smaller of two: fewer are likelier
            List<OrderItem> items = [];
            for (var i = 0; i < wanted; i++)
            {
                var quantity = draw.Of(Quantities) * (customer.Segment == "b2b_enterprise" ? draw.Whole(1, 5) : 1);
                items.Add(new OrderItem($"OI-{++item:00000000}", draw.Of(shop.Products), quantity, draw.Of(Discounts)));
            }

            var total = items.Sum(line => line.LineTotal);
            var discount = Math.Round(total * draw.Between(0, .05), 2);
            var shipping = total < FreeShippingFrom ? draw.Money(0, 15.99) : 0;
            yield return new Order($"ORD-{number:0000000}", customer, created, draw.Of(Statuses), draw.Of(Channels), items, discount, shipping);
        }
    }

    public static void Append(Shop shop, DuckDBAppender rows)
    {
        foreach (var order in shop.Orders)
        {
            rows.Append(order.Id).Append(order.Customer.Id).Append(order.CreatedAt).Append(order.Status).Append(order.ItemsTotal).Append(order.Discount).Append(order.Shipping)
                .Append(order.Total).Append(order.Channel).EndRow();
        }
    }

    public static void AppendItems(Shop shop, DuckDBAppender rows)
    {
        foreach (var order in shop.Orders)
        {
            foreach (var item in order.Items)
            {
                rows.Append(item.Id).Append(order.Id).Append(item.Product.Id).Append((long)item.Quantity).Append(item.Product.Price).Append(item.DiscountPercent).Append(item.LineTotal).EndRow();
            }
        }
    }

    public static void AppendPayments(Shop shop, DuckDBAppender rows)
    {
        var draw = shop.DrawFor("payments");
        var number = 0;
        foreach (var order in shop.Orders)
        {
            var method = order.Customer.IsBusiness && draw.Chance(.40) ? draw.Of((string[])["bank_transfer", "invoice"]) : draw.Of(Methods);
            var at = order.CreatedAt.AddMinutes(draw.Whole(0, 30));
            if (draw.Chance(.05))
            {
                AppendPayment(rows, ++number, order, method, "failed", at, null);
                at = at.AddMinutes(draw.Whole(1, 60));
            }

            var (status, days) = order.Status switch { "cancelled" => ("cancelled", 0), "returned" => ("refunded", 14), _ => ("completed", 3) };
            AppendPayment(rows, ++number, order, method, status, at, days == 0 ? null : at.AddHours(draw.Between(0, days * 24)));
        }
    }

    private static void AppendPayment(DuckDBAppender rows, int number, Order order, string method, string status, DateTime created, DateTime? completed)
    {
        rows.Append($"PAY-{number:0000000}").Append(order.Id).Append(order.Customer.Id).Append(order.Total).Append("EUR").Append(method).Append(status).Append(created);
        People.Optional(rows, completed);
        rows.EndRow();
    }
}
