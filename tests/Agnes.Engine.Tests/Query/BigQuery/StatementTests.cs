using System.Reflection;
using System.Text.RegularExpressions;
using Agnes.Sql;
using Agnes.Sql.BigQuery;
using FsCheck;
using FsCheck.Fluent;

namespace Agnes.Engine.Tests.Query.BigQuery;

/// <summary>
/// What a statement in BigQuery's dialect may name. <c>references.txt</c> has a statement a line and, behind a tab, what is sent for it
/// or how it is refused. Registered and granted is <c>orders</c>, which is <c>warehouse-1.sales.orders_v2</c>; everything else is hidden
/// or does not exist.
/// </summary>
public sealed partial class StatementTests
{
    public static TheoryData<string, string> Listed()
    {
        var rows = new TheoryData<string, string>();
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("references.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
            if (line.Split('\t') is [var statement, var expected]) rows.Add(statement.Replace('⏎', '\n'), expected);
        return rows;
    }

    [Fact]
    public void The_list_is_as_long_as_promised()
    {
        Listed().Count(row => RefusedAs().IsMatch(row.Data.Item2)).ShouldBeGreaterThanOrEqualTo(40);
        Listed().Count(row => !RefusedAs().IsMatch(row.Data.Item2)).ShouldBeGreaterThanOrEqualTo(20);
        Listed().Select(row => row.Data.Item1).ShouldBeUnique();
    }

    [Theory]
    [MemberData(nameof(Listed))]
    public void A_reference_is_resolved_or_refused(string statement, string expected)
    {
        var answer = StatementRewriter.Rewrite(statement, Granted);

        if (answer.Refusal is { } refusal)
        {
            answer.Sql.ShouldBeNull();
            answer.Tables.ShouldBeEmpty();
            refusal.Message.ShouldNotBeNullOrEmpty();
            var told = $"{refusal.Kind} {(expected.Contains(' ', StringComparison.Ordinal) ? refusal.Name : "")}".TrimEnd();
            told.ShouldBe(expected, refusal.Message);
        }
        else
        {
            answer.Sql.ShouldBe(expected);
            NamesOnlyFullNames(answer.Sql!);
        }
    }

    /// <summary>
    /// Statements are put together by chance; whatever is let through names nothing but the one granted table, by its full name.
    /// </summary>
    [Fact]
    public void Nothing_but_what_is_granted_is_ever_named() => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
    {
        var answer = StatementRewriter.Rewrite(seed % 2 == 0 ? Splice(seed) : RandomText.Of(seed), Granted);
        if (answer.Sql is not null) NamesOnlyFullNames(answer.Sql);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(4000).WithReplay(20260103, 11));

    [Fact]
    public void What_was_named_is_told_with_its_place()
    {
        const string statement = "SELECT * FROM orders AS a JOIN\n bq.\"sales\".\"orders_v2\" AS b USING (id)";
        var answer = StatementRewriter.Rewrite(statement, Granted);

        answer.Tables.Select(table => (table.Reference.Path, table.Reference.Form, table.Reference.At)).ShouldBe(
            [("orders", ReferenceForm.Bare, 14),
                ("bq.\"sales\".\"orders_v2\"", ReferenceForm.Source, statement.IndexOf("bq", StringComparison.Ordinal))]);
        answer.Tables.ShouldAllBe(table => table.Table == new Resolution.Table("warehouse-1", "sales", "orders_v2"));
    }

    [Fact]
    public void A_refusal_says_which_reference_it_is_about()
    {
        var answer = StatementRewriter.Rewrite("SELECT * FROM orders, hr.secrets", Granted);

        answer.Reference.ShouldBe(new TableReference(ReferenceForm.Dataset, null, "hr", "secrets", 22));
    }

    [Theory]
    [InlineData("SELECT *\nFROM orders WHERE )", "(line 2, column 19)")]
    [InlineData("SELECT 'a", "(line 1, column 8)")]
    [InlineData("SELECT $", "(line 1, column 8)")]
    public void A_fault_says_where_it_is(string statement, string place) =>
        StatementRewriter.Rewrite(statement, Granted).Refusal!.Message.ShouldEndWith(place);

    [Theory]
    [InlineData("sa*es", "t")]
    [InlineData("sales", "t` JOIN hr.secrets")]
    [InlineData("sales", "")]
    [InlineData("sales.hr", "t")]
    public void A_name_that_would_say_more_than_a_table_is_not_written(string dataset, string table)
    {
        var answer = StatementRewriter.Rewrite("SELECT 1 FROM orders", _ => new Resolution.Table("warehouse-1", dataset, table));

        answer.Sql.ShouldBeNull();
        answer.Refusal!.Kind.ShouldBe(RefusalKind.TableUnknown);
    }

    [Fact]
    public void A_name_beyond_ASCII_and_a_project_of_a_domain_are_written_whole()
    {
        var answer = StatementRewriter.Rewrite("SELECT 1 FROM orders", _ => new Resolution.Table("example.com:project", "sales", "tržby"));

        answer.Sql.ShouldBe("SELECT 1 FROM `example.com:project.sales.tr\\u017Eby` AS orders");
        StatementRewriter.Rewrite(answer.Sql!, reference =>
            new Resolution.Table(reference.Project!, reference.Dataset!, reference.Table)).Sql.ShouldBe(answer.Sql);
    }

    [Fact]
    public void Everyday_statements_are_taken()
    {
        string[] statements =
        [
            "SELECT customer, SUM(amount) AS total FROM orders WHERE day >= DATE_SUB(CURRENT_DATE(), INTERVAL 30 DAY) GROUP BY "
            + "1 HAVING total > 10 ORDER BY total DESC NULLS LAST LIMIT 10 OFFSET 5",
            "SELECT DISTINCT customer FROM orders QUALIFY ROW_NUMBER() OVER (PARTITION BY customer ORDER BY day DESC) = 1",
            "SELECT AS STRUCT id, STRUCT(day AS d, [1, 2] AS xs) FROM orders",
            "SELECT o.* EXCEPT (id), COUNT(DISTINCT customer) c, ARRAY_AGG(id IGNORE NULLS ORDER BY day LIMIT "
            + "3)[SAFE_OFFSET(0)], FROM orders o GROUP BY ALL",
            "SELECT CASE WHEN id IN UNNEST([1, 2]) THEN 'a' ELSE 'b' END, EXTRACT(WEEK(MONDAY) FROM day), SAFE.SUBSTR(customer, "
            + "0, -1), IF(id > 1, LEFT(customer, 2), NULL) FROM orders",
            "WITH a AS (SELECT * FROM orders), b AS (SELECT id FROM a UNION DISTINCT SELECT id FROM a) SELECT a.id, LAG(a.id) "
            + "OVER w FROM a JOIN b ON a.id = b.id WINDOW w AS (ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
            "SELECT day, GROUPING(customer) FROM orders GROUP BY GROUPING SETS ((day, customer), ROLLUP (day), ())",
            "SELECT SAFE_CAST(customer AS NUMERIC(10, 2)), CAST(day AS STRING FORMAT 'YYYY'), JSON '{}', "
            + "NET.HOST('http://example.com'), HLL_COUNT.INIT(id) FROM orders GROUP BY 1",
            "SELECT n, p FROM UNNEST(GENERATE_DATE_ARRAY('2026-01-01', '2026-02-01', INTERVAL 1 WEEK)) AS n WITH OFFSET AS p;",
        ];
        foreach (var statement in statements)
        {
            var answer = StatementRewriter.Rewrite(statement, Granted);
            answer.Refusal?.Message.ShouldBeNull(statement);
            NamesOnlyFullNames(answer.Sql!);
        }
    }

    private static Resolution Granted(TableReference reference)
    {
        var isGranted = reference.Form switch
        {
            ReferenceForm.Bare => reference.Table.Equals("orders", StringComparison.OrdinalIgnoreCase),
            ReferenceForm.Project => reference is { Project: "warehouse-1", Dataset: "sales", Table: "orders_v2" },
            _ => reference is { Dataset: "sales", Table: "orders_v2" },
        };
        return isGranted
            ? new Resolution.Table("warehouse-1", "sales", "orders_v2")
            : new Resolution.Refused(new Refusal(RefusalKind.TableDenied, $"Access denied to table '{reference.Path}'", reference.Path));
    }

    /// <summary>
    /// Looks at the text with eyes of its own: behind FROM, JOIN and commas in a FROM stand the full name, UNNEST, a bracket or a name of
    /// WITH.
    /// </summary>
    private static void NamesOnlyFullNames(string sql)
    {
        sql.ShouldAllBe(c => c >= ' ' && c < 0x7f);
        var defined = 0;
        // Sent again it is the same: all that it names is granted by full name, or of its own WITH.
        var again = StatementRewriter.Rewrite(sql, reference =>
        {
            reference.Form.ShouldBe(ReferenceForm.Project, sql);
            defined++;
            return Granted(reference);
        });
        again.Sql.ShouldBe(sql);
        FullName().Count(TextFree(sql)).ShouldBe(defined, sql);
    }

    private static string TextFree(string sql) => Text().Replace(sql, "''");

    private static string Splice(int seed)
    {
        var random = new Random(seed);
        var all = Listed().Select(row => row.Data.Item1).ToList();
        var (first, second) = (all[random.Next(all.Count)].Split(' '), all[random.Next(all.Count)].Split(' '));
        var text = string.Join(' ', [.. first[..random.Next(first.Length + 1)], .. second[random.Next(second.Length + 1)..]]);
        return random.Next(3) switch
        {
            0 => text.Replace("orders", "secrets", StringComparison.Ordinal),
            1 => $"WITH secrets AS ({text}) SELECT * FROM secrets",
            _ => text,
        };
    }

    [GeneratedRegex("^(TableDenied|FunctionDenied|Broken|NotASelect|TooLarge)")]
    private static partial Regex RefusedAs();

    [GeneratedRegex(@"`warehouse-1\.sales\.orders_v2`")]
    private static partial Regex FullName();

    [GeneratedRegex(@"'(\\.|[^'\\])*'")]
    private static partial Regex Text();
}
