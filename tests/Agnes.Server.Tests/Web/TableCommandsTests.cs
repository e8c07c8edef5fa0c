using System.Text.Json;
using Agnes.Server.Features.Catalog.Pages;

namespace Agnes.Server.Tests.Web;

public sealed class TableCommandsTests
{
    [Theory]
    [InlineData("orders", "agnes query \"SELECT * FROM orders LIMIT 10\"")]
    [InlineData("in.c-crm.orders", "agnes query 'SELECT * FROM \"in.c-crm.orders\" LIMIT 10'")]
    [InlineData("$(rm -rf ~)", "agnes query 'SELECT * FROM \"$(rm -rf ~)\" LIMIT 10'")]
    [InlineData("it's; `id`", "agnes query 'SELECT * FROM \"it'\\''s; `id`\" LIMIT 10'")]
    [InlineData("a\"b", "agnes query 'SELECT * FROM \"a\"\"b\" LIMIT 10'")]
    public void A_name_is_one_argument_whatever_it_holds(string name, string command) => TableCommands.For(name).Query.ShouldBe(command);

    [Theory]
    [InlineData("null", null, false)]
    [InlineData("12.50", "12.50", true)]
    [InlineData("\"a\"", "a", false)]
    [InlineData("true", "true", false)]
    [InlineData("""[{"a":1}]""", """[{"a":1}]""", false)]
    public void A_cell_shows_the_value_as_it_came(string json, string? text, bool isNumber)
    {
        using var document = JsonDocument.Parse(json);
        var cell = SampleCell.Of(document.RootElement);
        cell.Text.ShouldBe(text);
        cell.IsNumber.ShouldBe(isNumber);
    }

    [Fact]
    public void A_long_cell_is_cut_with_more_of_it_at_hand()
    {
        using var document = JsonDocument.Parse(JsonSerializer.Serialize(new string('x', 70_000)));
        var cell = SampleCell.Of(document.RootElement);
        cell.Text!.Length.ShouldBe(121);
        cell.Full!.Length.ShouldBe(1001);
    }
}
