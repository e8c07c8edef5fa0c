using Agnes.Engine.Query;
using Agnes.Engine.Tests.Query;
using Agnes.Sql;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Engine.Tests.Walls;

/// <summary>The guard without the sandbox behind it: every table that the engine would read has been named by it, and what is run is what was looked at.</summary>
public sealed class GuardAloneTests(Bench bench) : IClassFixture<Bench>
{
    public static TheoryData<string> Tricks() =>
    [
        // names that one side folds and the other does not
        "WITH \"É\" AS (SELECT 1 AS id) SELECT * FROM \"é\"", "WITH \"é\" AS (SELECT 1 AS id) SELECT * FROM \"É\", é", "WITH RECURSIVE \"É\" AS (SELECT 1 AS id UNION ALL SELECT id + 1 FROM \"é\" WHERE id < 3) FROM \"É\"",
        "WITH SECRETS AS (SELECT 1 AS id) FROM secrets", "WITH \"É\" AS (SELECT 1 AS id), \"é\" AS (SELECT id + 1 AS id FROM \"É\") FROM \"É\", \"é\"", "WITH \"É\" AS (FROM \"é\") FROM \"É\"",
        // a schema called recurring, and a CTE of the table's name
        "WITH t AS (SELECT 1 AS id) SELECT * FROM recurring.t", "WITH RECURSIVE t AS (SELECT 1 AS id UNION ALL SELECT id + 1 FROM t WHERE id < 2) SELECT * FROM recurring.t", "SELECT * FROM recurring.secrets", "FROM recurring",
        "WITH RECURSIVE t(a, b) USING KEY (a) AS (SELECT 1, 1 UNION SELECT t.a, t.b + 1 FROM t JOIN recurring.t r ON r.a = t.a WHERE t.b < 3) FROM t",
        "WITH RECURSIVE t(a, b) USING KEY (a) AS (SELECT 1, 1 UNION SELECT t.a, t.b + 1 FROM t WHERE t.b < 3) FROM recurring.t",
        "WITH RECURSIVE t(a, b) USING KEY (a) AS (SELECT id, id FROM recurring.t UNION SELECT t.a, t.b + 1 FROM t WHERE t.b < 3) FROM t",
        "WITH RECURSIVE t(a, b) USING KEY (a) AS (SELECT 1, 1 UNION SELECT a, b + 1 FROM (WITH t AS (SELECT 1 AS a, 5 AS b) SELECT r.a, r.b FROM recurring.t r JOIN t USING (a)) WHERE b < 3) FROM t",
        "WITH RECURSIVE t(a, b) USING KEY (a) AS (SELECT 1, 1 UNION SELECT t.a, t.b + 1 FROM t WHERE t.b < 3), u AS (SELECT * FROM recurring.t) FROM u",
        "WITH RECURSIVE t(a, b) USING KEY (a) AS (SELECT 1, 1 UNION SELECT t.a, t.b + 1 FROM t WHERE t.b < (SELECT max(b) FROM recurring.t)) FROM t",
        "WITH RECURSIVE T(a, b) USING KEY (a) AS (SELECT 1, 1 UNION SELECT t.a, t.b + 1 FROM t JOIN RECURRING.t r ON true WHERE t.b < 3) FROM t", "WITH RECURSIVE t AS (SELECT 1 AS id UNION ALL SELECT t.id + 1 FROM t, recurring.t r WHERE t.id < 3) FROM t",
        "WITH RECURSIVE a(x) USING KEY (x) AS (SELECT 1 UNION SELECT x + 1 FROM a, recurring.secrets s WHERE x < 3) FROM a", "WITH RECURSIVE t(a) USING KEY (a) AS (SELECT 1 UNION SELECT a + 1 FROM t WHERE a < (SELECT count(*) FROM recurring.orders)) FROM t",
        // windows by name
        "SELECT id FROM orders WINDOW w AS ()", "SELECT 1 AS a FROM orders WINDOW w AS (ORDER BY (SELECT max(secret) FROM secrets))", "SELECT id AS w, id AS secrets, max(id) FROM orders GROUP BY 1, 2 WINDOW w AS (ORDER BY (SELECT max(id) FROM secrets))",
        "SELECT sum(id) OVER w FROM orders WINDOW w AS (ORDER BY (SELECT max(secret) FROM secrets))", "SELECT sum(id) OVER (w ORDER BY id) FROM orders WINDOW w AS (PARTITION BY (SELECT max(secret) FROM secrets))",
        "SELECT sum(id) OVER x FROM orders WINDOW w AS (PARTITION BY (SELECT max(secret) FROM secrets)), x AS (w)", "SELECT (SELECT count(*) OVER w FROM secrets WINDOW w AS () LIMIT 1) FROM orders WINDOW w AS (ORDER BY id)", "SELECT 1 FROM orders WINDOW secrets AS (), w AS (ORDER BY secrets)",
        // where a name becomes known, and where not yet
        "WITH secrets AS (FROM secrets) FROM secrets", "SELECT * FROM (WITH secrets AS (SELECT 9 AS x) FROM secrets) a, secrets", "WITH a AS (FROM b), b AS (SELECT 1) FROM a", "WITH t AS (SELECT 1 AS x) SELECT * FROM t, (WITH t AS (SELECT x + 1 AS x FROM t) FROM t) u",
        "(WITH secrets AS (SELECT 1 AS id) SELECT id FROM secrets) UNION ALL (SELECT id FROM secrets)", "WITH secrets AS (SELECT 1 AS id) (SELECT id FROM secrets) UNION ALL (SELECT id FROM secrets)", "SELECT (WITH secrets AS (SELECT 4 AS x) SELECT x FROM secrets) FROM secrets",
        "WITH RECURSIVE secrets AS (SELECT id FROM secrets UNION ALL SELECT id + 1 FROM secrets WHERE id < 102) FROM secrets", "WITH RECURSIVE secrets AS (FROM t) FROM secrets", "WITH RECURSIVE secrets AS (FROM secrets) FROM secrets",
        "WITH a AS MATERIALIZED (WITH secrets AS (SELECT 1 AS id) FROM secrets), b AS (FROM secrets) FROM a, b", "SELECT * FROM orders o, LATERAL (WITH secrets AS (SELECT o.id) FROM secrets) l, LATERAL (FROM secrets WHERE id > o.id) m",
        "WITH secrets AS (SELECT 1) SELECT * FROM main.secrets", "WITH main AS (SELECT 1) SELECT * FROM main.secrets", "WITH secrets AS (SELECT 1) SELECT * FROM memory.secrets", "WITH secrets AS (SELECT 1) SELECT * FROM memory.main.secrets",
        // other ways to name a table
        "FROM secrets AS orders(id)", "SELECT orders.id FROM secrets AS orders", "SELECT secrets FROM secrets", "SELECT s.secret.upper() FROM secrets s", "SELECT id FROM orders QUALIFY row_number() OVER (ORDER BY (SELECT max(id) FROM secrets)) = 1", "SELECT COLUMNS(c -> c IN (SELECT secret FROM secrets)) FROM orders",
        "SELECT * REPLACE ((SELECT max(secret) FROM secrets) AS id) FROM orders", "SELECT * FROM orders POSITIONAL JOIN secrets", "SELECT * FROM orders ASOF JOIN secrets ON orders.id >= secrets.id", "VALUES ((SELECT max(secret) FROM secrets))", "SELECT * FROM (VALUES ((SELECT max(secret) FROM secrets))) v",
        "DESCRIBE secrets", "SUMMARIZE secrets", "SELECT column_name FROM (DESCRIBE secrets)", "SELECT count(*) FROM (SUMMARIZE FROM secrets)", "PIVOT secrets ON id IN (100, 101) USING max(secret)", "SELECT * FROM secrets PIVOT (max(secret) FOR id IN (100))", "UNPIVOT secrets ON secret INTO NAME n VALUE v",
        "WITH p AS (PIVOT secrets ON id IN (100) USING max(secret)) FROM p", "SELECT count(*) FROM secrets TABLESAMPLE reservoir(100%)", "SELECT [s.secret FOR s IN (SELECT list(secrets) FROM secrets)]", "SELECT list_transform([1], lambda x: (SELECT max(secret) FROM secrets))", "SELECT array(FROM secrets SELECT id)",
        "SELECT id FROM orders LIMIT (SELECT count(*) FROM secrets) - 2", "SELECT * FROM range((SELECT max(id) FROM secrets))", "SELECT unnest((SELECT list(secret) FROM secrets))", "TABLE secrets", "SELECT 1 FROM orders GROUP BY GROUPING SETS ((), ((SELECT max(id) FROM secrets)))",
        "SELECT id FROM orders ORDER BY (SELECT max(id) FROM secrets s WHERE s.id > orders.id)", "SELECT max(id) FILTER (WHERE id < (SELECT max(id) FROM secrets)) FROM orders", "SELECT /* FROM t */ 'secrets' -- é\n FROM orders", "SELECT $$ FROM secrets $$ AS \"secrets\" FROM orders", "FROM orders SELECT E'\\'secrets' AS s",
    ];

