using System.Text.Json;
using Agnes.Sql;

namespace Agnes.Connectors.Postgres.Rendering;

/// <summary>Tables and joins.</summary>
internal sealed partial class PostgresRenderer
{
    private static readonly string[] OfEveryTable = ["type", "alias", "sample", "column_name_alias"];

    /// <returns>Null: no table at all.</returns>
    private string? From(JsonElement from, RenderScope scope, Ctes? ctes) => Text(from, "type") switch
    {
        "EMPTY" => null,
        "BASE_TABLE" => Table(from, scope, ctes),
        "SUBQUERY" => Derived(from, scope, ctes),
        "JOIN" => Join(from, scope, ctes),
        "TABLE_FUNCTION" => throw new UnknownFormException("a function in FROM"),
        "EXPRESSION_LIST" => throw new UnknownFormException("VALUES"),
        var other => throw new UnknownFormException($"{other} in FROM"),
    };

    private string Table(JsonElement from, RenderScope scope, Ctes? ctes)
    {
        Known(from, [.. OfEveryTable, "table_name", "schema_name", "catalog_name"]);
        if (from.TryGetProperty("sample", out _)) throw new UnknownFormException("a sample");
        var (name, schema) = (Text(from, "table_name"), Text(from, "schema_name"));
        if (Text(from, "catalog_name").Length > 0
            || (schema.Length > 0 && !EngineNames.Same(schema, "main"))) throw new UnknownFormException("a table of another schema");
        var cte = schema.Length == 0 ? Ctes.Find(ctes, name) : null;
        var table = cte is null ? _tables.FirstOrDefault(table => EngineNames.Same(table.Name, name))
            ?? throw new UnknownFormException($"a table '{StatementGuard.Shorten(name)}' that is not granted") : null;
        var alias = NewName("t");
        Add(from, scope, name, alias, cte?.Columns.Select(column => column with { Sql = $"{alias}.{column.Sql}" })
            ?? table!.Columns.Select(
            column => column with { Sql = column.Sql.Replace(PostgresTypes.Alias.ToString(), alias, StringComparison.Ordinal) }));
        return $"{cte?.Sql ?? table!.From} AS {alias}";
    }

    private string Derived(JsonElement from, RenderScope scope, Ctes? ctes)
    {
        Known(from, [.. OfEveryTable, "subquery"]);
        if (from.TryGetProperty("sample", out _)) throw new UnknownFormException("a sample");
        var query = Query(from.GetProperty("subquery").GetProperty("node"), scope.Outer, ctes);
        var alias = NewName("t");
        Add(from, scope, alias, alias, query.Columns.Select(column => column with { Sql = $"{alias}.{column.Sql}" }));
        return $"({query.Sql}) AS {alias}";
    }

    private static void Add(JsonElement from, RenderScope scope, string name, string alias, IEnumerable<RenderColumn> columns)
    {
        var given = Text(from, "alias");
        var named = Renamed([.. columns], Items(from, "column_name_alias"));
        scope.Add(new RenderScope.Relation(
            given.Length > 0 ? given : name, [.. named.Select(column => new RenderScope.Column(column.Name, column.Kind, column.Sql))]));
    }

    private string Join(JsonElement join, RenderScope scope, Ctes? ctes)
    {
        Known(join, "type", "left", "right", "condition", "join_type", "ref_type", "using_columns", "delim_flipped", "alias");
        if (Text(join, "alias").Length > 0) throw new UnknownFormException("a join with a name");
        var (kind, form) = (Text(join, "join_type"), Text(join, "ref_type"));
        if (kind is not ("INNER" or "LEFT" or "RIGHT" or "FULL" or "OUTER")) throw new UnknownFormException($"{kind} JOIN");
        if (form is not ("REGULAR" or "CROSS")) throw new UnknownFormException($"{form} JOIN");
        if (kind == "OUTER") kind = "FULL";
        var left = From(join.GetProperty("left"), scope, ctes);
        var before = scope.Relations.Count;
        var right = From(join.GetProperty("right"), scope, ctes);
        if (left is null || right is null) throw new UnknownFormException("a join with no table");
        // A join below a join stands in brackets: it is the tree that counts.
        if (Text(join.GetProperty("right"), "type") == "JOIN") right = $"({right})";
        if (form == "CROSS") return $"{left} CROSS JOIN {right}";
        var shared = Items(join, "using_columns").ConvertAll(name => name.GetString()!);
        var condition = shared.Count > 0 ? Using(shared, kind, scope, before)
            : join.TryGetProperty("condition", out var on) ? Condition(on, scope, ctes)
                : throw new UnknownFormException("a join without a condition");
        return $"{left} {kind} JOIN {right} ON {condition}";
    }

    /// <summary>Two columns become one: of the left side, of the right where only that has all rows, or of whichever is there.</summary>
    private static string Using(List<string> names, string kind, RenderScope scope, int before)
    {
        var conditions = new List<string>();
        foreach (var name in names)
        {
            var left = One(scope.Relations.Take(before), name);
            var right = One(scope.Relations.Skip(before), name);
            var merged = left.Alone ?? left.Sql;
            conditions.Add(Compared("=", new Rendered(merged, left.Kind), new Rendered(right.Sql, right.Kind)).Sql);
            left.Alone = kind switch { "RIGHT" => right.Sql, "FULL" => $"COALESCE({merged}, {right.Sql})", _ => merged };
            right.IsMerged = true;
        }

        return string.Join(" AND ", conditions);
    }

    private static RenderScope.Column One(IEnumerable<RenderScope.Relation> relations, string name)
    {
        var found = relations.SelectMany(relation => relation.Columns)
            .Where(column => !column.IsMerged && EngineNames.Same(column.Name, name)).ToList();
        return found is [var one] ? one : throw new UnknownFormException($"USING ({StatementGuard.Shorten(name)})");
    }
}
