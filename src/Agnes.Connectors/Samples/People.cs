using DuckDB.NET.Data;

namespace Agnes.Connectors.Samples;

/// <summary>Customers, and the tickets that they write.</summary>
internal static class People
{
    private static readonly string[] FirstNames = ["Anna", "Ben", "Clara", "David", "Eva", "Felix", "Greta", "Hugo", "Ida", "Jan", "Klara", "Lukas", "Marie", "Noah", "Olga", "Petr", "Rosa", "Simon", "Tereza", "Viktor"];
    private static readonly string[] LastNames = ["Adler", "Baker", "Cerny", "Dvorak", "Eriksen", "Fischer", "Garcia", "Horak", "Ivanov", "Jansen", "Kovac", "Laurent", "Moretti", "Novak", "Olsson", "Pokorny", "Rossi", "Svoboda", "Taylor", "Weber"];
    private static readonly string[] CompanyFirst = ["Alpine", "Blue", "Central", "Delta", "Eastern", "First", "Green", "Harbor", "Iron", "Silver"];
    private static readonly string[] CompanyLast = ["Logistics", "Foods", "Systems", "Trading", "Works", "Partners", "Supply", "Studios"];

    private static readonly Weighted<string> Segments = new(("b2c", .60), ("b2b_small", .25), ("b2b_enterprise", .15));

    private static readonly Weighted<(string Country, string[] Cities)> Places = new(
        (("Czech Republic", ["Prague", "Brno", "Ostrava"]), .25), (("Germany", ["Berlin", "Munich", "Hamburg"]), .15), (("United States", ["Austin", "Boston", "Denver"]), .12),
        (("United Kingdom", ["London", "Leeds"]), .10), (("France", ["Lyon", "Paris"]), .08), (("Austria", ["Vienna", "Graz"]), .05), (("Poland", ["Warsaw", "Krakow"]), .05),
        (("Netherlands", ["Utrecht", "Rotterdam"]), .05), (("Slovakia", ["Bratislava", "Kosice"]), .05), (("Spain", ["Madrid", "Valencia"]), .04), (("Italy", ["Milan", "Turin"]), .03), (("Sweden", ["Malmo", "Uppsala"]), .03));

    private static readonly Weighted<string> Categories = new(("question", .28), ("complaint", .18), ("return_request", .14), ("shipping", .16), ("technical_issue", .12), ("refund", .12));
    private static readonly Weighted<string> Priorities = new(("low", .38), ("medium", .35), ("high", .20), ("critical", .07));
    private static readonly Weighted<string> Channels = new(("email", .40), ("chat", .30), ("phone", .15), ("web_form", .15));
    private static readonly Weighted<int> Scores = new((1, 5), (2, 8), (3, 15), (4, 35), (5, 37));

    public static IEnumerable<Customer> Customers(Shop shop)
    {
        var draw = shop.DrawFor("customers");
        for (var number = 1; number <= shop.Size.Customers; number++)
        {
            var (first, last, segment) = (draw.Of(FirstNames), draw.Of(LastNames), draw.Of(Segments));
            var company = segment == "b2c" ? null : $"{draw.Of(CompanyFirst)} {draw.Of(CompanyLast)}";
            var domain = company is null ? "mail.example.com" : $"{company.ToLowerInvariant().Replace(' ', '-')}.example.com";
            var (country, cities) = draw.Of(Places);
            var email = $"{first}.{last}.{number}@{domain}".ToLowerInvariant();
            yield return new Customer($"C-{number:000000}", email, first, last, company, country, draw.Of(cities), segment, shop.Calendar.Day(draw), draw.Chance(.85));
        }
    }

    public static void Append(Shop shop, DuckDBAppender rows)
    {
        foreach (var customer in shop.Customers)
        {
            rows.Append(customer.Id).Append(customer.Email).Append(customer.First).Append(customer.Last).Append(customer.Company).Append(customer.Country).Append(customer.City)
                .Append(customer.Segment).Append(customer.Registered).Append(customer.Active).EndRow();
        }
    }

    public static void AppendTickets(Shop shop, DuckDBAppender rows)
    {
        var draw = shop.DrawFor("support_tickets");
        for (var number = 1; number <= shop.Size.SupportTickets; number++)
        {
            var order = draw.Chance(.60) ? draw.Of(shop.Orders) : null;
            var customer = order?.Customer ?? draw.Of(shop.Customers);
            var created = order is null ? shop.Calendar.MomentSince(draw, customer.Registered) : Earliest(order.CreatedAt.AddHours(draw.Between(1, 240)));
            var (category, priority) = (draw.Of(Categories), draw.Of(Priorities));
            var responded = Before(created.AddHours(draw.Between(.1, 48)));
            var resolved = draw.Chance(.75) ? Before(created.AddHours(draw.Between(50, 240))) : null;
            var status = resolved is null ? draw.Of((string[])["open", "in_progress", "waiting_customer"]) : draw.Of((string[])["resolved", "closed"]);
            int? score = resolved is null || !draw.Chance(.7) ? null : draw.Of(Scores);
            rows.Append($"TKT-{number:000000}").Append(customer.Id).Append(order?.Id).Append(category).Append(priority).Append(status).Append(draw.Of(Channels))
                .Append($"{category.Replace('_', ' ')} about {(order is null ? "an account" : "an order")}").Append(created);
            Optional(rows, responded);
            Optional(rows, resolved);
            if (score is { } given) rows.Append((long)given);
            else rows.AppendNull();
            rows.EndRow();
        }
    }

    public static void Optional(DuckDBAppender rows, DateTime? moment)
    {
        if (moment is { } given) rows.Append(given);
        else rows.AppendNull();
    }

    private static DateTime Earliest(DateTime moment) => moment < Calendar.EndOfTime ? moment : Calendar.EndOfTime.AddSeconds(-1);

    private static DateTime? Before(DateTime moment) => moment < Calendar.EndOfTime ? moment : null;
}
