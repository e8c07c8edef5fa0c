using Agnes.Engine.Limits;

namespace Agnes.Engine.Tests.Limits;

public sealed class BudgetTests
{
    [Theory]
    [InlineData("512MiB", 512L << 20)]
    [InlineData("4GiB", 4L << 30)]
    [InlineData("1.5 gb", 1_500_000_000)]
    [InlineData("1073741824", 1L << 30)]
    public void Amounts_are_read_in_the_usual_units(string text, long bytes) => Budget.ParseBytes(text).ShouldBe(bytes);

    [Theory]
    [InlineData("lots")]
    [InlineData("4 elephants")]
    [InlineData("-1GB")]
    [InlineData("0")]
    [InlineData("1e30GB")]
    public void What_is_no_amount_is_refused(string text) => Should.Throw<FormatException>(() => Budget.ParseBytes(text));

    [Theory]
    [InlineData(1L << 30, 2)]
    [InlineData(8L << 30, 2)]
    [InlineData(64L << 30, 64)]
    [InlineData(512L << 20, 1)]
    public void The_shares_never_add_up_to_more_than_the_whole(long total, int processors)
    {
        var budget = Budget.FromTotal(total, processors);
        (budget.State.MemoryBytes + budget.Jobs.MemoryBytes + budget.Publishing.MemoryBytes + budget.Query.MemoryBytes * budget.QueryWorkers).ShouldBeLessThanOrEqualTo(total);
        var remote = total < 2L << 30 ? 0 : budget.Remote.MemoryBytes * budget.RemoteBrokers; // on top of what is less
        var children = budget.Jobs.MemoryBytes + budget.Publishing.MemoryBytes + budget.Query.MemoryBytes * budget.QueryWorkers + remote;
        (budget.State.MemoryBytes + children).ShouldBeLessThanOrEqualTo(total);
        budget.RemoteBrokers.ShouldBeGreaterThan(0);
        budget.NetworkChildren.ShouldBeInRange(2, 4);
        (budget.Network.MemoryBytes * budget.NetworkChildren).ShouldBeLessThanOrEqualTo(Math.Max(budget.Jobs.MemoryBytes, 256L << 20));
        budget.QueryWorkers.ShouldBeGreaterThan(0);
        budget.Query.MemoryBytes.ShouldBeGreaterThanOrEqualTo(64L << 20);
    }

    [Theory]
    [InlineData(1L << 30, 8, 1)]
    [InlineData(8L << 30, 2, 2)]
    [InlineData(8L << 30, 64, 8)]
    public void An_extracting_child_has_no_more_threads_than_its_memory_feeds(long total, int processors, int threads) => Budget.FromTotal(total, processors).Jobs.Threads.ShouldBe(threads);

    [Fact]
    public void Too_little_memory_is_refused_with_the_setting_named() =>
        Should.Throw<FormatException>(() => Budget.FromEnvironment("100MB", 2)).Message.ShouldContain("AGNES_MEMORY");
}
