using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Agnes.Protocol;
using Agnes.Sql;

namespace Agnes.Connectors.Postgres.Rendering;

/// <summary>Expressions but for functions.</summary>
internal sealed partial class PostgresRenderer
{
    private Rendered Expression(JsonElement element, RenderScope scope, Ctes? ctes)
    {
        if (++_depth > DepthMax) throw new UnknownFormException("it is nested too deeply");
        try
        {
            return Text(element, "class") switch
            {
                "COLUMN_REF" => Column(element, scope),
                "CONSTANT" => Constant(element),
                "CAST" => Cast(element, scope, ctes),
                "COMPARISON" => Comparison(element, scope, ctes),
                "CONJUNCTION" => Conjunction(element, scope, ctes),
                "OPERATOR" => Operator(element, scope, ctes),
                "BETWEEN" => Between(element, scope, ctes),
                "CASE" => Case(element, scope, ctes),
                "SUBQUERY" => Subquery(element, scope, ctes),
                "FUNCTION" => Function(element, scope, ctes),
                "WINDOW" => Window(element, scope, ctes),
                "PARAMETER" => throw new UnknownFormException("parameters"),
                var other => throw new UnknownFormException($"an expression of form {other}"),
            };
        }
        finally
        {
            _depth--;
        }
    }

    private string Condition(JsonElement element, RenderScope scope, Ctes? ctes)
    {
        var condition = Expression(element, scope, ctes);
        return condition.Kind is ValueKind.Boolean or ValueKind.Null ? condition.Sql
            : throw new UnknownFormException("a condition that is no truth value");
    }

    private Rendered Column(JsonElement element, RenderScope scope)
    {
        Known(element, "class", "type", "alias", "column_names");
        var names = Items(element, "column_names").ConvertAll(name => name.GetString()!);
        if (scope.Find(names) is { } found) return found;
        if (names is [var name] && EngineNames.Same(name, "current_date"))
            return new Rendered($"DATE '{_now.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}'", ValueKind.Date);
        throw new UnknownFormException($"a column '{StatementGuard.Shorten(string.Join('.', names))}' that none of its tables has");
    }

    private static Rendered Constant(JsonElement element)
    {
        Known(element, "class", "type", "alias", "value");
        var value = element.GetProperty("value");
        if (value.GetProperty("is_null").GetBoolean()) return new Rendered("NULL", ValueKind.Null);
        var type = value.GetProperty("type");
        switch (Text(type, "id"))
        {
            case "VARCHAR" when Text(value, "value") is var text:
                if (text.Contains('\0', StringComparison.Ordinal)) throw new UnknownFormException("a text with a zero byte");
                return new Rendered(SqlText.Literal(text), ValueKind.Literal, text);
            case "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" or "HUGEINT" or "UTINYINT" or "USMALLINT" or "UINTEGER":
                return new Rendered(Signed(Whole(value.GetProperty("value"))), ValueKind.Integer);
            case "DECIMAL" when type.TryGetProperty("type_info", out var info):
                return new Rendered(Decimals(Whole(value.GetProperty("value")), info.GetProperty("scale").GetInt32()), ValueKind.Decimal);
            case "DOUBLE" when value.GetProperty("value").ValueKind == JsonValueKind.Number:
                return Float(value.GetProperty("value").GetDouble().ToString("R", CultureInfo.InvariantCulture));
            case "BOOLEAN":
                return new Rendered(value.GetProperty("value").GetBoolean() ? "TRUE" : "FALSE", ValueKind.Boolean);
            case var other:
                throw new UnknownFormException($"a constant of type {other}");
        }
    }

    private static Rendered Float(string digits) => new($"CAST('{digits}' AS double precision)", ValueKind.Float);

    private static string Signed(Int128 value)
    {
        var digits = value.ToString(CultureInfo.InvariantCulture);
        return value < 0 ? $"({digits})" : digits;
    }

