using Agnes.Sql.BigQuery;

namespace Agnes.Engine.Tests.Query.BigQuery;

/// <summary>Loose words, and written trees with something put in, taken out or doubled.</summary>
internal static class RandomText
{
    private static readonly string[] Loose =
    [
        "SELECT", "FROM", "WHERE", "(", ")", "((", "))", ",", ".", "*", "-", "--", "/*", "*/", "#", "'", "\"", "'''", "\"\"\"", "`", "\\",
        "r'", "b\"", "rb'''", "@", "@@x", "?", ";", "|>",
        "[", "]", "<", ">", ">>", "=", "=>", "->", "1", "1.", ".5", "0x", "1e", "a", "a.b", "`a.b`", "my-project.ds.t", "bq.\"ds\".\"t\"",
        "UNNEST(", "ARRAY<", "STRUCT<", "CASE", "WHEN",
        "END", "CAST(", "AS", "INTERVAL", "DAY", "WITH", "RECURSIVE", "UNION ALL", "EXCEPT", "ORDER BY", "LIMIT", "OFFSET", "JOIN", "ON",
        "USING", "NOT", "NULL", "IN", "LIKE", "ANY",
        "BETWEEN", "AND", "OR", "OVER", "WINDOW", "QUALIFY", "PIVOT(", "FOR SYSTEM_TIME AS OF", "TABLESAMPLE", "\n", "\0", "\ud83d", "é",
        "\u00a0", "{", "}", ":", "$", "!", "INSERT",
    ];

    public static string Of(int seed)
    {
        var random = new Random(seed);
        if (seed % 3 == 0) return string.Concat(Enumerable.Range(0, random.Next(1, 30)).Select(_ =>
            Loose[random.Next(Loose.Length)] + (random.Next(3) == 0 ? "" : " ")));
        var text = Renderer.Render(new RandomTree(seed).Query(seed % 4));
        var (from, length) = (random.Next(text.Length), random.Next(6));
        var end = Math.Min(text.Length, from + length);
        return seed % 3 == 1
            ? $"{text[..from]}{Loose[random.Next(Loose.Length)]}{text[end..]}"
            : $"{text[..end]}{text[from..end]}{text[end..]}";
    }
}
