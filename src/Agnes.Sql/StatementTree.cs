using System.Text.Json;

namespace Agnes.Sql;

/// <summary>
/// Walks what <c>json_serialize_sql</c> made of a text and collects every table and function named in it. Every object of the tree is visited, whatever property it
/// hangs on, and one of a kind not listed here refuses the statement: an engine that learns new syntax must be looked at before it is let through.
/// </summary>
public sealed class StatementTree
{
    /// <summary>JSON levels; an expression takes two or three of them.</summary>
    public const int DepthMax = 6000;

    /// <summary>How a recursive CTE calls all that it has found so far, in the branch that recurs and nowhere else; everywhere else it is a schema like others.</summary>
    private const string FoundSoFar = "recurring";

    private const string AllTables = "__show_tables_expanded";

    private static readonly HashSet<string> Expressions = new(StringComparer.Ordinal)
    {
        "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "DEFAULT", "FUNCTION", "LAMBDA", "LAMBDA_REF",
        "OPERATOR", "PARAMETER", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW",
    };

    private static readonly HashSet<string> Nodes = new(StringComparer.Ordinal)
    {
        "SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE",
        "EMPTY", "JOIN", "SUBQUERY", "EXPRESSION_LIST", "PIVOT", "BASE_TABLE", "TABLE_FUNCTION", "SHOW_REF",
        "ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER",
        "ORDER_DEFAULT", "ASCENDING", "DESCENDING",
    };

    private readonly OrderedSet<NamedTable> _tables = new();
    private readonly OrderedSet<string> _functions = new();
    private readonly OrderedSet<string> _tableFunctions = new();
    private readonly OrderedSet<IReadOnlyList<string>> _columns = new(ColumnNames.Comparer);
    private string? _unknown;

    private StatementTree()
    {
    }

    /// <param name="json">The engine's answer, <c>{"error":…,"statements":[…]}</c>.</param>
    public static ParsedStatement Read(JsonElement json)
    {
        if (json.GetProperty("error").GetBoolean()) return ReadError(json);
        if (!json.TryGetProperty("statements", out var statements) || statements.GetArrayLength() == 0) return ParsedStatement.Of(StatementShape.Empty);
        if (statements.GetArrayLength() > 1) return ParsedStatement.Of(StatementShape.Several);
        var node = statements[0].GetProperty("node");
        // Nothing that hangs on it is looked at: whoever runs it runs the plain form.
        if (IsShowTables(node)) return ParsedStatement.Of(StatementShape.ShowTables) with { Rewritten = Text(node.GetProperty("from_table"), "table_name") is AllTables ? "SHOW ALL TABLES" : "SHOW TABLES" };
        var tree = new StatementTree();
        tree.Visit(statements[0], null);
        return tree._unknown is null
            ? new ParsedStatement(StatementShape.Select, null, tree._tables.Items, tree._functions.Items, tree._tableFunctions.Items) { Columns = tree._columns.Items }
            : ParsedStatement.Of(StatementShape.Unknown, tree._unknown);
    }

    private static ParsedStatement ReadError(JsonElement json)
    {
        var message = Text(json, "error_message");
        return Text(json, "error_type") == "not implemented"
            ? ParsedStatement.Of(StatementShape.NotSelect)
            : ParsedStatement.Of(StatementShape.Broken, message);
    }

    private static bool IsShowTables(JsonElement node) =>
        node.TryGetProperty("from_table", out var from) && from.ValueKind == JsonValueKind.Object && Text(from, "type") == "SHOW_REF"
        && Text(from, "show_type") == "SHOW_UNQUALIFIED" && Text(from, "catalog_name").Length == 0 && Text(from, "schema_name").Length == 0
        && Text(from, "table_name") is "\"tables\"" or AllTables;

