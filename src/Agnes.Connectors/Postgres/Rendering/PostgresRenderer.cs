using System.Globalization;
using System.Text;
using System.Text.Json;
using Agnes.Sql;

namespace Agnes.Connectors.Postgres.Rendering;

/// <summary>
/// Writes a statement for PostgreSQL from the tree that the engine's parser made of it. What is not known to mean the same in both is
/// refused by name, so that an answer from there is the answer that it would be here. The one rule for safety: a table is one of the
/// question's or a name that a WITH of the statement gave, a function is on the list, a type is one of the engine's; and no text of an
/// asker's is sent but as a literal.
/// </summary>
internal sealed partial class PostgresRenderer
{
    private const int DepthMax = 64;
    private const int TextCharactersMax = 1 << 20;
    private readonly IReadOnlyList<RenderTable> _tables;
    private readonly string? _letters;
    private readonly DateTimeOffset _now;
    private int _names;
    private int _depth;

    private PostgresRenderer(IReadOnlyList<RenderTable> tables, string? letters, DateTimeOffset now) =>
        (_tables, _letters, _now) = (tables, letters, now);

    /// <param name="letters">A collation there that knows upper and lower case of all letters; null: it has none.</param>
    /// <param name="tree">As <c>json_serialize_sql</c> writes it, empty lists included.</param>
    /// <exception cref="UnknownFormException"/>
    public static RenderedQuery Render(JsonElement tree, IReadOnlyList<RenderTable> tables, string? letters, DateTimeOffset now)
    {
        if (tree.GetProperty("error").GetBoolean()) throw new UnknownFormException("it is no single SELECT");
        var statements = tree.GetProperty("statements");
        if (statements.GetArrayLength() != 1) throw new UnknownFormException("it is no single SELECT");
        Known(statements[0], "node", "named_param_map");
        if (Items(statements[0], "named_param_map").Count > 0) throw new UnknownFormException("parameters");
        var query = new PostgresRenderer(tables, letters, now).Query(statements[0].GetProperty("node"), null, null);
        return query.Sql.Length <= TextCharactersMax ? query : throw new UnknownFormException("it is too long");
    }

    private RenderedQuery Query(JsonElement node, RenderScope? outer, Ctes? ctes)
    {
        if (++_depth > DepthMax) throw new UnknownFormException("it is nested too deeply");
        try
        {
            return Text(node, "type") switch
            {
                "SELECT_NODE" => Select(node, outer, ctes),
                "SET_OPERATION_NODE" => SetOperation(node, outer, ctes),
                "RECURSIVE_CTE_NODE" => throw new UnknownFormException("a recursive WITH"),
                var other => throw new UnknownFormException($"a query of form {other}"),
            };
        }
        finally
        {
            _depth--;
        }
    }

    private RenderedQuery Select(JsonElement node, RenderScope? outer, Ctes? ctes)
    {
        Known(
            node, "type", "modifiers", "cte_map", "select_list", "from_table", "where_clause", "group_expressions", "group_sets",
                "aggregate_handling",
            "having");
        var text = new StringBuilder();
        ctes = With(node, outer, ctes, text);
        var scope = new RenderScope(outer);
        var from = From(node.GetProperty("from_table"), scope, ctes);
        var items = SelectList(node, scope, ctes);
        var where = node.TryGetProperty("where_clause", out var condition) ? Condition(condition, scope, ctes) : null;
        var groups = Groups(node, items, scope, ctes);
        var having = node.TryGetProperty("having", out var left) ? Condition(left, scope, ctes) : null;
        var modifiers = ModifiersOf(node, items, scope, ctes);
        text.Append("SELECT ").Append(modifiers.Distinct);
        text.AppendJoin(", ", items.Select((item, at) => $"{Output(item.Value)} AS c{at}"));
        if (items.Count == 0) throw new UnknownFormException("a SELECT of no columns");
        if (from is not null) text.Append(" FROM ").Append(from);
        if (where is not null) text.Append(" WHERE ").Append(where);
        text.Append(groups);
        if (having is not null) text.Append(" HAVING ").Append(having);
        text.Append(modifiers.Tail);
        return new RenderedQuery(
            text.ToString(), [.. items.Select((item, at) => new RenderColumn(item.Name, KindOf(item.Value), $"c{at}"))]);
    }

