using System.Text.Json;
using Agnes.Protocol;
using Agnes.Sql;

namespace Agnes.Engine.Query.Remote;

/// <summary>What a statement needs of one table that another system holds.</summary>
/// <param name="Columns">In the table's order, one at least; null: all.</param>
/// <param name="Where">In the system's dialect: rows for which it is not true change nothing in the answer. Null: all rows are
/// needed.</param>
internal sealed record TableNeed(IReadOnlyList<TableColumn>? Columns, string? Where)
{
    public static TableNeed Whole { get; } = new(null, null);
}

/// <summary>
/// Reads from a statement's tree what it needs of its tables. A column that is named anywhere is needed, whosever it is; a condition is
/// moved where the table is named once and its rows are dropped by that condition anyway, whatever is joined to them. Where it is not
/// plain, all is needed.
/// </summary>
internal sealed class TableNeeds
{
    private readonly HashSet<string> _named = new(EngineNames.Comparer);
    private readonly HashSet<string> _alone = new(EngineNames.Comparer); // names that could stand for a whole row
    private readonly HashSet<string> _starred = new(EngineNames.Comparer);
    private readonly HashSet<string> _defined = new(EngineNames.Comparer); // by WITH
    private readonly Dictionary<string, List<JsonElement>> _tables = new(EngineNames.Comparer);
    private readonly List<JsonElement> _selects = [];
    private bool _needsAll;
    private bool _isSampled;

    /// <param name="root">As <c>json_serialize_sql</c> writes it, with what is empty.</param>
    public TableNeeds(JsonElement root) => Visit(root);

    /// <param name="columns">The table's, as its system describes them.</param>
    /// <param name="columnsOf">Those of another table by its name; null where they are not known.</param>
    public TableNeed Of(
        ScopedTable table, SqlDialect dialect, IReadOnlyList<TableColumn> columns, Func<string, IReadOnlyList<TableColumn>?> columnsOf)
    {
        if (_needsAll || _defined.Contains(table.Name) || !_tables.TryGetValue(table.Name, out var found)) return TableNeed.Whole;
        var names = found.Select(AliasOf).Append(table.Name).ToList();
        if (columns.Count == 0 || found.Exists(IsRenamed)) return TableNeed.Whole;
        var where = found.Count == 1 && !_isSampled ? WhereOf(found[0], dialect, columns, columnsOf) : null;
        if (names.Exists(name => _starred.Contains(name) || _alone.Contains(name))) return new TableNeed(null, where);
        List<TableColumn> needed = [.. columns.Where(column => _named.Contains(column.Name))];
        if (needed.Count == columns.Count) return new TableNeed(null, where);
        return new TableNeed(needed.Count > 0 ? needed : [columns[0]], where);
    }

