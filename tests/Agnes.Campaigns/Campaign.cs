namespace Agnes.Campaigns;

/// <summary>One kind of trouble, repeated. Its run is determined by the seed as far as timing allows.</summary>
/// <param name="Count">How many times by default.</param>
public sealed record Campaign(string Name, string What, int Count, Func<CampaignRun, Task> RunAsync);

/// <summary>What a campaign is given, and where it writes down what it saw.</summary>
public sealed class CampaignRun(int seed, int count, CancellationToken cancellation)
{
    private const int ProgressRounds = 10;
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

    /// <summary>Says now and then how far it is, so that a run that is ended early still tells something.</summary>
    public void Progress(int round)
    {
        if (round % ProgressRounds != 0 || round == 0) return;
        lock (_counts) Console.Error.WriteLine($"  {round} of {Count} rounds: {string.Join(", ", _counts.Select(entry => $"{entry.Value} {entry.Key}"))}; {_failures.Count} failures");
    }

    public void Fail(string what)
    {
        lock (_failures) _failures.Add(what);
        Console.Error.WriteLine($"FAILED: {what}");
    }
}