    private RenderedQuery SetOperation(JsonElement node, RenderScope? outer, Ctes? ctes)
    {
        Known(node, "type", "modifiers", "cte_map", "setop_type", "setop_all", "left", "right", "children");
        var text = new StringBuilder();
        ctes = With(node, outer, ctes, text);
        var operation = Text(node, "setop_type");
        if (operation is not ("UNION" or "EXCEPT" or "INTERSECT")) throw new UnknownFormException(operation);
        if (!node.TryGetProperty("left", out var first) || !node.TryGetProperty("right", out var second)) throw new UnknownFormException(
            operation);
        var (left, right) = (Query(first, outer, ctes), Query(second, outer, ctes));
        if (left.Columns.Count != right.Columns.Count) throw new UnknownFormException(
            $"the two sides of {operation} have different columns");
        var columns = new List<RenderColumn>();
        for (var i = 0; i < left.Columns.Count; i++)
        {
            var kind = Together([new("", left.Columns[i].Kind), new("", right.Columns[i].Kind)], operation);
            if (left.Columns[i].Kind != kind || right.Columns[i].Kind != kind) throw new UnknownFormException(
                $"the two sides of {operation} have different types; cast one of them");
            columns.Add(left.Columns[i] with { Kind = kind });
        }

        text.Append('(').Append(left.Sql).Append(") ").Append(operation)
            .Append(node.GetProperty("setop_all").GetBoolean() ? " ALL (" : " (").Append(right.Sql).Append(')');
        var items = columns.ConvertAll(column => new Item(column.Name, new Rendered(column.Sql, column.Kind)));
        var scope = new RenderScope(null);
        foreach (var item in items) scope.Aliases[item.Name] = item.Value;
        var modifiers = ModifiersOf(node, items, scope, null);
        if (modifiers.Distinct.Length > 0) throw new UnknownFormException("DISTINCT over a set operation");
        return new RenderedQuery(text.Append(modifiers.Tail).ToString(), columns);
    }

    private Ctes? With(JsonElement node, RenderScope? outer, Ctes? ctes, StringBuilder text)
    {
        var first = true;
        if (!node.TryGetProperty("cte_map", out var map)) return ctes;
        foreach (var entry in Items(map, "map"))
        {
            var value = entry.GetProperty("value");
            Known(value, "aliases", "query", "materialized");
            var query = Query(value.GetProperty("query").GetProperty("node"), outer, ctes);
            var columns = Renamed(query.Columns, Items(value, "aliases"));
            var name = NewName("q");
            text.Append(first ? "WITH " : ", ").Append(name).Append(" AS (").Append(query.Sql).Append(')');
            first = false;
            ctes = new Ctes(Text(entry, "key"), name, columns, ctes);
        }

        if (!first) text.Append(' ');
        return ctes;
    }

    private List<Item> SelectList(JsonElement node, RenderScope scope, Ctes? ctes)
    {
        var items = new List<Item>();
        foreach (var element in Items(node, "select_list"))
        {
            if (Text(element, "class") == "STAR")
            {
                items.AddRange(Star(element, scope, ctes));
                continue;
            }

            var value = Expression(element, scope, ctes);
            var alias = Text(element, "alias");
            var name = alias.Length > 0 ? alias : element.TryGetProperty("column_names", out var names)
                ? names[names.GetArrayLength() - 1].GetString()! : "";
            items.Add(new Item(name, value));
            if (alias.Length > 0) scope.Aliases.TryAdd(alias, value);
        }

        return items;
    }

