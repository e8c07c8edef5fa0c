using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Agnes.Protocol;
using Agnes.Sql;
using Agnes.Sql.BigQuery;

namespace Agnes.Engine.Query.Remote;

/// <summary>
/// Writes a condition of a statement for another system, where it is certain to be true there for every row that it is true for here: it
/// compares columns with constants whose types both systems treat alike, raises no error, and calls nothing. All else is left out: a row
/// too many is dropped here, a row too few is wrong.
/// </summary>
/// <param name="dialect">Of the system.</param>
/// <param name="columnOf">The column that names stand for, as the system spells it, if it is one of the table's; else null.</param>
internal sealed partial class MovedPredicate(SqlDialect dialect, Func<IReadOnlyList<string>, TableColumn?> columnOf)
{
    private const int TermsMax = 200;
    private const string WithZone = "TIMESTAMP WITH TIME ZONE";

    /// <summary>Of a decimal constant: what BigQuery's NUMERIC has.</summary>
    private const int ScaleMax = 9;

    private static readonly Dictionary<string, string> Signs = new(StringComparer.Ordinal)
    {
        ["COMPARE_EQUAL"] = "=",
        ["COMPARE_NOTEQUAL"] = "<>",
        ["COMPARE_LESSTHAN"] = "<",
        ["COMPARE_GREATERTHAN"] = ">",
        ["COMPARE_LESSTHANOREQUALTO"] = "<=",
        ["COMPARE_GREATERTHANOREQUALTO"] = ">=",
    };

    private static readonly Dictionary<string, string> Turned = new(StringComparer.Ordinal)
    {
        ["="] = "=",
        ["<>"] = "<>",
        ["<"] = ">",
        [">"] = "<",
        ["<="] = ">=",
        [">="] = "<=",
    };

    private int _terms;

    /// <summary>What of a WHERE clause can be moved; null: nothing.</summary>
    public string? Of(JsonElement where)
    {
        var terms = new List<string>();
        foreach (var term in Conjuncts(where))
            if (Write(term, isDenied: false) is { } sql) terms.Add(sql);
        return terms.Count == 0 ? null : string.Join(" AND ", terms);
    }

    private static IEnumerable<JsonElement> Conjuncts(JsonElement where) => Is(where, "CONJUNCTION", "CONJUNCTION_AND")
        ? where.GetProperty("children").EnumerateArray().SelectMany(Conjuncts)
        : [where];

    /// <param name="isDenied">It stands within NOT.</param>
    private string? Write(JsonElement term, bool isDenied)
    {
        if (++_terms > TermsMax) return null;
        var type = Text(term, "type");
        switch (Text(term, "class"))
        {
            case "CONJUNCTION": return Joined(term, type == "CONJUNCTION_AND" ? " AND " : " OR ", isDenied);
            case "COMPARISON" when Signs.TryGetValue(type, out var sign): return Compared(term, sign, isDenied);
            case "BETWEEN": return Between(term, isDenied);
            case "OPERATOR" when type is "COMPARE_IN" or "COMPARE_NOT_IN": return Listed(term, type == "COMPARE_IN", isDenied);
            case "OPERATOR" when type is "OPERATOR_IS_NULL" or "OPERATOR_IS_NOT_NULL": return Missing(term, type == "OPERATOR_IS_NULL");
            case "OPERATOR" when type == "OPERATOR_NOT" && Write(Child(term), !isDenied) is { } inner: return $"(NOT {inner})";
            case "COLUMN_REF" when ColumnOf(term) is { } flag && KindOf(flag) == Kind.Boolean: return Name(flag);
            default: return null;
        }
    }

    private string? Missing(JsonElement term, bool isMissing) => ColumnOf(Child(term)) is { } column && KindOf(column) != Kind.None
        ? $"({Name(column)} IS {(isMissing ? "" : "NOT ")}NULL)"
        : null;

    private string? Joined(JsonElement term, string between, bool isDenied)
    {
        var parts = term.GetProperty("children").EnumerateArray().Select(child => Write(child, isDenied)).ToList();
        return parts.Contains(null) ? null : $"({string.Join(between, parts)})";
    }

    private string? Compared(JsonElement term, string sign, bool isDenied)
    {
        var (left, right) = (term.GetProperty("left"), term.GetProperty("right"));
        if (ColumnOf(left) is null) (left, right, sign) = (right, left, Turned[sign]);
        return ColumnOf(left) is { } column && MayCompare(column, sign, isDenied) && Constant(right, column) is { } constant
            ? $"({Name(column)} {sign} {constant})"
            : null;
    }

    private string? Between(JsonElement term, bool isDenied) =>
        ColumnOf(term.GetProperty("input")) is { } column && MayCompare(column, "<=", isDenied)
        && Constant(term.GetProperty("lower"), column) is { } lower && Constant(term.GetProperty("upper"), column) is { } upper
            ? $"({Name(column)} BETWEEN {lower} AND {upper})"
            : null;

    private string? Listed(JsonElement term, bool isIn, bool isDenied)
    {
        var children = term.GetProperty("children");
        if (children.GetArrayLength() is < 2 or > TermsMax || ColumnOf(children[0]) is not { } column
            || !MayCompare(column, isIn ? "=" : "<>", isDenied)) return null;
        var values = children.EnumerateArray().Skip(1).Select(value => Constant(value, column)).ToList();
        return values.Contains(null) ? null : $"({Name(column)} {(isIn ? "" : "NOT ")}IN ({string.Join(", ", values)}))";
    }

    /// <summary>
    /// A column there may take upper and lower case for one, or let blanks at the end be. Then more texts are equal there than here, which
    /// is safe; but fewer differ, and their order is another.
    /// </summary>
    private static bool MayCompare(TableColumn column, string sign, bool isDenied) =>
        KindOf(column) != Kind.Text || (sign == "=" && !isDenied);

