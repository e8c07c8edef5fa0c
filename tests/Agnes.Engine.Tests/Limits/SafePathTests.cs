using Agnes.Engine.Limits;
using Agnes.Testing;

namespace Agnes.Engine.Tests.Limits;

public sealed class SafePathTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SafePathTests()
    {
        Directory.CreateDirectory(_folder["root", "sub", "deep"]);
        foreach (var file in (string[])["a.csv", "b.csv", ".hidden.csv", "sub/c.csv", "sub/deep/d.csv", "sub/e.tsv"]) File.WriteAllText(_folder["root", file], "x");
        File.WriteAllText(_folder["outside.csv"], "secret");
        File.CreateSymbolicLink(_folder["root", "link.csv"], _folder["outside.csv"]);
        Directory.CreateSymbolicLink(_folder["root", "out"], _folder.Path);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("../outside.csv")]
    [InlineData("sub/../../outside.csv")]
    [InlineData("/etc/passwd")]
    [InlineData("a\0.csv")]
    [InlineData("link.csv")]
    [InlineData("out/outside.csv")]
    [InlineData("C:/x")]
    [InlineData("sub\\c.csv")]
    public void What_leads_out_of_the_root_is_refused(string path)
    {
        Should.Throw<UnsafePathException>(() => SafePath.Resolve(_folder["root"], path));
        Should.Throw<UnsafePathException>(() => SafePath.Match(_folder["root"], path));
    }

    [Fact]
    public void A_path_of_more_than_a_thousand_characters_is_refused() =>
        Should.Throw<UnsafePathException>(() => SafePath.Resolve(_folder["root"], new string('a', 65_536)));

    [Theory]
    [InlineData("a.csv", "a.csv")]
    [InlineData("./sub//c.csv", "sub/c.csv")]
    [InlineData("*.csv", "a.csv b.csv")]
    [InlineData("sub/*", "sub/c.csv sub/e.tsv")]
    [InlineData("**/*.csv", "a.csv b.csv sub/c.csv sub/deep/d.csv")]
    [InlineData("s?b/*.csv", "sub/c.csv")]
    [InlineData(".*", ".hidden.csv")]
    [InlineData("none*.csv", "")]
    [InlineData("none.csv", "")]
    public void A_pattern_finds_files_in_order_and_never_through_links(string pattern, string expected) =>
        string.Join(' ', SafePath.Match(_folder["root"], pattern)).ShouldBe(expected);

    [Fact]
    public void A_path_that_does_not_exist_yet_resolves() =>
        SafePath.Resolve(_folder["root"], "new/file.csv").ShouldBe(_folder["root", "new", "file.csv"]);
}
