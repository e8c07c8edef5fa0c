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

    private static TailRun Run(long number, long documents, long bytes) =>
        new(number, new Dictionary<string, string>(), new Dictionary<string, IReadOnlyList<string>>(), "keys.parquet", 0, documents, bytes);
}
