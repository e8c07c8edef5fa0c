using System.Text;

namespace Agnes.Emulators.BigQuery;

/// <summary>
/// Turns a query of GoogleSQL into one of the engine that means the same. What it does not know for certain is an <c>invalidQuery</c>:
/// the emulator would rather refuse
/// than answer wrongly.
/// </summary>
internal sealed class Bridge
{
    private static readonly HashSet<string> Keywords = new(
        ("SELECT DISTINCT ALL FROM WHERE GROUP BY HAVING ORDER LIMIT OFFSET UNION INTERSECT AS AND OR NOT IN IS NULL TRUE FALSE BETWEEN "
            + "LIKE CASE WHEN THEN ELSE END "
        + "JOIN INNER LEFT RIGHT FULL OUTER CROSS ON USING ASC DESC NULLS FIRST LAST WITH QUALIFY OVER PARTITION ROWS RANGE UNBOUNDED "
        + "PRECEDING FOLLOWING CURRENT ROW "
        + "EXISTS WINDOW ROLLUP CUBE GROUPING SETS EXCEPT").Split(' '), StringComparer.OrdinalIgnoreCase);

    private static readonly HashSet<string> Refused = new(
        "TABLESAMPLE PIVOT UNPIVOT RECURSIVE COLLATE INTERVAL FOR STRUCT REPLACE ANY SOME ESCAPE".Split(' '),
            StringComparer.OrdinalIgnoreCase);

    private static readonly HashSet<string> Clauses = new(
        "SELECT FROM WHERE GROUP HAVING ORDER LIMIT QUALIFY WINDOW UNION INTERSECT ON USING WITH".Split(' '),
            StringComparer.OrdinalIgnoreCase);

    private readonly Warehouse _warehouse;
    private readonly Context _context;
    private readonly List<Table> _read = [];
    private readonly HashSet<string> _carried = new(StringComparer.OrdinalIgnoreCase);
    private int _views;

    private Bridge(Warehouse warehouse, Context context) => (_warehouse, _context) = (warehouse, context);

    /// <param name="Project">The job's, which names without one are in.</param>
    /// <param name="Dataset">The job's default, or null.</param>
    /// <param name="Named">Values of parameters as the engine writes them.</param>
    internal sealed record Context(
        string Project, string? Dataset, IReadOnlyDictionary<string, string> Named, IReadOnlyList<string> Positional);

    internal sealed record Bridged(string Sql, IReadOnlyList<Table> Tables);

    /// <exception cref="BigQueryError"/>
    public static Bridged Translate(string sql, Warehouse warehouse, Context context)
    {
        var nodes = Lexer.Read(sql);
        if (nodes.Count > 0 && nodes[^1].Is(";")) nodes = [.. nodes.Take(nodes.Count - 1)];
        if (nodes.Count == 0) throw BigQueryError.Invalid("Syntax error: Unexpected end of statement at [1:1]");
        if (!nodes[0].Is("SELECT") && !nodes[0].Is("WITH") && !nodes[0].IsParenthesis)
        {
            throw BigQueryError.Invalid(
                $"Syntax error: Expected end of input but got keyword {nodes[0].Value.ToUpperInvariant()} at [1:1]");
        }

        var bridge = new Bridge(warehouse, context);
        var written = bridge.Query(nodes, []);
        bridge.RefuseComputing(nodes);
        return new Bridged(written, [.. bridge._read.DistinctBy(table => table.Id)]);
    }

    internal static BigQueryError Unknown(Node node, string what) => BigQueryError.Invalid($"{what} at [1:{node.Position + 1}]");

    internal Context Values => _context;

    internal int NextPositional { get; set; }

