namespace Agnes.Campaigns;

/// <summary>One kind of trouble, repeated. Its run is determined by the seed as far as timing allows.</summary>
/// <param name="Count">How many times by default.</param>
public sealed record Campaign(string Name, string What, int Count, Func<CampaignRun, Task> RunAsync);

/// <summary>What a campaign is given, and where it writes down what it saw.</summary>
public sealed class CampaignRun(int seed, int count, CancellationToken cancellation)
{
    private readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly List<string> _failures = [];

    public Random Random { get; } = new(seed);

    public int Count { get; } = count;

    public CancellationToken Cancellation { get; } = cancellation;

    public IReadOnlyDictionary<string, long> Counts => _counts;

    public IReadOnlyList<string> Failures => _failures;

    public void Add(string what, long number = 1)
    {
        lock (_counts) _counts[what] = _counts.GetValueOrDefault(what) + number;
    }

    public void Fail(string what)
    {
        lock (_failures) _failures.Add(what);
        Console.Error.WriteLine($"FAILED: {what}");
    }
}