    [Theory]
    [MemberData(nameof(Tricks))]
    public void A_statement_reads_no_table_that_the_guard_was_not_told_of(string sql)
    {
        using var oracle = new StatementOracle();
        var parsed = oracle.Parser.Parse(sql);
        if (parsed.Shape != StatementShape.Select) return; // refused, whatever it is

        var (whole, named) = oracle.Ask(parsed, sql);

        named.ShouldBe(whole, $"named: {string.Join(", ", parsed.Tables)}; run: {parsed.Rewritten ?? sql}");
    }

    [Fact]
    public void Nor_does_any_of_six_hundred_nested_ones()
    {
        using var oracle = new StatementOracle();
        var random = new StatementMaker(9);
        var read = 0;
        for (var i = 0; i < 600; i++)
        {
            var sql = random.Next();
            var parsed = oracle.Parser.Parse(sql);
            if (parsed.Shape == StatementShape.Broken) continue; // two of one name beside each other
            parsed.Shape.ShouldBe(StatementShape.Select, sql);
            var (whole, named) = oracle.Ask(parsed, sql);
            named.ShouldBe(whole, $"{sql}\nnamed: {string.Join(", ", parsed.Tables)}; run: {parsed.Rewritten ?? sql}");
            if (!Enum.TryParse<DuckDBErrorType>(whole, out _)) read++;
        }

        read.ShouldBeGreaterThan(200); // otherwise most of them show nothing
    }

