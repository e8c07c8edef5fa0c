using Agnes.Engine.Query;
using Agnes.Testing;

namespace Agnes.Engine.Tests.Query.Remote;

/// <summary>What is sent to another system is the statement that was looked at, in the engine's own words, or nothing.</summary>
public sealed class CanonicalTests(Bench bench) : IClassFixture<Bench>
{
    [Theory]
    [InlineData(11)]
    [InlineData(12, Traits = ["Runs", "long"])]
    [InlineData(13, Traits = ["Runs", "long"])]
    public async Task What_is_sent_reads_as_the_statement_that_was_asked(int seed)
    {
        using var system = new EngineTables();
        var scope = Scope.Of([system.Table("sales")]);
        var questions = new RandomQuestions(seed);
        var sent = 0;
        for (var i = 0; i < 60; i++)
        {
            var sql = questions.Next();
            system.Asked.Clear();
            var (outcome, _) = await bench.RunAsync(sql, scope);
            if (outcome.Message is { } message) message.ShouldNotContain("cannot be written", Case.Sensitive, sql);
            if (system.Asked.Count == 0) continue;
            sent++;
            system.TreeOf(system.Asked[0].Sql).ShouldBe(system.TreeOf(sql), sql);
        }

        sent.ShouldBeGreaterThan(50);
    }

    /// <summary>
    /// The engine writes the name before <c>.*</c> without its quotes: what was a name becomes SQL that nobody looked at.
    /// </summary>
    [Theory]
    [InlineData("SELECT \"s.id, s\".* FROM sales AS \"s.id, s\"")]
    [InlineData("SELECT id, \"(SELECT 1), s\".* FROM sales AS \"(SELECT 1), s\"")]
    public async Task What_would_be_another_statement_is_not_sent(string sql)
    {
        using var system = new EngineTables();
        var (outcome, _) = await bench.RunAsync(sql, Scope.Of([system.Table("sales")]));
        outcome.Status.ShouldBe(StatementStatus.EngineError, outcome.Message);
        outcome.Message!.ShouldContain("cannot be written for the source");
        system.Asked.ShouldBeEmpty();
    }
}
