using System.Globalization;

namespace Agnes.Testing;

/// <summary>
/// Statements by a seed that join <c>orders</c> (here) with <c>sales</c> (elsewhere), in all the ways that a FROM clause knows.
/// </summary>
internal sealed class RandomJoins(int seed)
{
    private readonly Random _random = new(seed);

    public string Next() => _random.Next(7) switch
    {
        0 => $"SELECT o.customer, {Selected()} FROM orders o {Join()} sales s ON {On()} WHERE {Conditions()}",
        1 => $"SELECT {Selected()}, o.id FROM sales s {Join()} orders o ON {On()} WHERE {Conditions()}",
        2 => $"SELECT count(*) AS n, max(s.name) AS m FROM orders o, sales s WHERE {On()} AND {Conditions()} "
            + $"GROUP BY {OneOf("s.grade", "s.large", "o.customer")}",
        3 => $"SELECT o.id FROM orders o WHERE o.id < 200 "
            + $"AND {OneOf("", "NOT ")}EXISTS (SELECT 1 FROM sales s WHERE {On()} AND {Conditions()})",
        4 => $"SELECT o.id, (SELECT max(s.amount) FROM sales s WHERE {On()} AND {Conditions()}) AS a FROM orders o WHERE o.id < 150",
        5 => $"WITH x AS (SELECT s.*, {Digit()} AS extra FROM sales s WHERE {Conditions()}) "
            + $"SELECT x.id, x.name, o.customer FROM x {Join()} orders o ON o.id = x.id WHERE x.grade < {Digit()}",
        _ => $"SELECT s.id, t.n FROM orders o JOIN sales s ON {On()} "
            + $"{Join()} (SELECT customer, count(*) AS n FROM orders GROUP BY 1) t ON t.customer = o.customer WHERE {Conditions()}",
    };

    private string Join() => OneOf("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "JOIN");

    private string On() => OneOf("s.id = o.id", "s.id = o.id AND s.grade < 4", "s.id = o.id", "s.grade = o.id % 6 AND o.id < 40");

    private string Selected() => OneOf("s.name", "s.id, s.amount", "s.large", "s.name, s.day", "s.grade + 1 AS g", "s.*", "s AS whole");

    /// <summary>What is true where there is no row is what an outer join is told apart by.</summary>
    private string Conditions() => _random.Next(4) == 0
        ? OneOf("s.id IS NULL", "s.grade IS NULL", "(s.name IS NULL OR s.grade = 2)",
            "NOT (s.large IS NOT NULL)", "(s.day IS NULL OR s.id < 9)")
        : string.Join(" AND ", Enumerable.Range(0, _random.Next(1, 4)).Select(_ => Condition(0)));

    private string Condition(int depth) => _random.Next(depth > 1 ? 9 : 13) switch
    {
        0 => $"s.grade {Sign()} {Digit()}",
        1 => $"s.id {Sign()} {_random.Next(130)}",
        2 => $"s.name {OneOf("=", "=", "<>", "<")} {Literal()}",
        3 => $"s.name {OneOf("IN", "NOT IN")} ({Literal()}, {Literal()})",
        4 => $"s.day {OneOf("<", ">=")} DATE '2026-0{_random.Next(1, 5)}-1{_random.Next(10)}'",
        5 => $"s.amount {OneOf("BETWEEN 2 AND 40.25", "> 12.5", "= 10", "<= -3.75")}",
        6 => OneOf("s.large", "s.large = true", "s.large IS NULL", "s.name IS NOT NULL",
            "s.moment > '2026-01-05 00:00:00'", "s.seen < TIMESTAMPTZ '2026-01-03 01:00:00+02'", "s.seen >= '2026-01-02 12:30:00Z'",
            "s.ratio > 3.5", "s.large = false"),
        7 => $"o.id {Sign()} {_random.Next(130)}".Replace("o.id", OneOf("s.id", "s.grade"), StringComparison.Ordinal),
        8 => OneOf("length(s.name) > 3", "s.grade + 1 > 2", "s.name LIKE '%a%'", "coalesce(s.grade, 0) = 1", "s.name || 'x' = 'applex'"),
        9 => $"({Condition(depth + 1)} OR {Condition(depth + 1)})",
        10 => $"(NOT {Condition(depth + 1)})",
        11 => $"({Condition(depth + 1)} AND {Condition(depth + 1)})",
        _ => $"NOT ({Condition(depth + 1)} OR {Condition(depth + 1)})",
    };

    private string Sign() => OneOf("=", "<>", "<", ">", "<=", ">=");

    private string Digit() => _random.Next(7).ToString(CultureInfo.InvariantCulture);

    private string Literal() => OneOf("'apple'", "'Zebra'", "'Äpfel'", "'it''s'", "''", "'a%b'", "' e '", "'none'");

    private string OneOf(params string[] choices) => choices[_random.Next(choices.Length)];
}
