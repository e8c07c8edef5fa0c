using System.Globalization;
using System.Text.Json;
using Agnes.Sql;

namespace Agnes.Connectors.Postgres.Rendering;

/// <summary>Functions and operators: each that is listed here, with what it means there.</summary>
internal sealed partial class PostgresRenderer
{
    /// <summary>
    /// What the engine takes for spaces when it trims: the separators of Unicode, of which PostgreSQL takes the first alone.
    /// </summary>
    private const string Spaces = "' \u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u202F\u205F\u3000'";

    private Rendered Function(JsonElement element, RenderScope scope, Ctes? ctes)
    {
        Known(element, "class", "type", "alias", "function_name", "schema", "catalog", "children", "filter", "order_bys", "distinct",
            "is_operator", "export_state");
        var (name, schema) = (EngineNames.Lower(Text(element, "function_name")), Text(element, "schema"));
        if (Text(element, "catalog").Length > 0 || (schema.Length > 0 && !EngineNames.Same(schema, "main"))) throw Unlisted(name);
        var elements = Items(element, "children");
        if (IntervalUnit(name) is { } unit && elements is [var count] && Integer(count) is { } number && Math.Abs(number) < 1_000_000)
            return new Rendered(string.Create(CultureInfo.InvariantCulture, $"INTERVAL '{number} {unit}'"), ValueKind.Interval);
        var arguments = elements.ConvertAll(child => Expression(child, scope, ctes));
        var orders = element.TryGetProperty("order_bys", out var by) ? Items(by, "orders")
            .ConvertAll(order => Ordered(order, null, scope, ctes)) : [];
        var filter = element.TryGetProperty("filter", out var condition) ? Condition(condition, scope, ctes) : null;
        var isDistinct = element.GetProperty("distinct").GetBoolean();
        if (Aggregate(name, arguments, isDistinct, orders, filter, null) is { } aggregate) return aggregate with { Aggregates = true };
        if (orders.Count > 0 || filter is not null || isDistinct) throw Unlisted(name);
        var value = Value(name, arguments, elements);
        return value with { Aggregates = arguments.Exists(argument => argument.Aggregates) };
    }

    /// <param name="over">The window; null: a plain aggregate.</param>
    /// <returns>Null: it is no aggregate.</returns>
    private static Rendered? Aggregate(
        string name, List<Rendered> arguments, bool isDistinct, List<string> orders, string? filter, string? over)
    {
        var end = $"{(filter is null ? "" : $" FILTER (WHERE {filter})")}{over}";
        string Call(string function, string argument, string order = "") =>
            $"{function}({(isDistinct ? "DISTINCT " : "")}{argument}{order}){end}";

        var one = arguments.Count == 1 ? arguments[0] : default;
        switch (name)
        {
            case "count_star" when arguments.Count == 0 && !isDistinct:
                return new Rendered($"count(*){end}", ValueKind.Integer);
            case "count" when arguments.Count == 1:
                return new Rendered(Call("count", one.Kind == ValueKind.Text ? Bytewise(one, one.Kind) : one.Sql), ValueKind.Integer);
            case "sum" when arguments.Count == 1 && one.IsNumber:
                return new Rendered(Call("sum", one.Sql), one.Kind);
            case "avg" or "mean" when arguments.Count == 1 && one.Kind is ValueKind.Integer:
                return new Rendered($"(CAST({Call("sum", one.Sql)} AS double precision) / NULLIF({Call("count", one.Sql)}, 0))",
                    ValueKind.Float);
            case "avg" or "mean" when arguments.Count == 1 && one.Kind is ValueKind.Float:
                return new Rendered(Call("avg", one.Sql), ValueKind.Float);
            case "min" or "max" when arguments.Count == 1
                && (one.IsNumber || one.Kind is ValueKind.Real or ValueKind.Text or ValueKind.Date or ValueKind.Time
                or ValueKind.Timestamp or ValueKind.Instant):
                return new Rendered(Call(name, Bytewise(one, one.Kind)), one.Kind);
            case "bool_and" or "bool_or" when arguments.Count == 1 && one.Kind == ValueKind.Boolean:
                return new Rendered(Call(name, one.Sql), ValueKind.Boolean);
            case "string_agg" or "group_concat" or "listagg" when arguments is [{ Kind: ValueKind.Text }, ..] and { Count: <= 2 }
                && over is null:
                var separator = arguments.Count == 1 ? "','" : arguments[1].Literal is not null ? arguments[1].Sql
                    : throw new UnknownFormException($"{name} with such a separator");
                return new Rendered(Call(
                    "string_agg", $"{arguments[0].Sql}, {separator}", orders.Count == 0 ? "" : $" ORDER BY {string.Join(", ", orders)}"),
                    ValueKind.Text);
            case "count_star" or "count" or "sum" or "avg" or "mean" or "min" or "max" or "bool_and" or "bool_or" or "string_agg"
                or "group_concat" or "listagg":
                throw new UnknownFormException($"{name} of {string.Join(" and ", arguments.Select(argument => Named(argument.Kind)))}");
            default:
                return null;
        }
    }

