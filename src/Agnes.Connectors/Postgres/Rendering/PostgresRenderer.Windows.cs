using System.Globalization;
using System.Text.Json;
using Agnes.Sql;

namespace Agnes.Connectors.Postgres.Rendering;

/// <summary>Window functions.</summary>
internal sealed partial class PostgresRenderer
{
    private Rendered Window(JsonElement element, RenderScope scope, Ctes? ctes)
    {
        Known(
            element, "class", "type", "alias", "function_name", "children", "partitions", "orders", "start", "end", "start_expr",
                "end_expr", "offset_expr",
            "default_expr", "ignore_nulls", "exclude_clause", "distinct", "filter_expr");
        if (Text(element, "exclude_clause") is not ("NO_OTHER" or "")) throw new UnknownFormException("EXCLUDE in a window");
        if (element.GetProperty("ignore_nulls").GetBoolean()) throw new UnknownFormException("IGNORE NULLS");
        if (element.GetProperty("distinct").GetBoolean()) throw new UnknownFormException("DISTINCT in a window");
        var arguments = Items(element, "children").ConvertAll(child => Expression(child, scope, ctes));
        var filter = element.TryGetProperty("filter_expr", out var condition) ? Condition(condition, scope, ctes) : null;
        var over = Over(element, scope, ctes);
        var name = EngineNames.Lower(Text(element, "function_name"));
        if (Text(element, "type") == "WINDOW_AGGREGATE")
            return (Aggregate(name, arguments, false, [], filter, over)
                ?? throw Unlisted(name)) with
            { Aggregates = arguments.Exists(argument => argument.Aggregates) };
        if (filter is not null) throw new UnknownFormException($"FILTER of {name}");
        var value = Text(element, "type") switch
        {
            "WINDOW_ROW_NUMBER" or "WINDOW_RANK" or "WINDOW_RANK_DENSE" when arguments.Count == 0 =>
                new Rendered($"{Ranking(name)}(){over}", ValueKind.Integer),
            "WINDOW_LAG" or "WINDOW_LEAD" when arguments is [var shifted] => Shifted(name, shifted, element, over),
            "WINDOW_FIRST_VALUE" or "WINDOW_LAST_VALUE" when arguments is [{ Kind: not ValueKind.Literal } at] =>
                new Rendered($"{(Text(element, "type") == "WINDOW_FIRST_VALUE" ? "first_value" : "last_value")}({at.Sql}){over}", at.Kind),
            var other => throw new UnknownFormException($"a window of form {other}"),
        };
        return value with { Aggregates = arguments.Exists(argument => argument.Aggregates) };
    }

    private static string Ranking(string name) => name switch
    {
        "row_number" or "rank" or "dense_rank" => name,
        "rank_dense" => "dense_rank",
        _ => throw Unlisted(name),
    };

    private static Rendered Shifted(string name, Rendered value, JsonElement element, string over)
    {
        if (value.Kind == ValueKind.Literal || name is not ("lag" or "lead")) throw Unlisted(name);
        if (element.TryGetProperty("default_expr", out _)) throw new UnknownFormException(
            $"{name} with a default; write COALESCE around it");
        var by = element.TryGetProperty("offset_expr", out var offset)
            ? Integer(offset) is >= 0 and <= int.MaxValue and var rows ? rows : throw new UnknownFormException($"{name} by an expression")
            : 1;
        return new Rendered(string.Create(CultureInfo.InvariantCulture, $"{name}({value.Sql}, {by}){over}"), value.Kind);
    }

    private string Over(JsonElement element, RenderScope scope, Ctes? ctes)
    {
        var partitions = Items(element, "partitions").ConvertAll(partition => Output(Expression(partition, scope, ctes)));
        var orders = Items(element, "orders").ConvertAll(order => Ordered(order, null, scope, ctes));
        var parts = new List<string>(3);
        if (partitions.Count > 0) parts.Add($"PARTITION BY {string.Join(", ", partitions)}");
        if (orders.Count > 0) parts.Add($"ORDER BY {string.Join(", ", orders)}");
        if (Frame(element) is { } frame) parts.Add(frame);
        return $" OVER ({string.Join(' ', parts)})";
    }

    /// <returns>Null: the frame that both engines take where none is written.</returns>
    private static string? Frame(JsonElement element)
    {
        var (start, end) = (Text(element, "start"), Text(element, "end"));
        if (start == "UNBOUNDED_PRECEDING" && end == "CURRENT_ROW_RANGE") return null;
        var mode = start.EndsWith("_ROWS", StringComparison.Ordinal) || end.EndsWith("_ROWS", StringComparison.Ordinal) ? "ROWS" : "RANGE";
        return $"{mode} BETWEEN {Bound(start, element, "start_expr", mode)} AND {Bound(end, element, "end_expr", mode)}";
    }

    private static string Bound(string bound, JsonElement element, string property, string mode)
    {
        switch (bound)
        {
            case "UNBOUNDED_PRECEDING":
                return "UNBOUNDED PRECEDING";
            case "UNBOUNDED_FOLLOWING":
                return "UNBOUNDED FOLLOWING";
            case "CURRENT_ROW_ROWS" when mode == "ROWS":
            case "CURRENT_ROW_RANGE" when mode == "RANGE":
                return "CURRENT ROW";
            case "EXPR_PRECEDING_ROWS" or "EXPR_FOLLOWING_ROWS" when Integer(element.GetProperty(property)) is >= 0 and var rows:
                return string.Create(CultureInfo.InvariantCulture, $"{rows} {(bound[5] == 'P' ? "PRECEDING" : "FOLLOWING")}");
            default:
                throw new UnknownFormException($"a window's frame of form {bound}");
        }
    }
}
