namespace Agnes.Testing;

/// <summary>
/// Statements by a seed, over a table <c>sales</c> (id, amount, name, day, moment, ratio, large, grade) that two engines hold alike. Each
/// sorts by all that it selects where it cuts, so that both have one right answer.
/// </summary>
internal sealed class RandomQuestions(int seed)
{
    private const int DepthMax = 3;
    private readonly Random _random = new(seed);

    public string Next() => _random.Next(6) switch
    {
        0 => Plain("sales"),
        1 => Grouped(),
        2 => Joined(),
        3 => $"SELECT {Columns(2)} FROM sales {OneOf("UNION", "UNION ALL", "EXCEPT", "INTERSECT")} "
            + $"SELECT {Columns(2)} FROM sales WHERE {Truth(1)}",
        4 => Windowed(),
        _ => $"WITH w AS (SELECT *, {Whole(1)} AS extra FROM sales WHERE {Truth(1)}) "
            + $"SELECT id, extra, name FROM w WHERE extra > {_random.Next(50)}",
    };

    private string Plain(string from)
    {
        var order = string.Join(", ", Enumerable.Range(1, 4).Select(at => $"{at}{OneOf("", " DESC", " NULLS FIRST", " DESC NULLS LAST")}"));
        return $"SELECT {OneOf("", "DISTINCT ")}{Whole(0)} AS a, {Words(0)} AS b, {Number(0)} AS c, {Day(0)} AS d "
            + $"FROM {from} WHERE {Truth(0)} ORDER BY {order} LIMIT {_random.Next(1, 40)} OFFSET {_random.Next(5)}";
    }

    private string Grouped()
    {
        var key = OneOf(Words(1), Whole(1), Truth(1), Day(1));
        var group = OneOf("GROUP BY 1", "GROUP BY GROUPING SETS ((1), ())", "GROUP BY 1", "GROUP BY 1");
        if (group.Contains("SETS", StringComparison.Ordinal)) (key, group) = ("name", "GROUP BY GROUPING SETS ((name), ())");
        return $"SELECT {key} AS k, count(*) AS n, sum({Whole(1)}) AS a, min({Words(1)}) AS b, max({Number(1)}) AS c, "
            + $"count(DISTINCT {Words(1)}) FILTER (WHERE {Truth(1)}) AS d, avg({Whole(1)}) AS e FROM sales WHERE {Truth(1)} {group} "
            + $"HAVING count(*) > {_random.Next(4)}";
    }

    private string Joined()
    {
        var kind = OneOf("JOIN", "LEFT JOIN", "RIGHT JOIN");
        return $"SELECT s.id, p.id AS other, s.name, p.name AS theirs FROM (SELECT * FROM sales WHERE {Truth(1)} AND id < 60) s {kind} "
            + $"(SELECT id, name FROM sales WHERE {Truth(1)} AND id < 60) p ON "
            + OneOf("s.id = p.id", "s.name = p.name", "s.id = p.id AND s.large");
    }

    private string Windowed() =>
        $"SELECT id, row_number() OVER (PARTITION BY {Words(2)} ORDER BY {Whole(2)}, id) AS a, "
        + $"sum({Number(2)}) OVER (ORDER BY id{OneOf("", " DESC")} ROWS BETWEEN {_random.Next(4)} PRECEDING "
        + $"AND {OneOf("CURRENT ROW", "1 FOLLOWING")}) AS b, "
        + $"lag({Words(2)}, {_random.Next(3)}) OVER (ORDER BY id) AS c, rank() OVER (ORDER BY {Words(2)}) AS d FROM sales WHERE {Truth(1)}";

    private string Columns(int depth) => $"{Whole(depth)} AS a, {Words(depth)} AS b, {Day(depth)} AS c";

