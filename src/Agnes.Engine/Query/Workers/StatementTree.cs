using System.Text.Json;

namespace Agnes.Engine.Query.Workers;

/// <summary>
/// Walks what <c>json_serialize_sql</c> made of a text and collects every table and function named in it. Every object of the tree is visited, whatever property it
/// hangs on, and one of a kind not listed here refuses the statement: an engine that learns new syntax must be looked at before it is let through.
/// </summary>
internal sealed class StatementTree
{
    /// <summary>JSON levels; an expression takes two or three of them.</summary>
    public const int DepthMax = 6000;

    /// <summary>How a recursive CTE with USING KEY calls all that it has found so far; not a schema.</summary>
    private const string UnionTableSchema = "recurring";

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
    private string? _unknown;

    /// <param name="json">The engine's answer, <c>{"error":…,"statements":[…]}</c>.</param>
    public static ParsedStatement Read(JsonElement json)
    {
        if (json.GetProperty("error").GetBoolean()) return ReadError(json);
        if (!json.TryGetProperty("statements", out var statements) || statements.GetArrayLength() == 0) return ParsedStatement.Of(StatementShape.Empty);
        if (statements.GetArrayLength() > 1) return ParsedStatement.Of(StatementShape.Several);
        var node = statements[0].GetProperty("node");
        if (IsShowTables(node)) return ParsedStatement.Of(StatementShape.ShowTables);
        var tree = new StatementTree();
        tree.Visit(statements[0], null);
        return tree._unknown is null
            ? new ParsedStatement(StatementShape.Select, null, tree._tables.Items, tree._functions.Items, tree._tableFunctions.Items)
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
        && Text(from, "table_name") is "\"tables\"" or "__show_tables_expanded";

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
        if (kind is "FUNCTION" or "WINDOW") _functions.Add(Text(element, "function_name").ToLowerInvariant());
        if (element.TryGetProperty("cte_map", out var map)) ctes = VisitCtes(map, ctes);
        var own = kind is "RECURSIVE_CTE_NODE" ? new CteNames(Text(element, "cte_name"), ctes) : ctes;
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
            ctes = new CteNames(Text(entry, "key"), ctes);
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
        if (table.Catalog.Length == 0 && (table.Schema is "" or UnionTableSchema) && CteNames.Holds(ctes, table.Name)) return;
        _tables.Add(table);
    }

    private void VisitTableFunction(JsonElement element, CteNames? ctes)
    {
        var function = element.GetProperty("function");
        if (Text(function, "class") != "FUNCTION")
        {
            _unknown = "TABLE_FUNCTION";
            return;
        }
        _tableFunctions.Add(Text(function, "function_name").ToLowerInvariant());
        foreach (var property in function.EnumerateObject()) Visit(property.Value, ctes);
        foreach (var property in element.EnumerateObject())
            if (property.Name is not "function") Visit(property.Value, ctes);
    }

    private static string Text(JsonElement element, string property) =>
        element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private sealed record CteNames(string Name, CteNames? Outer)
    {
        public static bool Holds(CteNames? names, string name)
        {
            for (; names is not null; names = names.Outer)
                if (names.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
            return false;
        }
    }

    private sealed class OrderedSet<T>
    {
        private readonly HashSet<T> _known = [];

        public List<T> Items { get; } = [];

        public void Add(T item)
        {
            if (_known.Add(item)) Items.Add(item);
        }
    }
}
