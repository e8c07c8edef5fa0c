using System.Reflection;
using Agnes.Engine.Query;
using Agnes.Protocol;
using Agnes.Sql;
using Agnes.Sql.BigQuery;
using FsCheck;
using FsCheck.Fluent;

namespace Agnes.Engine.Tests.Query.BigQuery;

/// <summary>
/// What may stand in a WHERE, in both dialects. <c>predicates.txt</c> has a line for each: what BigQuery's dialect makes of it, what
/// DuckDB's does, and the predicate, with ⏎ for the end of a line and tabs between.
/// </summary>
public sealed class PredicateTests(Bench bench) : IClassFixture<Bench>
{
    private static readonly string[] Columns = ["id", "amount", "customer", "day", "rec", "tags", "Total Sum"];

    private static readonly string[] Names = ["orders"];

    public static TheoryData<string, string, string> Listed()
    {
        var rows = new TheoryData<string, string, string>();
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("predicates.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.Split('\t', 3) is [var bigQuery, var duckDb, var text]) rows.Add(bigQuery, duckDb, text.Replace('⏎', '\n'));
        }

        return rows;
    }

    [Fact]
    public void The_list_is_as_long_as_promised()
    {
        Listed().Count(row => row.Data.Item1 != "ok").ShouldBeGreaterThanOrEqualTo(200);
        Listed().Count(row => row.Data.Item2 is not ("ok" or "-")).ShouldBeGreaterThanOrEqualTo(150);
        Listed().Select(row => row.Data.Item3).ShouldBeUnique();
    }

    [Theory]
    [MemberData(nameof(Listed))]
    public void BigQuery_refuses_or_takes_it(string expected, string duckDb, string predicate)
    {
        duckDb.ShouldNotBeEmpty();
        var answer = Predicate.Check(predicate, Columns, Names);

        Told(answer.Fault).ShouldBe(expected, answer.Sql);
        (answer.Sql is null).ShouldBe(answer.Fault is not null);
        if (answer.Sql is not null) StaysItself(answer.Sql);
    }

    [Theory]
    [MemberData(nameof(Listed))]
    public async Task DuckDB_refuses_or_takes_it(string bigQuery, string expected, string predicate)
    {
        bigQuery.ShouldNotBeEmpty();
        if (expected == "-") return; // says something else in the other dialect
        var table = bench.Orders with { Columns = [.. Columns.Select(column => new TableColumn(column, "VARCHAR"))] };
        var answer =
            await bench.Runner.CheckPredicateAsync(Bench.LeaseOf("guest"), table, predicate, "orders", StatementLimits.Default,
            CancellationToken.None);

        answer.Failure.ShouldBeNull();
        Told(answer.Fault).ShouldBe(expected, answer.Sql);
        (answer.Sql is null).ShouldBe(answer.Fault is not null);
    }

    [Theory]
    [InlineData("ORDERS.ID = 1 -- x", "id = 1")]
    [InlineData("`total sum` > 3", "`Total Sum` > 3")]
    [InlineData("ID = 1 or ID = 2 and not AMOUNT < 3", "id = 1 OR id = 2 AND NOT amount < 3")]
    [InlineData("(id = 1 or id = 2) and customer is null", "(id = 1 OR id = 2) AND customer IS NULL")]
    [InlineData("customer = \"it's\" /* x */ \"\"", null)]
    [InlineData("customer = \"it's\"", "customer = 'it\\'s'")]
    [InlineData("customer = '''a\nb'''", "customer = 'a\\x0Ab'")]
    [InlineData("customer = r'\\d' ", "customer = '\\\\d'")]
    [InlineData("customer = 'é\U0001f600'", "customer = '\\u00E9\\U0001F600'")]
    [InlineData("orders.rec.Street.number = 1", "rec.Street.number = 1")]
    [InlineData("date_diff(DAY, day, day) = 1", "date_diff(day, day, DAY) = 1")]
    [InlineData("date_trunc(Day, week(monday)) = day", "date_trunc(day, WEEK(MONDAY)) = day")]
    [InlineData("day > current_date", "day > current_date()")]
    [InlineData("id = - -1", "id = - -1")]
    [InlineData("id <> 1", "id != 1")]
    [InlineData("id + id % 2 = 1", "id + MOD(id, 2) = 1")]
    [InlineData("customer NOT ILIKE 'A%'", "LOWER(customer) NOT LIKE LOWER('A%')")]
    [InlineData("id IN (1,2);", "id IN (1, 2)")]
    public void What_is_sent_is_written_from_the_tree(string predicate, string? expected) =>
        Predicate.Check(predicate, Columns, Names).Sql.ShouldBe(expected);

