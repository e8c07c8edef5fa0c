using Agnes.Server.Platform.Http;

namespace Agnes.Server.Tests.DataPlane;

public sealed class ByteRangesTests
{
    private const long Size = 1000;

    [Theory]
    [InlineData("bytes=0-0", "0-0")]
    [InlineData("bytes=0-3", "0-3")]
    [InlineData("bytes=990-", "990-999")]
    [InlineData("bytes=-10", "990-999")]
    [InlineData("bytes=-5000", "0-999")]
    [InlineData("bytes=500-5000", "500-999")]
    [InlineData("Bytes = 0-1", "0-1")]
    [InlineData("bytes=0-1,10-11", "0-1 10-11")]
    [InlineData("bytes=10-11, 0-1 ,,", "0-1 10-11")]
    [InlineData("bytes=0-10,5-20,21-30", "0-30")]
    [InlineData("bytes=0-1,5000-6000", "0-1")]
    [InlineData("bytes=0-99999999999999999999999", "0-999")]
    public void A_satisfiable_range_is_cut_to_the_file_and_overlaps_are_merged(string header, string expected)
    {
        var (outcome, ranges) = ByteRanges.Parse(header, Size);
        outcome.ShouldBe(RangeOutcome.Partial);
        string.Join(' ', ranges.Select(range => $"{range.First}-{range.Last}")).ShouldBe(expected);
    }

    [Theory]
    [InlineData("bytes=1000-")]
    [InlineData("bytes=5000-6000")]
    [InlineData("bytes=-0")]
    [InlineData("bytes=99999999999999999999999-")]
    public void A_range_outside_the_file_is_unsatisfiable(string header) => ByteRanges.Parse(header, Size).Outcome.ShouldBe(RangeOutcome.Unsatisfiable);

    [Theory]
    [InlineData("bytes")]
    [InlineData("bytes=")]
    [InlineData("=0-1")]
    [InlineData("bytes=-")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=5-2")]
    [InlineData("bytes=0-1-2")]
    [InlineData("bytes=+1-2")]
    [InlineData("bytes=١-٢")]
    [InlineData("bytes=0-1,x")]
    public void What_is_no_range_is_malformed(string header) => ByteRanges.Parse(header, Size).Outcome.ShouldBe(RangeOutcome.Malformed);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("items=0-1")]
    public void Without_a_range_in_bytes_the_whole_file_is_meant(string? header) => ByteRanges.Parse(header, Size).Outcome.ShouldBe(RangeOutcome.Whole);

    [Fact]
    public void Nobody_gets_more_than_a_bounded_number_of_ranges() =>
        ByteRanges.Parse("bytes=" + string.Join(',', Enumerable.Range(0, 65).Select(i => $"{i * 10}-{i * 10}")), Size).Outcome.ShouldBe(RangeOutcome.Malformed);

    [Fact]
    public void An_empty_file_has_no_satisfiable_range() => ByteRanges.Parse("bytes=0-", 0).Outcome.ShouldBe(RangeOutcome.Unsatisfiable);
}