    private static string Decimals(Int128 unscaled, int scale)
    {
        var digits = (unscaled < 0 ? -unscaled : unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        var text = scale == 0 ? $"{digits}." : $"{digits[..^scale]}.{digits[^scale..]}";
        return $"CAST('{(unscaled < 0 ? "-" : "")}{text}' AS numeric)";
    }

    private static Int128 Whole(JsonElement value) => value.ValueKind == JsonValueKind.Object
        ? ((Int128)value.GetProperty("upper").GetInt64() << 64) | value.GetProperty("lower").GetUInt64()
        : Int128.Parse(value.GetRawText(), CultureInfo.InvariantCulture);

    /// <summary>Of a constant: the number, whatever the engine wrapped around it.</summary>
    private static long? Integer(JsonElement element)
    {
        if (Text(element, "class") == "CAST") return Integer(element.GetProperty("child"));
        if (Text(element, "class") == "FUNCTION" && Text(element, "function_name") is "trunc"
            && Items(element, "children") is [var inner]) return Integer(inner);
        if (Text(element, "class") == "FUNCTION" && Text(element, "function_name") is "-"
            && Items(element, "children") is [var negated]) return -Integer(negated);
        if (Text(element, "class") != "CONSTANT" || !element.GetProperty("value").TryGetProperty("value", out var value)) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)
            && Text(element.GetProperty("value").GetProperty("type"), "id") != "DECIMAL" ? number : null;
    }

    private Rendered Cast(JsonElement element, RenderScope scope, Ctes? ctes)
    {
        Known(element, "class", "type", "alias", "child", "cast_type", "try_cast");
        if (element.GetProperty("try_cast").GetBoolean()) throw new UnknownFormException("TRY_CAST");
        var type = element.GetProperty("cast_type");
        var id = Text(type, "id");
        var child = Expression(element.GetProperty("child"), scope, ctes);
        if (child.Literal is not null && EngineTypes.KindOf(id) is { } wanted && wanted != ValueKind.Text) return Typed(child, wanted);
        switch (id)
        {
            case "VARCHAR" when child.Kind is ValueKind.Text or ValueKind.Literal or ValueKind.Integer or ValueKind.Boolean
                or ValueKind.Date or ValueKind.Uuid:
                return child with { Sql = $"CAST({child.Sql} AS text)", Kind = ValueKind.Text, Literal = null };
            case "DOUBLE" when child.IsNumber || child.Kind == ValueKind.Real:
                return child with { Sql = $"CAST({child.Sql} AS double precision)", Kind = ValueKind.Float };
            case "SMALLINT" or "INTEGER" or "BIGINT" when child.IsNumber || child.Kind == ValueKind.Boolean:
                var number = child.Kind == ValueKind.Boolean ? $"CAST({child.Sql} AS integer)" : child.Sql;
                return child with { Sql = $"CAST({number} AS {id.ToLowerInvariant()})", Kind = ValueKind.Integer };
            case "DECIMAL" when child.Kind is ValueKind.Integer or ValueKind.Decimal && type.TryGetProperty("type_info", out var info):
                var (width, scale) = (info.GetProperty("width").GetInt32(), info.GetProperty("scale").GetInt32());
                return child with
                {
                    Sql = string.Create(CultureInfo.InvariantCulture, $"CAST({child.Sql} AS numeric({width},{scale}))"),
                    Kind = ValueKind.Decimal
                };
            case "DATE" when child.Kind is ValueKind.Date or ValueKind.Timestamp:
                return child with { Sql = $"CAST({child.Sql} AS date)", Kind = ValueKind.Date };
            case "TIMESTAMP" when child.Kind is ValueKind.Date or ValueKind.Timestamp:
                return child with { Sql = $"CAST({child.Sql} AS timestamp)", Kind = ValueKind.Timestamp };
            default:
                if (EngineTypes.KindOf(id) is { } same && same == child.Kind) return child;
                throw new UnknownFormException($"a cast of {Named(child.Kind)} to {StatementGuard.Shorten(id)}");
        }
    }