    private string Whole(int depth) => depth >= DepthMax ? OneOf("id", "grade", Digit()) : _random.Next(12) switch
    {
        0 => $"({Whole(depth + 1)} + {Whole(depth + 1)})",
        1 => $"({Whole(depth + 1)} - {Whole(depth + 1)})",
        2 => $"({Whole(depth + 1)} % {_random.Next(2, 9)})",
        3 => $"length({Words(depth + 1)})",
        4 => $"CASE WHEN {Truth(depth + 1)} THEN {Whole(depth + 1)} ELSE {Whole(depth + 1)} END",
        5 => $"coalesce({Whole(depth + 1)}, 0)",
        6 => $"extract({OneOf("year", "month", "day", "dow", "week", "quarter", "doy")} FROM {OneOf("moment", Day(depth + 1))})",
        7 => $"nullif({Whole(depth + 1)}, {Digit()})",
        8 => $"strpos({Words(depth + 1)}, {Literal()})",
        9 => $"CAST({Number(depth + 1)} AS BIGINT)",
        10 => $"({Day(depth + 1)} - DATE '2026-01-01')",
        _ => OneOf("id", "grade", Digit()),
    };

    private string Number(int depth) => depth >= DepthMax ? "amount" : _random.Next(7) switch
    {
        0 => $"({Number(depth + 1)} + {Whole(depth + 1)})",
        1 => $"(amount * {Digit()})",
        2 => $"round({Number(depth + 1)}, 1)",
        3 => $"abs({Number(depth + 1)})",
        4 => $"(amount - {_random.Next(100)}.{_random.Next(100)})",
        5 => $"(-{Number(depth + 1)})",
        _ => "amount",
    };

    private string Words(int depth) => depth >= DepthMax ? "name" : _random.Next(9) switch
    {
        0 => $"lower({Words(depth + 1)})",
        1 => $"upper({Words(depth + 1)})",
        2 => $"substring({Words(depth + 1)}, {_random.Next(1, 4)}, {_random.Next(4)})",
        3 => $"({Words(depth + 1)} || '-' || {Whole(depth + 1)})",
        4 => $"concat({Words(depth + 1)}, {Literal()}, NULL)",
        5 => $"replace({Words(depth + 1)}, 'a', 'bb')",
        6 => $"trim({Words(depth + 1)})",
        7 => $"CASE WHEN {Truth(depth + 1)} THEN {Words(depth + 1)} END",
        _ => "name",
    };

    private string Day(int depth) => depth >= DepthMax ? "day" : _random.Next(4) switch
    {
        0 => $"(day + {_random.Next(40)})",
        1 => "CAST(moment AS DATE)",
        2 => $"coalesce({Day(depth + 1)}, day)",
        _ => "day",
    };

    private string Truth(int depth) => depth >= DepthMax ? "large" : _random.Next(12) switch
    {
        0 => $"({Truth(depth + 1)} AND {Truth(depth + 1)})",
        1 => $"({Truth(depth + 1)} OR {Truth(depth + 1)})",
        2 => $"(NOT {Truth(depth + 1)})",
        3 => $"({Whole(depth + 1)} {Sign()} {Whole(depth + 1)})",
        4 => $"({Words(depth + 1)} {Sign()} {Literal()})",
        5 => $"({Words(depth + 1)} LIKE {OneOf("'a%'", "'%\\_'", "'_p%'", "'%e%'")})",
        6 => $"({Number(depth + 1)} BETWEEN {Digit()} AND {_random.Next(400)}.5)",
        7 => $"({Whole(depth + 1)} {OneOf("IN", "NOT IN")} ({Digit()}, {Digit()}, {_random.Next(100)}))",
        8 => $"({OneOf(Words(depth + 1), Number(depth + 1), Day(depth + 1))} IS {OneOf("", "NOT ")}NULL)",
        9 => $"(day {Sign()} '2026-0{_random.Next(1, 4)}-1{_random.Next(10)}')",
        10 => $"({Words(depth + 1)} IS {OneOf("", "NOT ")}DISTINCT FROM {Words(depth + 1)})",
        _ => "large",
    };

    private string Sign() => OneOf("=", "<>", "<", ">", "<=", ">=");

    private string Digit() => _random.Next(9).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private string Literal() => OneOf("'a'", "'Zebra'", "'Ä'", "'e'", "'%'", "'it''s'", "' '");

    private string OneOf(params string[] choices) => choices[_random.Next(choices.Length)];
}
