using Agnes.Protocol;

namespace Agnes.Protocol.Tests;

public sealed class IdentifiersTests
{
    [Theory]
    [InlineData("orders", true)]
    [InlineData("_x9", true)]
    [InlineData("9x", false)]
    [InlineData("orders\n", false)]
    [InlineData("a-b", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Strict_names_are_ascii_words_of_at_most_64_characters(string? name, bool valid) => Identifiers.IsStrict(name).ShouldBe(valid);

    [Fact]
    public void A_strict_name_ends_at_64_characters()
    {
        Identifiers.IsStrict(new string('a', 64)).ShouldBeTrue();
        Identifiers.IsStrict(new string('a', 65)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("server")]
    [InlineData("MAIN")]
    public void A_source_must_not_take_the_name_of_an_engine_catalog(string name) => Identifiers.IsSource(name).ShouldBeFalse();
}