    private Rendered Value(string name, List<Rendered> arguments, List<JsonElement> elements) =>
        Arithmetic(name, arguments) ?? Texts(name, arguments, elements) ?? Numbers(name, arguments, elements) ?? Times(name, arguments)
            ?? throw Unlisted(name, arguments);

    private static Rendered? Arithmetic(string name, List<Rendered> arguments)
    {
        if (arguments is [var one] && name is "-" or "+" && arguments.Count == 1) return arguments[0].IsNumber
            ? new Rendered($"({name}{arguments[0].Sql})", arguments[0].Kind) : null;
        if (arguments.Count != 2
            || name is not ("+" or "-" or "*" or "/" or "%" or "mod" or "add" or "subtract" or "multiply" or "divide")) return null;
        if (name is "add" or "subtract" or "multiply" or "divide") return null;
        var (left, right) = (arguments[0], arguments[1]);
        if (left.IsNumber && right.IsNumber)
        {
            if (name == "/") return new Rendered(
                $"(CAST({left.Sql} AS double precision) / CAST({right.Sql} AS double precision))", ValueKind.Float);
            if (name is "%" or "mod") return left.Kind == ValueKind.Integer && right.Kind == ValueKind.Integer
                ? new Rendered($"({left.Sql} % {right.Sql})", ValueKind.Integer) : null;
            var kind = Together(arguments, name);
            return new Rendered($"({As(left, kind).Sql} {name} {As(right, kind).Sql})", kind);
        }

        return (left.Kind, name, right.Kind) switch
        {
            (ValueKind.Date, "+" or "-", ValueKind.Integer) =>
                new Rendered($"({left.Sql} {name} CAST({right.Sql} AS integer))", ValueKind.Date),
            (ValueKind.Integer, "+", ValueKind.Date) => new Rendered($"({right.Sql} + CAST({left.Sql} AS integer))", ValueKind.Date),
            (ValueKind.Date, "-", ValueKind.Date) => new Rendered($"({left.Sql} - {right.Sql})", ValueKind.Integer),
            (ValueKind.Date or ValueKind.Timestamp, "+" or "-", ValueKind.Interval) =>
                new Rendered($"({left.Sql} {name} {right.Sql})", ValueKind.Timestamp),
            (ValueKind.Interval, "+", ValueKind.Date or ValueKind.Timestamp) =>
                new Rendered($"({right.Sql} + {left.Sql})", ValueKind.Timestamp),
            _ => null,
        };
    }

