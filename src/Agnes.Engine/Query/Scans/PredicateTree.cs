using System.Text.Json;
using Agnes.Protocol;
using Agnes.Sql;

namespace Agnes.Engine.Query.Scans;

/// <summary>
/// Looks at what the engine made of <c>SELECT * FROM table WHERE predicate</c>: the text must have become the WHERE and nothing else, and name columns of this
/// table and harmless functions only. What is not known here is refused.
/// </summary>
internal sealed class PredicateTree
{
    private static readonly HashSet<string> Containers = new(StringComparer.Ordinal) { "BETWEEN", "CASE", "CAST", "COMPARISON", "CONJUNCTION", "CONSTANT", "TYPE" };

    private static readonly HashSet<string> Operators = new(StringComparer.Ordinal)
    {
        "COMPARE_IN", "COMPARE_NOT_IN", "OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_COALESCE", "OPERATOR_NULLIF", "ARRAY_EXTRACT", "STRUCT_EXTRACT",
    };

    private readonly HashSet<string> _columns;
    private readonly string _alias;

    /// <summary>The first fault of each rank: what the statement is comes before whom it names, and that before what it calls.</summary>
    private readonly PredicateFault?[] _faults = new PredicateFault?[4];

    private PredicateTree(IReadOnlyList<TableColumn> columns, string alias)
    {
        _columns = new HashSet<string>(columns.Select(column => column.Name), StringComparer.OrdinalIgnoreCase);
        _alias = alias;
    }

    /// <param name="statement">The engine's tree of the whole text.</param>
    /// <param name="aloneIs">How the engine failed to take the predicate for a SELECT; <c>not implemented</c> is a statement that writes.</param>
    /// <param name="alias">What the table is called in the text.</param>
    public static PredicateFault? Check(JsonElement statement, string? aloneIs, IReadOnlyList<TableColumn> columns, string alias)
    {
        const string notASelect = "not implemented";
        if (statement.GetProperty("error").GetBoolean())
        {
            var kind = Text(statement, "error_type") == notASelect ? PredicateFault.SeveralStatements : aloneIs == notASelect ? PredicateFault.Writes : PredicateFault.Unparseable;
            return new PredicateFault(kind);
        }

        var statements = statement.GetProperty("statements");
        if (statements.GetArrayLength() != 1) return new PredicateFault(PredicateFault.SeveralStatements);
        var node = statements[0].GetProperty("node");
        if (Text(node, "type") != "SELECT_NODE") return new PredicateFault(PredicateFault.Disallowed);
        foreach (var property in node.EnumerateObject())
        {
            if (!IsExpected(property)) return new PredicateFault(PredicateFault.Unparseable); // something was left over after the predicate
        }

        if (!node.TryGetProperty("where_clause", out var where) || where.ValueKind != JsonValueKind.Object) return new PredicateFault(PredicateFault.Unparseable);
        if (!IsEmpty(statements[0], "named_param_map")) return new PredicateFault(PredicateFault.Disallowed);
        var tree = new PredicateTree(columns, alias);
        tree.Visit(where);
        return tree._faults.FirstOrDefault(fault => fault is not null);
    }

    private static bool IsExpected(JsonProperty property) => property.Name switch
    {
        "type" or "select_list" or "from_table" or "where_clause" => true,
        "aggregate_handling" => property.Value.ValueEquals("STANDARD_HANDLING"),
        _ => IsEmpty(property.Value),
    };

    private void Visit(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray()) Visit(item);
            return;
        }

        if (element.ValueKind != JsonValueKind.Object) return;
        if (element.TryGetProperty("class", out var kind)) Look(kind.GetString() ?? "", element);
        foreach (var property in element.EnumerateObject()) Visit(property.Value);
    }

    private void Look(string kind, JsonElement element)
    {
        switch (kind)
        {
            case "SUBQUERY":
                Add(0, new PredicateFault(PredicateFault.NestedSelect));
                break;
            case "COLUMN_REF":
                LookAtColumn([.. element.GetProperty("column_names").EnumerateArray().Select(name => name.GetString() ?? "")]);
                break;
            case "FUNCTION":
                var name = Text(element, "function_name");
                // The parser itself writes some in full, such as those of EXTRACT and SUBSTRING.
                if (!PredicateFunctions.Allows(name) || IsAggregate(element) || Text(element, "schema") is not ("" or "main" or "pg_catalog") || Text(element, "catalog") is not ("" or "system")) AddFunction(name);
                break;
            case "WINDOW":
                AddFunction(Text(element, "function_name"));
                break;
            case "OPERATOR":
                if (!Operators.Contains(Text(element, "type"))) Add(0, new PredicateFault(PredicateFault.Disallowed));
                break;
            default:
                if (!Containers.Contains(kind)) Add(0, new PredicateFault(PredicateFault.Disallowed));
                break;
        }
    }

    /// <summary>Whether it says what only an aggregate can.</summary>
    private static bool IsAggregate(JsonElement call) =>
        !IsEmpty(call, "distinct") || !IsEmpty(call, "filter") || (call.TryGetProperty("order_bys", out var order) && !IsEmpty(order, "orders"));

    /// <summary>A column, a column of the table by its name, or a field of a column that is a structure.</summary>
    private void LookAtColumn(IReadOnlyList<string> names)
    {
        if (names.Count == 1 && PredicateFunctions.IsBareFunction(names[0])) return;
        if (names.Count > 1 && names[0].Equals(_alias, StringComparison.OrdinalIgnoreCase))
        {
            if (!_columns.Contains(names[1])) AddColumn(names[1]);
        }
        else if (!_columns.Contains(names[0]))
        {
            if (names.Count == 1) AddColumn(names[0]);
            else Add(1, new PredicateFault(PredicateFault.CrossTable));
        }
    }

    private void AddFunction(string name) => Add(2, new PredicateFault(PredicateFault.Function, "function", name));

    private void AddColumn(string name) => Add(3, new PredicateFault(PredicateFault.Column, "column", name));

    private void Add(int rank, PredicateFault fault) => _faults[rank] ??= fault;

    private static bool IsEmpty(JsonElement element, string property) => !element.TryGetProperty(property, out var value) || IsEmpty(value);

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => value.EnumerateObject().All(property => IsEmpty(property.Value)),
        _ => false,
    };

    private static string Text(JsonElement element, string property) => element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
