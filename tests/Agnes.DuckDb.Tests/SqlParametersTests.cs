using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

public sealed class SqlParametersTests
{
    [Theory]
    [InlineData("select @a", "select $a")]
    [InlineData("select @a, @b_2", "select $a, $b_2")]
    [InlineData("@a", "$a")]
    [InlineData("where x=@a and y>@b", "where x=$a and y>$b")]
    [InlineData("where n<=@a", "where n<=$a")]
    [InlineData("(@a,@b)", "($a,$b)")]
    [InlineData("limit@n", "limit $n")]
    [InlineData("[@a]::int[]", "[$a]::int[]")]
    [InlineData("@größe", "$größe")]
    [InlineData("select '@a'", "select '@a'")]
    [InlineData("select 'it''s @a', @b", "select 'it''s @a', $b")]
    [InlineData("select 'c:\\', @a", "select 'c:\\', $a")]
    [InlineData("select e'it\\'s @a', @b", "select e'it\\'s @a', $b")]
    [InlineData("select E'\\\\', @a", "select E'\\\\', $a")]
    [InlineData("select table'@a'", "select table'@a'")]
    [InlineData("select \"@a\", @b", "select \"@a\", $b")]
    [InlineData("select \"a\"\"@b\", @c", "select \"a\"\"@b\", $c")]
    [InlineData("select $$ @a $$, @b", "select $$ @a $$, $b")]
    [InlineData("select $x$ $$ @a ' $x$, @b", "select $x$ $$ @a ' $x$, $b")]
    [InlineData("select $$ @a", "select $$ @a")]
    [InlineData("select $a, $1, @b", "select $a, $1, $b")]
    [InlineData("select a$b$ from t where x = @y", "select a$b$ from t where x = $y")]
    [InlineData("-- @a\n@b", "-- @a\n$b")]
    [InlineData("--@a", "--@a")]
    [InlineData("1 - -@a", "1 - -$a")]
    [InlineData("/* @a */ @b", "/* @a */ $b")]
    [InlineData("/* /* @a */ @b */ @c", "/* /* @a */ @b */ $c")]
    [InlineData("/* @a", "/* @a")]
    [InlineData("4/@a*@b", "4/$a*$b")]
    [InlineData("select 'a", "select 'a")]
    [InlineData("select '@a", "select '@a")]
    [InlineData("select @ 5, @@x, @5", "select @ 5, @@x, @5")]
    [InlineData("a <@ b, a @> b", "a <@ b, a @> b")]
    [InlineData("n<@known", "n<$known")]
    [InlineData("list<@other", "list<@other")]
    [InlineData("me@", "me@")]
    [InlineData("", "")]
    public void A_placeholder_is_rewritten_outside_quotes_and_comments_only(string sql, string expected) =>
        SqlParameters.Rewrite(sql, name => name == "known").ShouldBe(expected);

    [Fact]
    public void Any_mix_of_quoted_pieces_and_placeholders_keeps_the_pieces_and_rewrites_the_placeholders()
    {
        string[] quoted = ["'x @q'", "\"y @q\"", "$$z @q ' $$", "$t$ @q $$ $t$", "/* @q ' */", "-- @q \" '\n", "e'\\' @q'", " 1 ", "''", "\"\"", "/* /* @q */ */"];
        var random = new Random(20_240_229);
        for (var round = 0; round < 2_000; round++)
        {
            var sql = "";
            var expected = "";
            for (var i = random.Next(1, 8); i > 0; i--)
            {
                var piece = quoted[random.Next(quoted.Length)];
                var name = "p" + random.Next(10);
                sql += piece + " , @" + name + " ";
                expected += piece + " , $" + name + " ";
            }

            SqlParameters.Rewrite(sql).ShouldBe(expected);
        }
    }
}
