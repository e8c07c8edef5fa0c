namespace Agnes.Connectors.Samples;

/// <summary>How many rows the sample shop has, and how many months (of 30 days) they span.</summary>
public sealed record SampleSize(string Name, int Customers, int Products, int Campaigns, int WebSessions, int WebLeads, int Orders, int SupportTickets, int Months)
{
    public static IReadOnlyList<SampleSize> All { get; } =
    [
        new("xs", 50, 30, 10, 500, 50, 100, 30, 3),
        new("s", 500, 100, 30, 10_000, 1_000, 2_000, 500, 12),
        new("m", 5_000, 300, 80, 100_000, 10_000, 20_000, 5_000, 24),
        new("l", 50_000, 1_000, 200, 1_000_000, 100_000, 200_000, 50_000, 36),
    ];

    public static SampleSize? Find(string name) => All.FirstOrDefault(size => size.Name == name);
}