    /// <summary>
    /// A text constant as what it stands beside: in one spelling that both engines read alike, never in the many more that one of them
    /// knows.
    /// </summary>
    private static Rendered Typed(Rendered literal, ValueKind kind)
    {
        var text = literal.Literal!;
        switch (kind)
        {
            case ValueKind.Text:
                return new Rendered($"CAST({literal.Sql} AS text)", ValueKind.Text);
            case ValueKind.Date when DayShape().IsMatch(text):
                return new Rendered($"DATE '{text}'", kind);
            case ValueKind.Timestamp when MomentShape().IsMatch(text):
                return new Rendered($"TIMESTAMP '{text.Replace('T', ' ')}'", kind);
            case ValueKind.Instant when InstantShape().IsMatch(text): // where it names no zone, both are in UTC
                return new Rendered($"TIMESTAMPTZ '{text}'", kind);
            case ValueKind.Integer when IntegerShape().IsMatch(text):
                return new Rendered($"({text})", kind);
            case ValueKind.Float when NumberShape().IsMatch(text):
                return Float(text);
            case ValueKind.Boolean when text is "t" or "true" or "f" or "false":
                return new Rendered(text[0] == 't' ? "TRUE" : "FALSE", kind);
            case ValueKind.Uuid when Guid.TryParseExact(text, "D", out _):
                return new Rendered($"UUID '{text}'", kind);
            case ValueKind.Interval when IntervalShape().Match(text) is { Success: true } match:
                return new Rendered($"INTERVAL '{match.Groups["n"].Value} {match.Groups["unit"].Value.ToLowerInvariant()}'", kind);
            default:
                throw new UnknownFormException(
                    $"the text {StatementGuard.Shorten(literal.Sql)} as {Named(kind)}; write it in full, as 2026-01-31");
        }
    }

    private Rendered Comparison(JsonElement element, RenderScope scope, Ctes? ctes)
    {
        Known(element, "class", "type", "alias", "left", "right");
        return Compared(ComparisonOf(Text(element, "type")), Expression(element.GetProperty("left"), scope, ctes),
            Expression(element.GetProperty("right"), scope, ctes));
    }

    private static string ComparisonOf(string type) => type switch
    {
        "COMPARE_EQUAL" => "=",
        "COMPARE_NOTEQUAL" => "<>",
        "COMPARE_LESSTHAN" => "<",
        "COMPARE_GREATERTHAN" => ">",
        "COMPARE_LESSTHANOREQUALTO" => "<=",
        "COMPARE_GREATERTHANOREQUALTO" => ">=",
        "COMPARE_DISTINCT_FROM" => "IS DISTINCT FROM",
        "COMPARE_NOT_DISTINCT_FROM" => "IS NOT DISTINCT FROM",
        _ => throw new UnknownFormException($"a comparison of form {type}"),
    };

    private static Rendered Compared(string comparison, Rendered left, Rendered right)
    {
        var kind = Together([left, right], "a comparison");
        // Beside a constant, equality is the same by every rule for sorting that a column may have, and an index of the column is of use.
        var isPlain = comparison is "=" or "<>" && (left.Literal ?? right.Literal) is not null;
        (left, right) = (As(left, kind), As(right, kind));
        var (first, second) = isPlain ? (left.Sql, right.Sql) : (Bytewise(left, kind), Bytewise(right, kind));
        return new Rendered($"({first} {comparison} {second})", ValueKind.Boolean, Aggregates: left.Aggregates || right.Aggregates);
    }

    /// <summary>Texts are compared by their bytes, as the engine does it.</summary>
    private static string Bytewise(Rendered value, ValueKind kind) => kind == ValueKind.Text ? $"({value.Sql} COLLATE \"C\")" : value.Sql;

    /// <summary>The kind that several values are compared or chosen from as; refused where the engines would choose differently.</summary>
    private static ValueKind Together(IEnumerable<Rendered> values, string where)
    {
        var kinds = values.Select(value => value.Kind).Where(kind => kind != ValueKind.Null).ToHashSet();
        var isLiteral = kinds.Remove(ValueKind.Literal);
        if (kinds.Count == 0) return ValueKind.Text;
        if (kinds.Count == 1) return kinds.Single() is var only && only != ValueKind.Opaque ? only
            : throw new UnknownFormException($"{where} of {Named(only)}");
        if (!isLiteral && kinds.All(kind => kind is ValueKind.Integer or ValueKind.Decimal)) return ValueKind.Decimal;
        if (!isLiteral && kinds.All(kind => kind is ValueKind.Integer or ValueKind.Decimal or ValueKind.Float)) return ValueKind.Float;
        if (!isLiteral && kinds.All(kind => kind is ValueKind.Date or ValueKind.Timestamp)) return ValueKind.Timestamp;
        throw new UnknownFormException($"{where} of {string.Join(" and ", kinds.Order().Select(Named))}; cast one of them");
    }