    private IEnumerable<Item> Star(JsonElement star, RenderScope scope, Ctes? ctes)
    {
        Known(star, "class", "type", "relation_name", "exclude_list", "replace_list", "columns", "query_location", "alias");
        if (star.GetProperty("columns").GetBoolean()) throw new UnknownFormException("COLUMNS");
        var table = Text(star, "relation_name");
        var excluded = Items(star, "exclude_list").Select(name => name.GetString()!).ToHashSet(EngineNames.Comparer);
        var replaced = new Dictionary<string, Rendered>(EngineNames.Comparer);
        foreach (var entry in Items(star, "replace_list")) replaced[Text(entry, "key")] = Expression(
            entry.GetProperty("value"), scope, ctes);
        var relations = scope.Relations.Where(relation => table.Length == 0 || EngineNames.Same(relation.Name, table)).ToList();
        if (relations.Count == 0) throw new UnknownFormException("* of no table");
        return relations.SelectMany(relation => relation.Columns)
            .Where(column => (table.Length > 0 || !column.IsMerged) && !excluded.Contains(column.Name))
            .Select(column => new Item(
                column.Name, replaced.TryGetValue(column.Name, out var other) ? other
                : new Rendered((table.Length == 0 ? column.Alone : null) ?? column.Sql, column.Kind)));
    }

    private string Groups(JsonElement node, List<Item> items, RenderScope scope, Ctes? ctes)
    {
        var handling = Text(node, "aggregate_handling");
        if (handling == "FORCE_AGGREGATES")
        {
            var all = items.Where(item => !item.Value.Aggregates).Select(item => Grouped(item.Value)).ToList();
            return all.Count == 0 ? "" : $" GROUP BY {string.Join(", ", all)}";
        }

        if (handling is not ("STANDARD_HANDLING" or "")) throw new UnknownFormException($"GROUP BY of form {handling}");
        var groups = Items(node, "group_expressions")
            .ConvertAll(group => Position(group, items) is { } at ? items[at].Value : Expression(group, scope, ctes));
        var sets = Items(node, "group_sets").ConvertAll(set => set.EnumerateArray().Select(at => groups[at.GetInt32()]).ToList());
        if (sets.Count == 0) return groups.Count == 0 ? "" : throw new UnknownFormException("GROUP BY of this form");
        if (sets.Count == 1) return sets[0].Count == 0 ? " GROUP BY ()" : $" GROUP BY {string.Join(", ", sets[0].Select(Grouped))}";
        if (groups.Exists(IsConstant)) throw new UnknownFormException("several groupings by a constant");
        return $" GROUP BY GROUPING SETS ({string.Join(", ", sets.Select(set => $"({string.Join(", ", set.Select(Grouped))})"))})";
    }

    /// <summary>A constant alone is the place of a column there, where it is taken at all.</summary>
    private static string Grouped(Rendered value) => IsConstant(value) ? $"CAST({value.Sql} AS text)" : value.Sql;

    private static bool IsConstant(Rendered value) =>
        value.Kind is ValueKind.Literal or ValueKind.Null || value.Sql is "TRUE" or "FALSE" || WholeShape().IsMatch(value.Sql);

    private (string Distinct, string Tail) ModifiersOf(JsonElement node, List<Item> items, RenderScope scope, Ctes? ctes)
    {
        var (distinct, rest) = ("", new StringBuilder());
        foreach (var modifier in Items(node, "modifiers"))
        {
            switch (Text(modifier, "type"))
            {
                case "ORDER_MODIFIER":
                    rest.Append(" ORDER BY ")
                        .AppendJoin(", ", Items(modifier, "orders").Select(order => Ordered(order, items, scope, ctes)));
                    break;
                case "LIMIT_MODIFIER":
                    Known(modifier, "type", "limit", "offset");
                    if (modifier.TryGetProperty("limit", out var limit)) rest.Append(" LIMIT ").Append(Count(limit));
                    if (modifier.TryGetProperty("offset", out var offset)) rest.Append(" OFFSET ").Append(Count(offset));
                    break;
                case "DISTINCT_MODIFIER":
                    var targets = Items(modifier, "distinct_on_targets").ConvertAll(target => Sorted(target, items, scope, ctes));
                    distinct = targets.Count == 0 ? "DISTINCT " : $"DISTINCT ON ({string.Join(", ", targets)}) ";
                    break;
                case var other:
                    throw new UnknownFormException(other);
            }
        }

        return (distinct, rest.ToString());
    }