    private string? Constant(JsonElement value, TableColumn column)
    {
        var castTo = "";
        if (Text(value, "class") == "CAST" && !value.GetProperty("try_cast").GetBoolean())
        {
            castTo = Text(value.GetProperty("cast_type"), "id");
            value = value.GetProperty("child");
        }

        if (Text(value, "class") != "CONSTANT" || value.GetProperty("value") is not { ValueKind: JsonValueKind.Object } constant
            || constant.GetProperty("is_null").GetBoolean()) return null;
        var type = constant.GetProperty("type");
        var (of, given) = (Text(type, "id"), constant.GetProperty("value"));
        return KindOf(column) switch
        {
            Kind.Whole when castTo.Length == 0 && of is "INTEGER" or "BIGINT" => Whole(given),
            Kind.Decimal when castTo.Length == 0 => Number(of, type, given),
            Kind.Boolean when castTo.Length == 0 && of == "BOOLEAN" && given.ValueKind is JsonValueKind.True or JsonValueKind.False =>
                given.GetBoolean() ? "TRUE" : "FALSE",
            Kind.Boolean when castTo == "BOOLEAN" && given.ValueKind == JsonValueKind.String && given.GetString() is "t" or "f" =>
                given.GetString() == "t" ? "TRUE" : "FALSE",
            _ when of != "VARCHAR" || given.ValueKind != JsonValueKind.String => null,
            Kind.Text when castTo.Length == 0 => Quoted(given.GetString()!),
            Kind.Date when castTo is "" or "DATE" && IsDate(given.GetString()!) => Typed("DATE", given),
            Kind.Moment when castTo is "" or "TIMESTAMP" && IsMoment(given.GetString()!) =>
                Typed(dialect == SqlDialect.BigQuery ? "DATETIME" : "TIMESTAMP", given),
            Kind.Instant when castTo is "" or WithZone && IsInstant(given.GetString()!) =>
                Typed(dialect == SqlDialect.BigQuery ? "TIMESTAMP" : WithZone, given),
            _ => null,
        };
    }

    private static string? Whole(JsonElement given) =>
        given.ValueKind == JsonValueKind.Number && given.TryGetInt64(out var number) ? number.ToString(CultureInfo.InvariantCulture) : null;

    /// <summary>A decimal constant is a whole number, with its places beside it.</summary>
    private string? Number(string of, JsonElement type, JsonElement given)
    {
        if (of is "INTEGER" or "BIGINT") return Whole(given) is { } whole ? Exact(whole) : null;
        if (of != "DECIMAL" || given.ValueKind != JsonValueKind.Number || !given.TryGetInt64(out var digits)) return null;
        if (!type.TryGetProperty("type_info", out var info) || info.ValueKind != JsonValueKind.Object
            || !info.TryGetProperty("scale", out var scale) || scale.GetInt32() is < 0 or > ScaleMax) return null;
        var number = (decimal)digits;
        for (var places = scale.GetInt32(); places > 0; places--) number /= 10;
        return Exact(number.ToString(CultureInfo.InvariantCulture));
    }

    private string Exact(string number) => dialect == SqlDialect.BigQuery ? $"NUMERIC {BigQueryText.Literal(number)}" : number;

    private string Typed(string type, JsonElement given) => dialect == SqlDialect.BigQuery
        ? $"{type} {BigQueryText.Literal(given.GetString()!)}"
        : $"CAST({SqlText.Literal(given.GetString()!)} AS {type})";

    private string? Quoted(string text) => text.Contains('\0', StringComparison.Ordinal) ? null
        : dialect == SqlDialect.BigQuery ? BigQueryText.Literal(text) : SqlText.Literal(text);

    private string Name(TableColumn column) =>
        dialect == SqlDialect.BigQuery ? BigQueryText.Quoted(column.Name) : SqlText.Identifier(column.Name);

    private TableColumn? ColumnOf(JsonElement element) =>
        Text(element, "class") == "COLUMN_REF" && element.TryGetProperty("column_names", out var names)
            ? columnOf([.. names.EnumerateArray().Select(name => name.GetString() ?? "")])
            : null;

    private static Kind KindOf(TableColumn column) => column.Type switch
    {
        "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" => Kind.Whole,
        "VARCHAR" => Kind.Text,
        "BOOLEAN" => Kind.Boolean,
        "DATE" => Kind.Date,
        "TIMESTAMP" => Kind.Moment,
        WithZone => Kind.Instant,
        _ => column.Type.StartsWith("DECIMAL(", StringComparison.Ordinal) && !column.Type.EndsWith(']') ? Kind.Decimal : Kind.None,
    };

    private static bool IsDate(string text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    private static bool IsMoment(string text) => Moments().IsMatch(text)
        && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    /// <summary>With its zone as a number: without one it would be that of whoever reads it.</summary>
    private static bool IsInstant(string text) => Zones().Match(text) is { Success: true } zone && IsMoment(text[..zone.Index]);

    private static bool Is(JsonElement element, string of, string type) => Text(element, "class") == of && Text(element, "type") == type;

    private static JsonElement Child(JsonElement element) => element.GetProperty("children")[0];

    private static string Text(JsonElement element, string property) => element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    [GeneratedRegex(
        @"\A[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Moments();

    [GeneratedRegex(@"(Z|[+-](0[0-9]|1[0-3])(:[0-5][0-9])?)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Zones();

    /// <summary>What can be compared, by the rules that both systems have for it.</summary>
    private enum Kind
    {
        None,
        Whole,
        Decimal,
        Boolean,
        Text,
        Date,
        Moment,
        Instant,
    }
}