    private static Rendered As(Rendered value, ValueKind kind) => value.Kind switch
    {
        ValueKind.Literal => Typed(value, kind),
        ValueKind.Integer or ValueKind.Decimal when kind == ValueKind.Float =>
            value with { Sql = $"CAST({value.Sql} AS double precision)", Kind = kind },
        ValueKind.Integer when kind == ValueKind.Decimal => value with { Sql = $"CAST({value.Sql} AS numeric)", Kind = kind },
        ValueKind.Date when kind == ValueKind.Timestamp => value with { Sql = $"CAST({value.Sql} AS timestamp)", Kind = kind },
        _ => value,
    };

    private Rendered Conjunction(JsonElement element, RenderScope scope, Ctes? ctes)
    {
        Known(element, "class", "type", "alias", "children");
        var word = Text(element, "type") switch
        {
            "CONJUNCTION_AND" => " AND ",
            "CONJUNCTION_OR" => " OR ",
            var other =>
            throw new UnknownFormException(other)
        };
        var children = Items(element, "children").ConvertAll(child => Expression(child, scope, ctes));
        if (children.Exists(child => child.Kind is not (ValueKind.Boolean or ValueKind.Null))) throw new UnknownFormException(
            "AND or OR of what is no truth value");
        return new Rendered($"({string.Join(word, children.Select(child => child.Sql))})", ValueKind.Boolean,
            Aggregates: children.Exists(child => child.Aggregates));
    }

    private Rendered Operator(JsonElement element, RenderScope scope, Ctes? ctes)
    {
        Known(element, "class", "type", "alias", "children");
        var children = Items(element, "children").ConvertAll(child => Expression(child, scope, ctes));
        var aggregates = children.Exists(child => child.Aggregates);
        switch (Text(element, "type"))
        {
            case "OPERATOR_NOT" when children is [{ Kind: ValueKind.Boolean or ValueKind.Null } one]:
                return new Rendered($"(NOT {one.Sql})", ValueKind.Boolean, Aggregates: aggregates);
            case "OPERATOR_IS_NULL" when children is [var one]:
                return new Rendered($"({one.Sql} IS NULL)", ValueKind.Boolean, Aggregates: aggregates);
            case "OPERATOR_IS_NOT_NULL" when children is [var one]:
                return new Rendered($"({one.Sql} IS NOT NULL)", ValueKind.Boolean, Aggregates: aggregates);
            case "OPERATOR_COALESCE":
                var kind = Together(children, "coalesce");
                return new Rendered($"COALESCE({string.Join(", ", children.Select(child => As(child, kind).Sql))})", kind,
                    Aggregates: aggregates);
            case "COMPARE_IN" or "COMPARE_NOT_IN" when children.Count > 1:
                var type = Together(children, "IN");
                var list = children.ConvertAll(child => As(child, type));
                var word = Text(element, "type") == "COMPARE_IN" ? "IN" : "NOT IN";
                var first = children.Skip(1).All(child => child.Literal is not null) ? list[0].Sql : Bytewise(list[0], type);
                return new Rendered($"({first} {word} ({string.Join(", ", list.Skip(1).Select(item => item.Sql))}))", ValueKind.Boolean,
                    Aggregates: aggregates);
            case var other:
                throw new UnknownFormException($"an operator of form {other}");
        }
    }

    private Rendered Between(JsonElement element, RenderScope scope, Ctes? ctes)
    {
        Known(element, "class", "type", "alias", "input", "lower", "upper");
        if (Text(element, "type") != "COMPARE_BETWEEN") throw new UnknownFormException(Text(element, "type"));
        var value = Expression(element.GetProperty("input"), scope, ctes);
        var low = Compared(">=", value, Expression(element.GetProperty("lower"), scope, ctes));
        var high = Compared("<=", value, Expression(element.GetProperty("upper"), scope, ctes));
        return new Rendered($"({low.Sql} AND {high.Sql})", ValueKind.Boolean, Aggregates: low.Aggregates || high.Aggregates);
    }