    [Theory]
    [InlineData("SELECT id FROM orders WINDOW w AS (ORDER BY (SELECT max(secret) FROM secrets))")]
    [InlineData("SELECT id AS secret, id AS w, 'secrets' AS secrets FROM orders WINDOW w AS (ORDER BY (SELECT max(secret) FROM main.secrets))")]
    [InlineData("WITH a AS (SELECT id FROM orders WINDOW w AS (ORDER BY getenv('HOME'))) FROM a")]
    [InlineData("SELECT id AS \"window\", 'w' AS w, 'secret' AS secret, 'secrets' AS secrets FROM orders WINDOW w AS (ORDER BY (SELECT max(secret) FROM secrets))")]
    [InlineData("SELECT sum(id) OVER () AS a, 'v' AS v, 'HOME' AS b FROM orders WINDOW v AS (ORDER BY 'HOME')")]
    public void What_the_tree_does_not_hold_is_not_run(string sql)
    {
        using var oracle = new StatementOracle();
        var parsed = oracle.Parser.Parse(sql);

        parsed.Rewritten.ShouldNotBeNull().ShouldNotContain("WINDOW ");
        parsed.Rewritten.ShouldNotContain("getenv");
        oracle.Answer(parsed.Rewritten).ShouldBe(oracle.Answer(sql));
    }

    /// <summary>The binder's list, asked of the engine: a name that gives a value where there is no column is a call.</summary>
    [Theory]
    [InlineData("current_user")]
    [InlineData("SESSION_USER")]
    [InlineData("current_role")]
    [InlineData("\"current_catalog\"")]
    [InlineData("current_schema")]
    public async Task A_function_that_is_called_without_brackets_is_a_function(string name)
    {
        using var oracle = new StatementOracle();
        Enum.TryParse<DuckDBErrorType>(oracle.Answer($"SELECT {name}"), out _).ShouldBeFalse();
        var bare = EngineNames.Lower(name.Trim('"'));
        foreach (var sql in (string[])[$"SELECT {name}", $"SELECT id FROM orders WHERE {name} = 'x'", $"WITH a AS (SELECT id, {name} AS u FROM orders) FROM a ORDER BY u"])
        {
            var (outcome, _) = await bench.RunAsync(sql);
            outcome.Status.ShouldBe(StatementStatus.FunctionDenied, sql);
            outcome.Message.ShouldBe($"Function '{bare}' is not allowed in a query. A column of that name is written with its table: t.{bare}");
        }

        oracle.Parser.Parse($"SELECT t.{name} FROM (SELECT 1 AS {name}) t").Functions.ShouldBeEmpty();
    }