    private Rendered? Texts(string name, List<Rendered> arguments, List<JsonElement> elements)
    {
        if (name is "||" or "concat" && arguments.Count > 0 && arguments.TrueForAll(IsWritten))
        {
            var texts = arguments.Select(argument => $"CAST({argument.Sql} AS text)");
            return new Rendered(name == "||" ? $"({string.Join(" || ", texts)})" : $"concat({string.Join(", ", texts)})", ValueKind.Text);
        }

        if (arguments.Count == 0
            || !arguments.TrueForAll(
            argument => argument.Kind is ValueKind.Text or ValueKind.Literal || argument.Kind == ValueKind.Integer)) return null;
        var first = arguments[0].Kind == ValueKind.Integer ? null : Texted(arguments[0]);
        if (first is null) return null;
        var second = arguments.Count > 1 && arguments[1].Kind != ValueKind.Integer ? Texted(arguments[1]) : null;
        var counts = elements.Skip(1).Select(Integer).ToList();
        switch (name, arguments.Count)
        {
            case ("lower" or "lcase" or "upper" or "ucase", 1):
                return new Rendered(Cased(name is "lower" or "lcase" ? "lower" : "upper", first), ValueKind.Text);
            case ("length" or "len" or "char_length" or "character_length", 1):
                return new Rendered($"char_length({first})", ValueKind.Integer);
            case ("strlen" or "octet_length", 1):
                return new Rendered($"octet_length({first})", ValueKind.Integer);
            case ("trim" or "ltrim" or "rtrim", 1):
                return new Rendered($"{(name == "trim" ? "btrim" : name)}({first}, {Spaces})", ValueKind.Text);
            case ("replace", 3) when second is not null && arguments[2].Kind != ValueKind.Integer && arguments[1].Literal is not "":
                return new Rendered($"replace({first}, {second}, {Texted(arguments[2])})", ValueKind.Text);
            case ("substring" or "substr", 2 or 3) when counts[0] is >= 1 && counts.All(count => count is >= 0 and <= int.MaxValue):
                return new Rendered($"substr({first}, {string.Join(", ", counts)})", ValueKind.Text);
            case ("left" or "right", 2) when counts[0] is >= 0 and <= int.MaxValue:
                return new Rendered($"\"{name}\"({first}, {counts[0]})", ValueKind.Text);
            case ("starts_with" or "prefix" or "^@", 2) when second is not null:
                return new Rendered($"starts_with({first}, {second})", ValueKind.Boolean);
            case ("ends_with" or "suffix", 2) when second is not null:
                return new Rendered($"(\"right\"({first}, char_length({second})) = {second} COLLATE \"C\")", ValueKind.Boolean);
            case ("contains", 2) when second is not null:
                return new Rendered($"(strpos({first} COLLATE \"C\", {second}) > 0)", ValueKind.Boolean);
            case ("strpos" or "instr" or "position", 2) when second is not null:
                return new Rendered($"strpos({first} COLLATE \"C\", {second})", ValueKind.Integer);
            case ("~~" or "!~~", 2) when second is not null:
                return Like(name == "!~~", $"{first} COLLATE \"C\"", second);
            case ("~~*" or "!~~*", 2) when second is not null:
                return Like(name == "!~~*", Cased("lower", first), Cased("lower", second));
            case ("nullif", 2):
                return null;
            default:
                return null;
        }
    }

    /// <summary>No character escapes another, as in the engine; PostgreSQL would take the backslash for one.</summary>
    private static Rendered Like(bool isNot, string text, string pattern) =>
        new($"({text} {(isNot ? "NOT " : "")}LIKE {pattern} ESCAPE '')", ValueKind.Boolean);

    private string Cased(string function, string text) =>
        _letters is null ? throw new UnknownFormException($"{function} or ILIKE: that database has no collation for all letters")
            : $"{function}({text} COLLATE {_letters})";

    private static string Texted(Rendered value) => value.Kind == ValueKind.Literal ? $"CAST({value.Sql} AS text)" : value.Sql;

    /// <summary>Both engines write it alike as text.</summary>
    private static bool IsWritten(Rendered value) =>
        value.Kind is ValueKind.Text or ValueKind.Literal or ValueKind.Integer or ValueKind.Date or ValueKind.Null;