    private string Ordered(JsonElement order, List<Item>? items, RenderScope scope, Ctes? ctes)
    {
        Known(order, "type", "null_order", "expression");
        var direction = Text(
            order, "type") switch
        {
            "DESCENDING" => " DESC",
            "ASCENDING" or "ORDER_DEFAULT" => "",
            var other =>
            throw new UnknownFormException(other)
        };
        var nulls = Text(order, "null_order") switch
        {
            "NULLS FIRST" or "NULLS_FIRST" => " NULLS FIRST",
            "NULLS LAST" or "NULLS_LAST" or "ORDER_DEFAULT" => " NULLS LAST", // the engine's own, in both directions
            var other => throw new UnknownFormException(other),
        };
        return $"{Sorted(order.GetProperty("expression"), items, scope, ctes)}{direction}{nulls}";
    }

    /// <summary>What is also selected is sorted by its name, as DISTINCT wants it.</summary>
    private string Sorted(JsonElement element, List<Item>? items, RenderScope scope, Ctes? ctes)
    {
        if (Text(element, "class") == "STAR") throw new UnknownFormException("ORDER BY ALL");
        if (items is not null && Position(element, items) is { } at) return $"c{at}";
        var names = element.TryGetProperty("column_names", out var given) ? given.EnumerateArray().Select(name => name.GetString()!)
            .ToList() : [];
        var value = names.Count == 1 && items is not null && scope.Aliases.TryGetValue(names[0], out var alias) ? alias
            : Expression(element, scope, ctes);
        var same = items?.FindIndex(item => item.Value.Sql == value.Sql) ?? -1;
        return same >= 0 ? $"c{same}" : Output(value);
    }

    private static int? Position(JsonElement element, List<Item> items)
    {
        if (Text(element, "class") != "CONSTANT") return null;
        if (Integer(element) is not { } position || position < 1 || position > items.Count) throw new UnknownFormException(
            "GROUP BY or ORDER BY of a constant");
        return (int)position - 1;
    }

    private static string Count(JsonElement limit) =>
        (Integer(limit) is >= 0 and var count ? count
            : throw new UnknownFormException("LIMIT or OFFSET of an expression; write a number")).ToString(CultureInfo.InvariantCulture);

    /// <summary>Texts are sorted by their bytes, as the engine does it, wherever they go from here.</summary>
    private static string Output(Rendered value) => value.Kind switch
    {
        ValueKind.Text => $"({value.Sql}) COLLATE \"C\"",
        ValueKind.Literal => $"CAST({value.Sql} AS text) COLLATE \"C\"",
        ValueKind.Interval => throw new UnknownFormException("an interval in the answer"),
        _ => value.Sql,
    };

    private static ValueKind KindOf(Rendered value) => value.Kind == ValueKind.Literal ? ValueKind.Text : value.Kind;

    private string NewName(string prefix) => $"{prefix}{(_names++).ToString(CultureInfo.InvariantCulture)}";

    private static List<RenderColumn> Renamed(IReadOnlyList<RenderColumn> columns, List<JsonElement> names)
    {
        if (names.Count > columns.Count) throw new UnknownFormException("more names than columns");
        return [.. columns.Select((column, at) => at < names.Count ? column with { Name = names[at].GetString()! } : column)];
    }

    private static string Text(JsonElement element, string property) =>
        element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static List<JsonElement> Items(JsonElement element, string property) =>
        element.TryGetProperty(property, out var list) && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : [];

    /// <summary>
    /// Whatever else hangs on a part of the tree would change its meaning: an engine that learns new syntax must be looked at first.
    /// </summary>
    private static void Known(JsonElement element, params ReadOnlySpan<string> properties)
    {
        foreach (var property in element.EnumerateObject())
        {
            if (property.Name == "query_location" || properties.Contains(property.Name) || IsNothing(property.Value)) continue;
            throw new UnknownFormException($"'{property.Name}' of this form");
        }
    }

    private static bool IsNothing(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.String => value.GetString()!.Length == 0,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        _ => false,
    };

    /// <param name="Name">In the question's words.</param>
    /// <param name="Sql">In ours.</param>
    private sealed record Ctes(string Name, string Sql, IReadOnlyList<RenderColumn> Columns, Ctes? Outer)
    {
        public static Ctes? Find(Ctes? names, string name)
        {
            for (; names is not null; names = names.Outer)
                if (EngineNames.Same(names.Name, name)) return names;
            return null;
        }
    }

    private sealed record Item(string Name, Rendered Value);
}
