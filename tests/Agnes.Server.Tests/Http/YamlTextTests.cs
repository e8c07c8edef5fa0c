using System.Diagnostics;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Tests.Http;

/// <summary>YAML that somebody uploads: what it may cost, and what it may mean.</summary>
public sealed class YamlTextTests
{
    private const int BytesMax = 1 << 20;
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(5);

    public static TheoryData<string, string> Hostile => new()
    {
        { "an alias", "a: &x [1]\nb: *x" },
        { "a merge", "a: &x {k: 1}\nb: {<<: *x}" },
        { "the same key twice", "sql: SELECT 1\nsql: SELECT 2" },
        { "the same key twice in a flow", "{a: 1, a: 2}" },
        { "a tab as indentation", "a:\n\tb: 1" },
        { "two documents", "a: 1\n---\nb: 2" },
        { "a list as a key", "[a]: 1" },
        { "no end", "a: \"x" },
        { "deep lists", new string('[', BytesMax) },
        { "deep mappings", string.Concat(Enumerable.Repeat("{a: ", BytesMax / 4)) },
        { "deep sequences", string.Concat(Enumerable.Repeat("- ", BytesMax / 2)) },
        { "deep keys", string.Concat(Enumerable.Repeat("? ", BytesMax / 2)) },
        { "many values", string.Concat(Enumerable.Repeat("- a\n", BytesMax / 4)) },
        { "many short lists", string.Concat(Enumerable.Repeat("- []\n", BytesMax / 5)) },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void What_no_file_of_ours_holds_is_refused_at_once(string what, string yaml)
    {
        var clock = Stopwatch.StartNew();
        Should.Throw<FormatException>(() => YamlText.Read(yaml), what).Message.Length.ShouldBeLessThan(400, what);
        clock.Elapsed.ShouldBeLessThan(TimeMax, what);
    }

    [Fact]
    public void A_long_text_and_what_looks_like_a_type_stay_what_they_are()
    {
        var text = new string('x', BytesMax);
        YamlText.Read($"a: {text}")!["a"]!.GetValue<string>().ShouldBe(text);
        YamlText.Read("a: !!python/object:os.system x")!["a"]!.GetValue<string>().ShouldBe("x");
        YamlText.Read("a: 0123\nb: 1e5\nc: 2026-01-01\nd: no")!.ToJsonString().ShouldBe("""{"a":"0123","b":"1e5","c":"2026-01-01","d":"no"}""");
    }
}
