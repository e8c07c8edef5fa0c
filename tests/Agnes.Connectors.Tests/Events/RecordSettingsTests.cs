using System.Text.Json.Nodes;
using Agnes.Connectors.Records;

namespace Agnes.Connectors.Tests.Events;

public sealed class RecordSettingsTests
{
    private static readonly JsonNode Document = JsonNode.Parse("""{"a":{"b":[{"c":1},{"d e":"x"}]},"f.g":true}""")!;

    [Theory]
    [InlineData("a.b[0].c", "1")]
    [InlineData("$.a.b[1].\"d e\"", "\"x\"")]
    [InlineData("\"f.g\"", "true")]
    [InlineData("$", """{"a":{"b":[{"c":1},{"d e":"x"}]},"f.g":true}""")]
    [InlineData("a.b[7].c", null)]
    [InlineData("a.x.c", null)]
    public void A_path_leads_to_a_value_or_nowhere(string path, string? expected) => FieldPath.TryParse(path)!.Find(Document)?.ToJsonString().ShouldBe(expected);

    [Theory]
    [InlineData("")]
    [InlineData("a..b")]
    [InlineData("a[")]
    [InlineData("a[x]")]
    [InlineData("a[-1]")]
    [InlineData("a b")]
    [InlineData("a.")]
    [InlineData("\"a")]
    public void What_is_no_path_is_none(string path) => FieldPath.TryParse(path).ShouldBeNull();

    [Theory]
    [InlineData("", "one to 1000 are needed")]
    [InlineData("a what a", "Write: name type path")]
    [InlineData("a text a b", "Write: name type path")]
    [InlineData("a; A", "twice")]
    [InlineData("_id", "a name of ours")]
    [InlineData("1a", "cannot be the name")]
    public void Columns_that_cannot_be_are_refused_with_what_to_write(string columns, string says) =>
        Should.Throw<FormatException>(() => RecordSettings.Parse(new Dictionary<string, string> { ["columns"] = columns }, "t")).Message.ShouldContain(says);
}