    [Fact]
    public void A_table_may_be_called_by_any_of_its_names()
    {
        Predicate.Check("a.id = 1 AND b.id = 2", Columns, ["a", "b"]).Sql.ShouldBe("id = 1 AND id = 2");
        Predicate.Check("a.id = 1 AND c.id = 2", Columns, ["a", "b"]).Fault.ShouldBe(new PredicateFault(PredicateFault.CrossTable));
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("NOT ", "")]
    [InlineData("- ", "")]
    [InlineData("ABS(", ")")]
    [InlineData("CASE WHEN TRUE THEN ", " END")]
    [InlineData("CAST(", " AS INT64)")]
    [InlineData("IF(TRUE, 1, ", ")")]
    [InlineData("tags[", "]")]
    [InlineData("(SELECT ", ")")]
    [InlineData("1 + ", "")]
    [InlineData("id IN (", ")")]
    [InlineData("INTERVAL ", " DAY")]
    public void Depth_is_refused_before_the_stack_ends(string open, string close)
    {
        // The smallest stack that a thread is given here; the parser, what walks its trees and what writes them must fit.
        const int stackBytes = 1 << 20;
        foreach (var depth in (int[])[50, 199, 201, 1000])
        {
            PredicateText? answer = null;
            var thread =
                new Thread(() => answer = Predicate.Check($"{Repeat(open, depth)}1{Repeat(close, depth)}", Columns, Names), stackBytes);
            thread.Start();
            thread.Join();
            answer.ShouldNotBeNull();
            var isDeep = answer.Fault is { Kind: PredicateFault.Disallowed };
            if (depth != 199) isDeep.ShouldBe(depth > Parser.DepthMax, $"{depth} {answer.Fault}");
        }
    }

    [Fact]
    public void Types_have_a_depth_too() =>
        Predicate.Check($"CAST(NULL AS {Repeat("ARRAY<", 2000)}INT64{Repeat(">", 2000)}) IS NULL", Columns, Names).Fault
            .ShouldBe(new PredicateFault(PredicateFault.Disallowed));

    [Fact]
    public void Length_is_refused()
    {
        Predicate.Check($"customer = '{new string('x', 32 << 10)}'", Columns, Names).Fault
            .ShouldBe(new PredicateFault(PredicateFault.Unparseable));
        Predicate.Check(string.Join(" OR ", Enumerable.Range(0, 1500).Select(i => $"id = {i}")), Columns, Names).Fault.ShouldBeNull();
    }

    /// <summary>
    /// Whatever is put together, what is accepted is an expression over these columns whose every text came from the predicate's own
    /// quotes.
    /// </summary>
    [Fact]
    public void Nothing_is_smuggled() => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
    {
        var predicate = Splice(seed);
        var answer = Predicate.Check(predicate, Columns, Names);
        if (answer.Sql is not null) StaysItself(answer.Sql);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(4000).WithReplay(20260102, 9));

    /// <summary>What is accepted is accepted again, and written as it is.</summary>
    private static void StaysItself(string sql)
    {
        var again = Predicate.Check(sql, Columns, []);
        again.Fault.ShouldBeNull(sql);
        again.Sql.ShouldBe(sql);
        Parser.ParseStatement($"SELECT 1 FROM t WHERE ({sql})\n").Body.ShouldBeOfType<Select>().Where.ShouldBe(Parser.ParseExpression(sql));
        sql.ShouldAllBe(c => c >= ' ' && c < 0x7f);
    }

    private static string Splice(int seed)
    {
        var random = new Random(seed);
        var all = Listed().Select(row => row.Data.Item3).ToList();
        if (seed % 3 == 0) return Renderer.Render(new RandomTree(seed).Expression(4));
        var (first, second) = (all[random.Next(all.Count)], all[random.Next(all.Count)]);
        return seed % 3 == 1
            ? $"{first[..random.Next(first.Length + 1)]}{second[random.Next(second.Length + 1)..]}"
            : $"({first}) {(random.Next(2) == 0 ? "AND" : "OR")} {second}";
    }

    private static string Told(PredicateFault? fault) =>
        fault is null ? "ok" : fault.Name is null ? fault.Kind : $"{fault.Kind}:{fault.Name}";

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));
}