    /// <summary>A query, or what stands in the brackets of an expression.</summary>
    /// <param name="outer">Names of WITH that are in scope.</param>
    internal string Query(IReadOnlyList<Node> nodes, IReadOnlyCollection<string> outer)
    {
        var ctes = new HashSet<string>(outer, StringComparer.OrdinalIgnoreCase);
        var aliases = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var writer = new StringBuilder();
        var (clause, wantsTable) = ("", false);
        for (var i = 0; i < nodes.Count;)
        {
            var node = nodes[i];
            if (wantsTable && !node.Is("LATERAL"))
            {
                i = FromItem(nodes, i, ctes, aliases, writer);
                wantsTable = false;
                continue;
            }

            if (clause == "WITH" && node.IsName && i + 2 < nodes.Count && nodes[i + 1].Is("AS") && nodes[i + 2].IsParenthesis)
            {
                writer.Append(Field.Quoted(node.Value)).Append(" AS (").Append(Query(nodes[i + 2].Inner, ctes)).Append(") ");
                ctes.Add(node.Value);
                i += 3;
                continue;
            }

            if (node.Kind == Kind.Word && Clauses.Contains(node.Value)) clause = node.Value.ToUpperInvariant();
            if (node.Is("SELECT") && i + 1 < nodes.Count && nodes[i + 1].Is("AS"))
            {
                throw Unknown(nodes[i + 1], "The emulator has no SELECT AS");
            }
            if (node.Is("UNION") || node.Is("INTERSECT")) aliases.Clear();
            wantsTable = node.Is("FROM") || node.Is("JOIN") || (node.Is(",") && clause is "FROM" or "ON" or "USING");
            i = Node(nodes, i, ctes, writer);
        }

        return writer.ToString();
    }

    /// <summary>One node of an expression, with what belongs to it.</summary>
    /// <returns>Where the next begins.</returns>
    private int Node(IReadOnlyList<Node> nodes, int i, IReadOnlyCollection<string> ctes, StringBuilder writer)
    {
        var node = nodes[i];
        var next = i + 1 < nodes.Count ? nodes[i + 1] : null;
        switch (node.Kind)
        {
            case Kind.Text or Kind.Bytes or Kind.Number or Kind.Parameter:
                writer.Append(Functions.Literal(node, this)).Append(' ');
                return i + 1;
            case Kind.Sign:
                writer.Append(Functions.Sign(nodes, i, this)).Append(' ');
                return i + 1;
            case Kind.Group when node.Value == "[":
                writer.Append(Functions.Brackets(nodes, i, inner => Query(inner, ctes))).Append(' ');
                return i + 1;
            case Kind.Group:
                writer.Append('(').Append(Query(node.Inner, ctes)).Append(") ");
                return i + 1;
            case Kind.Name:
                writer.Append(Field.Quoted(node.Value));
                return i + 1;
        }

        var isField = i > 0 && nodes[i - 1].Is(".");
        if (!isField && node.Is("EXCEPT") && next is { IsParenthesis: true })
        {
            writer.Append("EXCLUDE (").Append(Query(next.Inner, ctes)).Append(") ");
            return i + 2;
        }

        if (!isField && (node.Is("UNION") || node.Is("EXCEPT") || node.Is("INTERSECT")) && next is not null)
        {
            if (!next.Is("ALL") && !next.Is("DISTINCT")) throw Unknown(next, "Syntax error: Expected keyword ALL or keyword DISTINCT");
            writer.Append(node.Value).Append(next.Is("ALL") ? " ALL " : " ");
            return i + 2;
        }

        if (!isField && node.Is("LIKE")) Functions.CheckPattern(next);
        if (!isField && Keywords.Contains(node.Value))
        {
            writer.Append(node.Value).Append(' ');
            return i + 1;
        }

        if (!isField && next is { Kind: Kind.Text } && Functions.TypedLiteral(node, next) is { } literal)
        {
            writer.Append(literal).Append(' ');
            return i + 2;
        }

        if (next is { IsParenthesis: true })
        {
            if (isField) throw Unknown(node, $"Function not found: {node.Value}");
            writer.Append(Functions.Call(node, next.Inner, inner => Query(inner, ctes))).Append(' ');
            return i + 2;
        }

        if (!isField && Refused.Contains(node.Value)) throw Unknown(node, $"The emulator has no {node.Value.ToUpperInvariant()}");
        writer.Append(Field.Quoted(node.Value)).Append(' ');
        return i + 1;
    }