    /// <summary>Whatever else the engine's binder takes for a function: each name of a function, without brackets.</summary>
    [Fact]
    public void No_other_name_is_a_call_without_brackets()
    {
        using var oracle = new StatementOracle();
        var names = FunctionListTests.Engine().Concat(["localtime", "localtimestamp", "current_time", "current_timestamp", "user"]).Distinct(StringComparer.OrdinalIgnoreCase);
        names.Where(name => name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') && !Enum.TryParse<DuckDBErrorType>(oracle.Answer($"SELECT \"{name}\""), out _) && oracle.Parser.Parse($"SELECT \"{name}\"").Functions.Count == 0).ShouldBeEmpty();
    }

    /// <summary>Rows, names of columns and marks in error texts are those of what was sent, but where a part of it is never used.</summary>
    [Fact]
    public void Everyday_statements_run_as_they_were_written()
    {
        using var oracle = new StatementOracle();

        AllowedSqlTests.Everyday().Select(row => row.Data).Concat(HostileSql.NamingTheTable("secrets"))
            .Where(sql => !sql.Contains("WINDOW", StringComparison.Ordinal) && oracle.Parser.Parse(sql) is { Shape: StatementShape.Unseen } or { Shape: StatementShape.Select, Rewritten: not null })
            .ShouldBeEmpty();
    }

    [Theory]
    [InlineData("SELECT id, sum(id) OVER w, rank() OVER (w ORDER BY id), id::DOUBLE AS d FROM secrets WINDOW w AS (PARTITION BY secret) ORDER BY id")]
    [InlineData("SELECT count(*) OVER w, lag(id, 1, 0) OVER w, 1 + id, upper(secret), CASE WHEN id > 100 THEN 'a' END FROM secrets WINDOW w AS (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)")]
    [InlineData("WITH v(a) AS (VALUES (1), (2)) SELECT a, sum(a) OVER w FROM v JOIN (VALUES (1)) u(b) ON a >= b WINDOW w AS (ORDER BY a) ORDER BY a")]
    [InlineData("FROM secrets SELECT first_value(secret) OVER w AS s, \"secrets\".id % 7 WINDOW w AS (ORDER BY id DESC)")]
    public void A_window_by_name_gives_what_it_gave(string sql)
    {
        using var oracle = new StatementOracle();

        oracle.Answer(oracle.Parser.Parse(sql).Rewritten.ShouldNotBeNull()).ShouldBe(oracle.Answer(sql));
    }

    [Fact]
    public async Task A_statement_that_cannot_be_written_anew_as_it_was_is_refused_with_a_way_out()
    {
        // The engine writes 1e5 so that it reads a decimal number where a float was.
        var (outcome, _) = await bench.RunAsync("SELECT sum(id * 1e5) OVER w FROM orders WINDOW w AS (ORDER BY id)");

        outcome.Status.ShouldBe(StatementStatus.NotASelect);
        outcome.Message.ShouldBe("'w' cannot be followed through the query. Leave it out where nothing uses it; write a window where it is used: OVER (…).");
        (await bench.RunAsync("SELECT sum(id * 1e5) OVER (ORDER BY id) FROM orders")).Outcome.Status.ShouldBe(StatementStatus.Ok);
    }

    [Theory]
    [InlineData("WITH \"É\" AS (SELECT 1 AS id) SELECT * FROM \"é\"", "é")]
    [InlineData("WITH secrets AS (SELECT 1 AS id) SELECT * FROM recurring.secrets", "recurring.secrets")]
    [InlineData("SELECT * FROM \"ORDERſ\"", "ORDERſ")]
    public async Task A_name_that_only_looks_like_a_known_one_is_denied(string sql, string name)
    {
        var (outcome, _) = await bench.RunAsync(sql);

        outcome.Status.ShouldBe(StatementStatus.TableDenied);
        outcome.Message.ShouldBe($"Access denied to table '{name}'");
    }

    [Fact]
    public async Task A_table_is_not_found_by_a_name_that_the_engine_holds_for_another()
    {
        var scope = Scope.Of([bench.Orders with { Name = "commandes_é" }]);

        (await bench.RunAsync("SELECT count(*) FROM \"COMMANDES_é\"", scope)).Outcome.Status.ShouldBe(StatementStatus.Ok);
        (await bench.RunAsync("SELECT count(*) FROM \"commandes_É\"", scope)).Outcome.Message.ShouldBe("Access denied to table 'commandes_É'");
    }
}