    private void Visit(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray()) Visit(item);
            return;
        }

        if (element.ValueKind != JsonValueKind.Object) return;
        Look(element, Text(element, "class"), Text(element, "type"));
        foreach (var property in element.EnumerateObject()) Visit(property.Value);
    }

    private void Look(JsonElement element, string expression, string type)
    {
        switch (expression)
        {
            case "STAR" when Text(element, "relation_name") is { Length: > 0 } of: _starred.Add(of); break;
            case "STAR" or "POSITIONAL_REFERENCE": _needsAll = true; break;
            case "COLUMN_REF": Name(element.GetProperty("column_names")); break;
        }

        if (expression.Length > 0) return;
        if (element.TryGetProperty("sample", out var sample) && sample.ValueKind != JsonValueKind.Null) _isSampled = true;
        if (element.TryGetProperty("cte_map", out var ctes) && ctes.TryGetProperty("map", out var map))
            foreach (var entry in map.EnumerateArray()) _defined.Add(Text(entry, "key"));
        switch (type)
        {
            case "SELECT_NODE": _selects.Add(element); break;
            case "SHOW_REF" or "PIVOT": _needsAll = true; break;
            case "RECURSIVE_CTE_NODE": _defined.Add(Text(element, "cte_name")); break;
            case "JOIN":
                if (Text(element, "ref_type") is not ("REGULAR" or "CROSS")) _needsAll = true;
                foreach (var column in element.GetProperty("using_columns").EnumerateArray()) _named.Add(column.GetString()!);
                break;
            case "BASE_TABLE":
                var name = Text(element, "table_name");
                if (!_tables.TryGetValue(name, out var same)) _tables.Add(name, same = []);
                same.Add(element);
                break;
        }
    }

    private void Name(JsonElement names)
    {
        foreach (var name in names.EnumerateArray()) _named.Add(name.GetString()!);
        if (names.GetArrayLength() == 1) _alone.Add(names[0].GetString()!);
    }

    /// <summary>Of the SELECT whose FROM names the table, where none of its joins brings back what the condition drops.</summary>
    private string? WhereOf(
        JsonElement table, SqlDialect dialect, IReadOnlyList<TableColumn> columns, Func<string, IReadOnlyList<TableColumn>?> columnsOf)
    {
        foreach (var select in _selects)
        {
            var entries = new List<(JsonElement Entry, bool IsKept)>();
            Enter(select.GetProperty("from_table"), isKept: true, entries);
            var at = entries.FindIndex(one => IsSame(one.Entry, table));
            if (at < 0) continue;
            if (!entries[at].IsKept || !select.TryGetProperty("where_clause", out var where)) return null;
            if (where.ValueKind != JsonValueKind.Object) return null;
            var own = AliasOf(table);
            if (entries.Count(one => EngineNames.Same(AliasOf(one.Entry), own)) > 1) return null;
            List<JsonElement> others = [.. entries.Where((_, index) => index != at).Select(one => one.Entry)];
            return new MovedPredicate(dialect, names => names switch
            {
                [var of, var name] when EngineNames.Same(of, own) => Find(columns, name),
                [var name] when others.TrueForAll(other => HasNot(other, name, columnsOf)) => Find(columns, name),
                _ => null,
            }).Of(where);
        }

        return null;
    }

    /// <param name="isKept">A row that is here and for which the condition is not true is in no row of the whole.</param>
    private static void Enter(JsonElement from, bool isKept, List<(JsonElement Entry, bool IsKept)> entries)
    {
        if (Text(from, "type") != "JOIN")
        {
            entries.Add((from, isKept));
            return;
        }

        var kind = Text(from, "join_type");
        Enter(from.GetProperty("left"), isKept && kind is "INNER" or "LEFT" or "SEMI" or "ANTI", entries);
        Enter(from.GetProperty("right"), isKept && kind is "INNER" or "RIGHT", entries);
    }

    /// <summary>There is one table of that name in the whole statement.</summary>
    private static bool IsSame(JsonElement one, JsonElement other) =>
        Text(one, "type") == "BASE_TABLE" && EngineNames.Same(Text(one, "table_name"), Text(other, "table_name"));

    private bool HasNot(JsonElement entry, string column, Func<string, IReadOnlyList<TableColumn>?> columnsOf) =>
        Text(entry, "type") == "EMPTY"
        || (Text(entry, "type") == "BASE_TABLE" && !_defined.Contains(Text(entry, "table_name"))
            && columnsOf(Text(entry, "table_name")) is { Count: > 0 } known && Find(known, column) is null
            && !IsRenamed(entry));

    /// <summary>Its columns are called otherwise here, in their order.</summary>
    private static bool IsRenamed(JsonElement table) =>
        table.TryGetProperty("column_name_alias", out var names) && names.ValueKind == JsonValueKind.Array && names.GetArrayLength() > 0;

    private static TableColumn? Find(IReadOnlyList<TableColumn> columns, string name) =>
        columns.FirstOrDefault(column => EngineNames.Same(column.Name, name));

    private static string AliasOf(JsonElement entry) => Text(entry, "alias") is { Length: > 0 } alias ? alias : Text(entry, "table_name");

    private static string Text(JsonElement element, string property) => element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