    private static Rendered? Numbers(string name, List<Rendered> arguments, List<JsonElement> elements)
    {
        if (name is "nullif" && arguments.Count == 2)
        {
            var kind = Together(arguments, name);
            if (kind != arguments[0].Kind) throw new UnknownFormException("nullif of two types; cast one of them");
            return new Rendered($"NULLIF({Bytewise(arguments[0], kind)}, {Bytewise(As(arguments[1], kind), kind)})", kind);
        }

        if (name is "greatest" or "least" && arguments.Count > 0)
        {
            var kind = Together(arguments, name);
            return new Rendered($"{name}({string.Join(", ", arguments.Select(argument => Bytewise(As(argument, kind), kind)))})", kind);
        }

        if (arguments is not [{ IsNumber: true } one, ..]) return null;
        var floating = As(one, ValueKind.Float).Sql;
        return (name, arguments.Count) switch
        {
            ("abs", 1) => new Rendered($"abs({one.Sql})", one.Kind),
            ("floor" or "ceil" or "ceiling", 1) when one.Kind == ValueKind.Decimal =>
                new Rendered($"{(name == "floor" ? name : "ceil")}({one.Sql})", ValueKind.Decimal),
            ("floor" or "ceil" or "ceiling", 1) => new Rendered($"{(name == "floor" ? name : "ceil")}({floating})", ValueKind.Float),
            ("round", 1) when one.Kind is ValueKind.Integer or ValueKind.Decimal =>
                new Rendered(one.Kind == ValueKind.Integer ? one.Sql : $"round({one.Sql})", one.Kind),
            ("round", 2) when one.Kind is ValueKind.Decimal && Integer(elements[1]) is >= 0 and <= 38 and var digits =>
                new Rendered($"round({one.Sql}, {digits})", ValueKind.Decimal),
            ("sign", 1) => new Rendered($"CAST(sign({floating}) AS integer)", ValueKind.Integer),
            ("sqrt" or "exp" or "ln", 1) => new Rendered($"{name}({floating})", ValueKind.Float),
            ("pow" or "power", 2) when arguments[1].IsNumber =>
                new Rendered($"power({floating}, {As(arguments[1], ValueKind.Float).Sql})", ValueKind.Float),
            _ => null,
        };
    }

    private static Rendered? Times(string name, List<Rendered> arguments)
    {
        if (name is "today" && arguments.Count == 0) throw new UnknownFormException("today(); write current_date");
        var isPart = name is "date_part" or "datepart";
        if (isPart && arguments is [{ Literal: { } part }, { Kind: ValueKind.Date or ValueKind.Timestamp } of]) return Part(
            EngineNames.Lower(part), of);
        if (arguments is [{ Kind: ValueKind.Date or ValueKind.Timestamp } alone]) return Part(name, alone);
        if (name is "date_trunc" or "datetrunc" && arguments is [{ Literal: { } to }, { Kind: ValueKind.Date or ValueKind.Timestamp } cut]
            && EngineNames.Lower(to) is "year" or "quarter" or "month" or "week" or "day" or "hour" or "minute" or "second")
            return new Rendered($"date_trunc('{EngineNames.Lower(arguments[0].Literal!)}', CAST({arguments[1].Sql} AS timestamp))",
                ValueKind.Timestamp);
        if (name is "date_diff" or "datediff"
            && arguments is [{ Literal: { } step }, { Kind: ValueKind.Date } from, { Kind: ValueKind.Date } until]
            && EngineNames.Lower(step) is "day")
            return new Rendered($"({until.Sql} - {from.Sql})", ValueKind.Integer);
        return null;
    }

    private static Rendered? Part(string part, Rendered of)
    {
        var field = part switch
        {
            "year" or "quarter" or "month" or "week" or "day" or "hour" or "minute" or "isodow" or "isoyear" => part,
            "second" => "second",
            "dow" or "dayofweek" or "weekday" => "dow",
            "doy" or "dayofyear" => "doy",
            "dayofmonth" => "day",
            "weekofyear" => "week",
            _ => null,
        };
        return field is null ? null
            : new Rendered($"CAST(floor(EXTRACT({field} FROM CAST({of.Sql} AS timestamp))) AS bigint)", ValueKind.Integer);
    }

    private static string? IntervalUnit(string name) => name switch
    {
        "to_years" => "year",
        "to_months" => "month",
        "to_weeks" => "week",
        "to_days" => "day",
        "to_hours" => "hour",
        "to_minutes" => "minute",
        "to_seconds" => "second",
        _ => null,
    };

    private static UnknownFormException Unlisted(string name, List<Rendered>? arguments = null) => new(
        arguments is null or [] ? $"function '{StatementGuard.Shorten(name)}'"
            : $"'{StatementGuard.Shorten(name)}' of {string.Join(" and ", arguments.Select(argument => Named(argument.Kind)))}");
}