    /// <summary>What a FROM reads: a query in brackets, an array, a name of WITH, or a table.</summary>
    private int FromItem(IReadOnlyList<Node> nodes, int i, IReadOnlyCollection<string> ctes, HashSet<string> aliases, StringBuilder writer)
    {
        var node = nodes[i];
        if (node.IsParenthesis)
        {
            var isQuery = node.Inner.Count > 0 && (node.Inner[0].Is("SELECT") || node.Inner[0].Is("WITH") || node.Inner[0].IsParenthesis);
            if (!isQuery) throw Unknown(node, "The emulator has no joins in brackets");
            writer.Append('(').Append(Query(node.Inner, ctes)).Append(") ");
            return Alias(nodes, i + 1, null, aliases, writer, isValue: false);
        }

        if (node.Is("UNNEST") && i + 1 < nodes.Count && nodes[i + 1].IsParenthesis)
        {
            writer.Append("UNNEST(").Append(Query(nodes[i + 1].Inner, ctes)).Append(") ");
            return Alias(nodes, i + 2, null, aliases, writer, isValue: true);
        }

        if (!node.IsName) throw Unknown(node, "Syntax error: Expected a table");
        var path = Path(nodes, ref i);
        if (i < nodes.Count && nodes[i].IsParenthesis) throw Unknown(node, $"Table-valued function not found: {string.Join('.', path)}");
        if (path.Count > 1 && aliases.Contains(path[0]))
        {
            writer.Append("UNNEST(").Append(string.Join('.', path.Select(Field.Quoted))).Append(") ");
            return Alias(nodes, i, path[^1], aliases, writer, isValue: true);
        }

        writer.Append(path.Count == 1 && ctes.Contains(path[0]) ? Field.Quoted(path[0]) : $"({Resolve(path, node)})").Append(' ');
        return Alias(nodes, i, path[^1], aliases, writer, isValue: false);
    }

    private static int Alias(IReadOnlyList<Node> nodes, int i, string? own, HashSet<string> aliases, StringBuilder writer, bool isValue)
    {
        var said = i < nodes.Count && nodes[i].Is("AS");
        if (said) i++;
        var isThere = i < nodes.Count
            && (nodes[i].Kind == Kind.Name
            || (nodes[i].Kind == Kind.Word && !Keywords.Contains(nodes[i].Value) && !Refused.Contains(nodes[i].Value)));
        if (said && !isThere) throw Unknown(nodes[Math.Min(i, nodes.Count - 1)], "Syntax error: Expected an alias");
        var alias = isThere ? nodes[i++].Value : own;
        if (i + 1 < nodes.Count && nodes[i].Is("WITH") && nodes[i + 1].Is("OFFSET"))
        {
            throw Unknown(nodes[i], "The emulator has no WITH OFFSET");
        }
        if (alias is null) return i;
        aliases.Add(alias);
        writer.Append("AS ").Append(Field.Quoted(alias));
        if (isValue) writer.Append('(').Append(Field.Quoted(alias)).Append(')');
        writer.Append(' ');
        return i;
    }

    /// <summary>Parts between dots; a quoted part may hold several, and a project's name dashes.</summary>
    private static List<string> Path(IReadOnlyList<Node> nodes, ref int i)
    {
        var parts = new List<string>();
        while (true)
        {
            var node = nodes[i++];
            if (node.Kind == Kind.Name)
            {
                parts.AddRange(node.Value.Split('.'));
            }
            else
            {
                var name = node.Value;
                while (i + 1 < nodes.Count && nodes[i].Is("-") && nodes[i].Touches && nodes[i + 1].Touches
                    && nodes[i + 1].Kind is Kind.Word or Kind.Number)
                {
                    name += "-" + nodes[i + 1].Value;
                    i += 2;
                }

                parts.Add(name);
            }

            if (i + 1 >= nodes.Count || !nodes[i].Is(".") || !nodes[i + 1].IsName) return parts;
            i++;
        }
    }

