namespace Agnes.Campaigns;

/// <summary>All campaigns, in the order in which "all" runs them.</summary>
public static class Campaigns
{
    public static IReadOnlyList<Campaign> All { get; } = [];
}
