using Agnes.Engine.Query;

namespace Agnes.Engine.Tests.Query;

public sealed class EngineMessagesTests
{
    [Theory]
    [InlineData("IO Error: Cannot open file \"/data/parts/ab/abc.parquet\": No such file", "IO Error: Cannot open file '…': No such file")]
    [InlineData("Permission Error: Cannot access file '/etc/passwd' - file system", "Permission Error: Cannot access file '…' - file system")]
    [InlineData("IO Error: /data/scratch/x/y.tmp is gone", "IO Error: … is gone")]
    [InlineData("IO Error: 'C:\\data\\x.parquet' is gone", "IO Error: '…' is gone")]
    [InlineData("Binder Error: Referenced column \"nme\" not found. Candidate bindings: \"name\"", "Binder Error: Referenced column \"nme\" not found. Candidate bindings: \"name\"")]
    [InlineData("Conversion Error: a/b", "Conversion Error: a/b")]
    [InlineData("No function matches 'a // b' or 1 / 2", "No function matches 'a // b' or 1 / 2")]
    public void Paths_go_and_the_useful_part_stays(string message, string expected) => EngineMessages.Clean(message).ShouldBe(expected);

    [Fact]
    public void A_very_long_message_is_cut() => EngineMessages.Clean(new string('x', 100_000)).Length.ShouldBeLessThan(2100);
}