    private Rendered Case(JsonElement element, RenderScope scope, Ctes? ctes)
    {
        Known(element, "class", "type", "alias", "case_checks", "else_expr");
        List<(string When, Rendered Then)> checks = Items(element, "case_checks")
            .ConvertAll(check =>
            (Condition(check.GetProperty("when_expr"), scope, ctes), Expression(check.GetProperty("then_expr"), scope, ctes)));
        var otherwise = element.TryGetProperty("else_expr", out var given) ? Expression(given, scope, ctes)
            : new Rendered("NULL", ValueKind.Null);
        var kind = Together([.. checks.Select(check => check.Then), otherwise], "CASE");
        var whens = checks.Select(check => $"WHEN {check.When} THEN {As(check.Then, kind).Sql}");
        var when = Items(element, "case_checks").Exists(check => Expression(check.GetProperty("when_expr"), scope, ctes).Aggregates);
        return new Rendered($"(CASE {string.Join(' ', whens)} ELSE {As(otherwise, kind).Sql} END)", kind, Aggregates: when
            || otherwise.Aggregates || checks.Exists(check => check.Then.Aggregates));
    }

    private Rendered Subquery(JsonElement element, RenderScope scope, Ctes? ctes)
    {
        Known(element, "class", "type", "alias", "subquery_type", "subquery", "child", "comparison_type");
        var query = Query(element.GetProperty("subquery").GetProperty("node"), scope, ctes);
        switch (Text(element, "subquery_type"))
        {
            case "EXISTS":
                return new Rendered($"EXISTS ({query.Sql})", ValueKind.Boolean);
            case "SCALAR" when query.Columns is [var one]:
                return new Rendered($"({query.Sql})", one.Kind);
            case "ANY" when query.Columns is [var one]:
                var child = Expression(element.GetProperty("child"), scope, ctes);
                var kind = Together([child, new Rendered("", one.Kind)], "a comparison with a query");
                if (one.Kind != kind) throw new UnknownFormException("a comparison with a query of another type; cast one of them");
                var comparison = ComparisonOf(Text(element, "comparison_type"));
                var any = $"({Bytewise(As(child, kind), kind)} {comparison} ANY ({query.Sql}))";
                return new Rendered(any, ValueKind.Boolean, Aggregates: child.Aggregates);
            case var other:
                throw new UnknownFormException($"a subquery of form {other}");
        }
    }

    private static string Named(ValueKind kind) => kind switch
    {
        ValueKind.Boolean => "a truth value",
        ValueKind.Integer => "an integer",
        ValueKind.Decimal => "a decimal",
        ValueKind.Real => "a FLOAT of four bytes",
        ValueKind.Float => "a DOUBLE",
        ValueKind.Text or ValueKind.Literal => "a text",
        ValueKind.Instant => "a TIMESTAMP WITH TIME ZONE",
        ValueKind.Interval => "an interval",
        ValueKind.Opaque => "a value that can only be read",
        _ => $"a {kind.ToString().ToUpperInvariant()}",
    };

    /// <summary>With brackets and signs around it, which count for nothing there.</summary>
    [GeneratedRegex(@"\A[( -]*[0-9]+\)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex WholeShape();

    [GeneratedRegex(@"\A[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex DayShape();

    [GeneratedRegex(
        @"\A[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex MomentShape();

    [GeneratedRegex(
        @"\A[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]) ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
        + @"(Z|[+-](0[0-9]|1[0-3])(:[0-5][0-9])?)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex InstantShape();

    [GeneratedRegex(@"\A-?(0|[1-9][0-9]{0,17})\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex IntegerShape();

    [GeneratedRegex(@"\A-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex NumberShape();

    [GeneratedRegex(@"\A\s*(?<n>-?[0-9]{1,6})\s+(?<unit>year|month|week|day|hour|minute|second)s?\s*\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase)]
    private static partial Regex IntervalShape();
}
