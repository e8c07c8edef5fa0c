using Agnes.Sql.BigQuery;
using FsCheck;
using FsCheck.Fluent;

namespace Agnes.Engine.Tests.Query.BigQuery;

/// <summary>
/// What is written from a tree is read as the same tree, whatever is in it. That is what lets a checked tree stand for a text.
/// </summary>
public sealed class RoundTripTests
{
    /// <summary>The same trees in every run; take it out to search for others.</summary>
    private static readonly Config Fixed = Config.QuickThrowOnFailure.WithMaxTest(3000).WithReplay(20260101, 7);

    private static readonly Arbitrary<int> Seeds = Gen.Choose(0, int.MaxValue).ToArbitrary();

    [Fact]
    public void An_expression_is_read_as_it_was_written() => Prop.ForAll(Seeds, seed =>
    {
        var tree = new RandomTree(seed).Expression(seed % 5);
        var text = Renderer.Render(tree);
        var read = Parser.ParseExpression(text, Parser.StatementBytesMax);
        read.ShouldBe(tree, text);
        Renderer.Render(read).ShouldBe(text);
    }).Check(Fixed);

    [Fact]
    public void A_query_is_read_as_it_was_written() => Prop.ForAll(Seeds, seed =>
    {
        var tree = new RandomTree(seed).Query(seed % 5);
        var text = Renderer.Render(tree);
        var read = Parser.ParseStatement(text);
        read.ShouldBe(tree, text);
        Renderer.Render(read).ShouldBe(text);
    }).Check(Fixed);

    [Fact]
    public void What_is_written_is_one_line_of_ASCII_without_comments() => Prop.ForAll(Seeds, seed =>
    {
        var text = Renderer.Render(new RandomTree(seed).Query(seed % 5));
        text.ShouldAllBe(c => c >= ' ' && c < 0x7f);
        Tokens(text).ShouldNotContain("--");
    }).Check(Fixed);

    /// <summary>Any text at all is a tree or a fault, and what is a tree stays one.</summary>
    [Fact]
    public void No_text_makes_the_parser_fail_otherwise() => Prop.ForAll(Seeds, seed =>
    {
        var text = RandomText.Of(seed);
        try
        {
            var tree = Parser.ParseStatement(text);
            Parser.ParseStatement(Renderer.Render(tree)).ShouldBe(tree, text);
        }
        catch (SyntaxFault fault)
        {
            fault.Describe(text).ShouldNotBeNullOrEmpty();
            fault.At.ShouldBeInRange(0, text.Length);
        }
    }).Check(Fixed);

    /// <summary>What is left of a text when its quotes are cut out.</summary>
    private static string Tokens(string text)
    {
        var left = new System.Text.StringBuilder();
        char? quote = null;
        for (var i = 0; i < text.Length; i++)
        {
            if (quote is null && text[i] is '\'' or '`') quote = text[i];
            else if (quote is not null && text[i] == '\\') i++;
            else if (text[i] == quote) quote = null;
            else if (quote is null) left.Append(text[i]);
        }

        quote.ShouldBeNull(text);
        return left.ToString();
    }
}
