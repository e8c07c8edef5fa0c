using Agnes.Engine.Query;

namespace Agnes.Engine.Tests.Query;

/// <summary>Statements put together by chance, some from loose words, some from halves of others. The seed is in the name of the test.</summary>
public sealed class FuzzTests(Bench bench, ITestOutputHelper log) : IClassFixture<Bench>
{
    private const int StatementsPerSeed = 150;

    private static readonly string[] Words =
    [
        "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "UNION ALL", "EXCEPT", "WITH", "RECURSIVE", "AS", "(", ")", "(", ")", ",", "*", "+", "-", "=", "<", "||", "->", "::", ".", ";", "[", "]", "{", "}", ":=", "JOIN", "LEFT JOIN", "ON", "USING",
        "LATERAL", "VALUES", "CASE", "WHEN", "THEN", "END", "IN", "EXISTS", "NOT", "NULL", "OVER", "PARTITION BY", "FILTER", "PIVOT", "UNPIVOT", "DESCRIBE", "SUMMARIZE", "SHOW", "TABLE", "COLUMNS", "EXCLUDE", "REPLACE", "DISTINCT", "QUALIFY", "WINDOW", "TABLESAMPLE",
        "orders", "orders", "secrets", "secrets", "main.secrets", "\"secrets\"", "id", "secret", "customer", "x", "1", "0", "'a'", "'secrets'", "1.5", "DATE '2026-01-01'", "INTERVAL 1 DAY", "$$x$$", "/* */", "-- \n", "INT", "VARCHAR", "JSON", "STRUCT(a INT)",
        "count(*)", "max(secret)", "min(id)", "lower(", "list(", "range(3)", "unnest([1])", "query('FROM secrets')", "query_table('secrets')", "read_text('/etc/passwd')", "getenv('HOME')", "current_setting('threads')", "duckdb_tables()", "lambda x:", "x ->", "row_number()",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    [InlineData(77_777)]
    public async Task No_statement_made_by_chance_shows_a_hidden_row_or_ends_the_pool(int seed)
    {
        var random = new Random(seed);
        string[] whole = [.. AllowedSqlTests.Everyday().Select(row => row.Data), .. HostileSqlTests.NamingTheTable().Select(row => row.Data), .. HostileSqlTests.ReachingOutside().Select(row => row.Data)];
        var limits = StatementLimits.Default with { Time = TimeSpan.FromSeconds(1), ResultBytes = 1 << 20 };
        var counts = new SortedDictionary<StatementStatus, int>();
        for (var i = 0; i < StatementsPerSeed; i++)
        {
            var sql = random.Next(3) == 0 ? Soup(random) : Splice(random, whole);
            var (outcome, body) = await bench.RunAsync(sql, limit: 50, limits: limits);
            counts[outcome.Status] = counts.GetValueOrDefault(outcome.Status) + 1;
            var seen = $"{outcome.Message} {body}";
            seen.ShouldNotContain(Bench.HiddenText, customMessage: sql);
            seen.ShouldNotContain("root:", customMessage: sql);
            seen.ShouldNotContain(bench.Folder, customMessage: sql);
            outcome.Tables.ShouldNotContain("secrets", sql);
        }
        log.WriteLine($"seed {seed}: {string.Join(", ", counts.Select(count => $"{count.Key} {count.Value}"))}");
        counts.ShouldContainKey(StatementStatus.TableDenied);
        (await bench.RunAsync("SELECT count(*) FROM orders")).Body.ShouldContain("[1000]");
    }

    private static string Soup(Random random) => string.Join(' ', Enumerable.Range(0, random.Next(3, 25)).Select(_ => Words[random.Next(Words.Length)]).Prepend(random.Next(2) == 0 ? "SELECT" : "FROM"));

    /// <summary>The beginning of one statement and the end of another, and now and then one table's name for the other's.</summary>
    private static string Splice(Random random, string[] whole)
    {
        var (first, second) = (whole[random.Next(whole.Length)].Split(' '), whole[random.Next(whole.Length)].Split(' '));
        var text = string.Join(' ', [.. first[..random.Next(first.Length + 1)], .. second[random.Next(second.Length + 1)..]]);
        return random.Next(3) switch
        {
            0 => text.Replace("orders", "secrets"),
            1 => $"SELECT * FROM ({text.Replace("secrets", "orders")}), secrets",
            _ => text,
        };
    }
}