    private void Visit(JsonElement element, CteNames? ctes)
    {
        if (_unknown is not null) return;
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray()) Visit(item, ctes);
            return;
        }
        if (element.ValueKind != JsonValueKind.Object) return;
        var kind = Check(element);
        if (kind is "BASE_TABLE") AddTable(element, ctes);
        if (kind is "SHOW_REF" && Text(element, "show_type") is not ("DESCRIBE" or "SUMMARY")) _unknown = "SHOW";
        if (kind is "TABLE_FUNCTION")
        {
            VisitTableFunction(element, ctes);
            return;
        }
        if (kind is "FUNCTION" or "WINDOW") _functions.Add(FunctionName(element));
        if (kind is "COLUMN_REF" && element.TryGetProperty("column_names", out var names)) AddColumn([.. names.EnumerateArray().Select(name => name.GetString() ?? "")]);
        if (element.TryGetProperty("cte_map", out var map)) ctes = VisitCtes(map, ctes);
        var own = kind is "RECURSIVE_CTE_NODE" ? new CteNames(Text(element, "cte_name"), IsRecurring: true, ctes) : ctes;
        foreach (var property in element.EnumerateObject())
        {
            if (property.Name is "cte_map") continue;
            // A recursive CTE knows itself in its second branch only; in the first its name still means whatever stands outside.
            Visit(property.Value, property.Name is "left" ? ctes : own);
        }
    }

    /// <summary>The names of a WITH become known one after the other; a name inside its own definition is not yet the CTE.</summary>
    private CteNames? VisitCtes(JsonElement map, CteNames? ctes)
    {
        if (!map.TryGetProperty("map", out var entries)) return ctes;
        foreach (var entry in entries.EnumerateArray())
        {
            Visit(entry.GetProperty("value"), ctes);
            ctes = new CteNames(Text(entry, "key"), IsRecurring: false, ctes);
        }
        return ctes;
    }

    /// <returns>The kind of the object; empty for plain containers.</returns>
    private string Check(JsonElement element)
    {
        if (element.TryGetProperty("class", out var expression))
        {
            var name = expression.GetString() ?? "";
            if (!Expressions.Contains(name)) _unknown = name;
            return name == "SUBQUERY" ? "" : name; // the expression, not the table reference of that name
        }
        if (!element.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String) return "";
        var kind = type.GetString() ?? "";
        if (kind.EndsWith("_TYPE_INFO", StringComparison.Ordinal)) return ""; // part of a data type; what hangs below is visited like all else
        if (!Nodes.Contains(kind)) _unknown = kind;
        return kind;
    }

    private void AddTable(JsonElement element, CteNames? ctes)
    {
        var table = new NamedTable(Text(element, "catalog_name"), Text(element, "schema_name"), Text(element, "table_name"));
        if (table is { Catalog: "", Schema: "" or FoundSoFar } && CteNames.Holds(ctes, table.Name, isRecurring: table.Schema.Length > 0)) return;
        _tables.Add(table);
    }

    private void AddColumn(IReadOnlyList<string> names)
    {
        _columns.Add(names);
        if (names is [var name] && BareFunctions.CalledBy(name) is { } function) _functions.Add(function);
    }

    private void VisitTableFunction(JsonElement element, CteNames? ctes)
    {
        var function = element.GetProperty("function");
        if (Text(function, "class") != "FUNCTION")
        {
            _unknown = "TABLE_FUNCTION";
            return;
        }
        _tableFunctions.Add(FunctionName(function));
        foreach (var property in function.EnumerateObject()) Visit(property.Value, ctes);
        foreach (var property in element.EnumerateObject())
            if (property.Name is not "function") Visit(property.Value, ctes);
    }

    /// <summary>
    /// The engine's own is known by its name alone. One out of another schema or database is somebody's, whatever it is called: it keeps what stands before it, and so is on no list.
    /// </summary>
    private static string FunctionName(JsonElement function)
    {
        var (catalog, schema, name) = (Text(function, "catalog"), Text(function, "schema"), EngineNames.Lower(Text(function, "function_name")));
        var isEngines = (catalog.Length == 0 || EngineNames.Same(catalog, "system")) && (schema.Length == 0 || EngineNames.Same(schema, "main") || EngineNames.Same(schema, "pg_catalog"));
        return isEngines ? name : $"{(catalog.Length > 0 ? catalog + "." : "")}{schema}.{name}";
    }

    private static string Text(JsonElement element, string property) =>
        element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    /// <param name="IsRecurring">Known from inside its own recurring branch.</param>
    private sealed record CteNames(string Name, bool IsRecurring, CteNames? Outer)
    {
        public static bool Holds(CteNames? names, string name, bool isRecurring)
        {
            for (; names is not null; names = names.Outer)
                if ((names.IsRecurring || !isRecurring) && EngineNames.Same(names.Name, name)) return true;
            return false;
        }
    }

    private sealed class OrderedSet<T>(IEqualityComparer<T>? comparer = null)
    {
        private readonly HashSet<T> _known = new(comparer);

        public List<T> Items { get; } = [];

        public void Add(T item)
        {
            if (_known.Add(item)) Items.Add(item);
        }
    }

    private sealed class ColumnNames : IEqualityComparer<IReadOnlyList<string>>
    {
        public static ColumnNames Comparer { get; } = new();

        public bool Equals(IReadOnlyList<string>? x, IReadOnlyList<string>? y) => x!.SequenceEqual(y!, EngineNames.Comparer);

        public int GetHashCode(IReadOnlyList<string> names) => names.Aggregate(names.Count, static (hash, name) => HashCode.Combine(hash, EngineNames.Comparer.GetHashCode(name)));
    }
}
