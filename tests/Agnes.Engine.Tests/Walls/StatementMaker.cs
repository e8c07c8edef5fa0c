namespace Agnes.Engine.Tests.Walls;

/// <summary>Statements at random that name few things in many places, so that common table expressions, tables and schemas of one name meet.</summary>
internal sealed class StatementMaker(int seed)
{
    private static readonly string[] Names = ["orders", "secrets", "t", "\"É\"", "\"é\"", "SECRETS", "recurring"];
    private static readonly string[] Schemas = ["", "", "", "", "main.", "recurring."];
    private readonly Random _random = new(seed);

    public string Next() => Query(3);

    private string Query(int depth) => depth == 0 ? Select(0) : _random.Next(8) switch
    {
        0 or 1 => $"WITH {Cte(depth)} {Inner(depth)}",
        2 => $"WITH {Cte(depth)}, {Cte(depth)} {Inner(depth)}",
        3 => Recursive(depth),
        4 => $"({Query(depth - 1)}) UNION ALL ({Query(depth - 1)})",
        5 => $"SELECT x.id FROM ({Query(depth - 1)}) x",
        _ => Select(depth),
    };

    private string Inner(int depth) => Pick("({0})", "SELECT id FROM ({0})", "({0}) UNION ALL (SELECT id FROM {1})").Replace("{0}", Query(depth - 1), StringComparison.Ordinal).Replace("{1}", Table(), StringComparison.Ordinal);

    private string Cte(int depth) => $"{Name()} AS {Pick("", "", "MATERIALIZED ")}({Query(depth - 1)})";

    private string Recursive(int depth)
    {
        var name = Name();
        var key = Pick("", " USING KEY (id)");
        return $"WITH RECURSIVE {name}{(key.Length > 0 ? $"(id){key}" : "")} AS (SELECT id FROM ({Query(depth - 1)}) {(key.Length > 0 ? "UNION" : "UNION ALL")} SELECT q.id + 100000 FROM {name} q, {Pick($"recurring.{name}", Table(), $"({Query(depth - 1)})")} r WHERE q.id < 100000) {Inner(depth)}";
    }

    private string Select(int depth)
    {
        var from = depth > 0 && _random.Next(4) == 0 ? $"({Query(depth - 1)})" : Table();
        return (depth == 0 ? 0 : _random.Next(10)) switch
        {
            1 => $"SELECT a.id FROM {from} a WHERE a.id < (SELECT max(id) + 1 FROM ({Query(depth - 1)}))",
            2 => $"SELECT a.id FROM {from} a, LATERAL ({Query(depth - 1)}) b",
            3 => $"SELECT max(a.id) OVER w AS id FROM {from} a WINDOW w AS (ORDER BY (SELECT max(id) FROM {Table()}))",
            4 => $"SELECT a.id FROM {from} a WINDOW {Name()} AS (ORDER BY (SELECT max(id) FROM {Table()}))",
            5 => $"SELECT a.id FROM {from} a QUALIFY row_number() OVER (ORDER BY (SELECT count(*) FROM {Table()}), a.id) < 3",
            6 => $"SELECT a.id FROM {from} a POSITIONAL JOIN ({Query(depth - 1)}) b",
            7 => $"FROM (VALUES ((SELECT max(id) FROM {Table()}))) v(id)",
            8 => $"SELECT id FROM {from} a ORDER BY (SELECT min(id) FROM {Table()} b WHERE b.id >= a.id), id LIMIT 5",
            9 => $"SELECT count(*) AS id FROM (DESCRIBE {Table()})",
            _ => $"SELECT id FROM {from}",
        };
    }

    private string Table() => Pick(Schemas) + Name();

    private string Name() => Pick(Names);

    private string Pick(params string[] from) => from[_random.Next(from.Length)];
}
