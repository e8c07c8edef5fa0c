using System.Text.Json;
using Agnes.Connectors.Events;
using Agnes.Server.Features.Sources.Events;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Tests.DataPlane.Events;

public sealed class TailSizeTests
{
    private const long Mega = 1 << 20;

    /// <summary>A tail is folded when it is a tenth of what has to be written anew for it and not small, or a gigabyte.</summary>
    [Theory]
    [InlineData(20_001, 1, 0, true)]
    [InlineData(20_000, 1, 0, false)]
    [InlineData(10, 65, 0, true)]
    [InlineData(20_001, 1, 500, false)]
    [InlineData(20_001, 51, 500, true)]
    [InlineData(10, 65, 5_000, false)]
    [InlineData(10, 1_025, 500_000, true)]
    public void A_larger_source_waits_for_a_larger_tail(long documents, long tail, long published, bool isLarge)
    {
        TailRun[] runs = [Run(1, documents / 2, tail * Mega / 2), Run(2, documents - documents / 2, tail * Mega - tail * Mega / 2)];
        var row = new EventTailRow { Source = "jira", KeyColumn = "issue_key", Runs = JsonSerializer.Serialize(runs, EventWorkerJson.Default.IReadOnlyListTailRun) };
        EventIntake.IsLarge(new EventTail(row), published * Mega).ShouldBe(isLarge);
    }

    [Theory]
    [InlineData("100000 1 1 1 1 1 1", 1)]
    [InlineData("100000 50000 1 1 1 1 1", 2)]
    [InlineData("100000 9 1 1 1 1 1", 1)]
    [InlineData("1 1 1 1 1 1 1", 0)]
    [InlineData("5 4000 3000 2000 1000 500 200", 0)]
    [InlineData("90000 80000 70000 60000 50000 1 1", 0)]
    public void A_large_run_is_not_written_again_for_small_ones(string documents, int first) =>
        EventIntake.FirstToMerge([.. documents.Split(' ').Select(long.Parse)]).ShouldBe(first);

    /// <summary>Single deliveries, one run each, for a long time: each is written again a few times, and no more runs are there than a statement may have to read.</summary>
    [Fact]
    public void What_is_written_again_grows_with_the_logarithm_of_the_tail()
    {
        List<long> runs = [];
        var written = 0L;
        const int deliveries = 20_000;
        for (var i = 0; i < deliveries; i++)
        {
            runs.Add(1);
            if (runs.Count <= 6) continue;
            var first = EventIntake.FirstToMerge(runs);
            var merged = runs.Skip(first).Sum();
            written += merged;
            runs = [.. runs.Take(first), merged];
            runs.Count.ShouldBeLessThanOrEqualTo(4);
        }

        (written / (double)deliveries).ShouldBeLessThan(40);
    }

    private static TailRun Run(long number, long documents, long bytes) =>
        new(number, new Dictionary<string, string>(), new Dictionary<string, IReadOnlyList<string>>(), "keys.parquet", 0, documents, bytes);
}