    private string Resolve(List<string> path, Node at)
    {
        var schema = path.FindIndex(part => part.Equals("INFORMATION_SCHEMA", StringComparison.OrdinalIgnoreCase));
        if (schema >= 0) return Catalog(path, schema, at);
        var (project, dataset, name) = path.Count switch
        {
            1 when _context.Dataset is { } chosen => (_context.Project, chosen, path[0]),
            1 => throw Unknown(at, $"Table \"{path[0]}\" must be qualified with a dataset (e.g. dataset.table)"),
            2 => (_context.Project, path[0], path[1]),
            3 => (path[0], path[1], path[2]),
            _ => throw Unknown(at, $"Invalid project ID '{path[0]}'"),
        };
        if (_warehouse.LocationOf(project, dataset) is not { } location)
        {
            throw BigQueryError.Missing($"Dataset {project}:{dataset} was not found");
        }
        if (name == "__TABLES__") return InformationSchema.OfTables(_warehouse, project, dataset);
        if (_warehouse.Find(project, dataset, name) is not { } table)
        {
            throw BigQueryError.Missing($"Table {project}:{dataset}.{name} was not found in location {location}");
        }
        _read.Add(table);
        foreach (var field in table.Fields.Where(field => field.IsCarried)) _carried.Add(field.Name);
        if (table.Type != "VIEW") return $"SELECT * FROM {table.Physical}";
        if (++_views > 16)
        {
            throw BigQueryError.Invalid(
                $"View nesting limit exceeded; maximum view nesting level is 16. The offending view is {table.Id}");
        }
        var inner = Translate(table.Query!, _warehouse, new Context(table.Project, null, new Dictionary<string, string>(), []));
        _read.AddRange(inner.Tables);
        return inner.Sql;
    }

    private string Catalog(List<string> path, int schema, Node at)
    {
        if (schema != path.Count - 2) throw Unknown(at, "INFORMATION_SCHEMA must be followed by a view");
        var (project, scope) = schema switch
        {
            1 => (_context.Project, path[0]),
            2 => (path[0], path[1]),
            _ => throw Unknown(at, "INFORMATION_SCHEMA must be qualified with a dataset or region"),
        };
        if (scope.StartsWith("region-", StringComparison.OrdinalIgnoreCase))
        {
            return InformationSchema.OfRegion(_warehouse, project, scope[7..], path[^1]);
        }
        if (_warehouse.LocationOf(project, scope) is null) throw BigQueryError.Missing($"Dataset {project}:{scope} was not found");
        return InformationSchema.Of(_warehouse, project, scope, path[^1]);
    }

    /// <summary>
    /// Columns that are only carried on may be selected by their own name and nothing else: the engine would compare them as texts.
    /// </summary>
    private void RefuseComputing(IReadOnlyList<Node> nodes)
    {
        if (_carried.Count == 0) return;
        var clause = "";
        for (var i = 0; i < nodes.Count; i++)
        {
            var node = nodes[i];
            if (node.Kind == Kind.Group) RefuseComputing(node.Inner);
            if (node.Kind == Kind.Word && Clauses.Contains(node.Value)) clause = node.Value.ToUpperInvariant();
            if (!node.IsName || !_carried.Contains(node.Value)) continue;
            var isAlone = i + 1 >= nodes.Count || nodes[i + 1].Is(",") || nodes[i + 1].Is("FROM");
            var isFirst = i > 0 && (nodes[i - 1].Is("SELECT") || nodes[i - 1].Is(",") || (nodes[i - 1].Is(".") && i > 1));
            if (clause != "SELECT" || !isAlone || !isFirst) throw Unknown(node, $"The emulator cannot compute with {node.Value}");
        }
    }
}
