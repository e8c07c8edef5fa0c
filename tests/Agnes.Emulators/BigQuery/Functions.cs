using System.Globalization;

namespace Agnes.Emulators.BigQuery;

/// <summary>
/// Functions, literals and operators that mean the same in the engine when they are written so. What is missing is refused by its name.
/// </summary>
internal static class Functions
{
    /// <summary>Where both differ by the type of a value: functions of ours in the engine.</summary>
    public static readonly string[] Macros =
    [
        "CREATE MACRO bq_int64(x) AS CASE WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(CAST(x AS VARCHAR), '[+-]?[0-9]+') "
            + "THEN error('Bad int64 value: ' || CAST(x AS VARCHAR)) WHEN typeof(x) = 'DOUBLE' THEN CAST(round(TRY_CAST(x AS DOUBLE)) "
            + "AS BIGINT) ELSE CAST(x AS BIGINT) END",
        "CREATE MACRO bq_safe_int64(x) AS CASE WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(CAST(x AS VARCHAR), '[+-]?[0-9]+') "
            + "THEN NULL "
            + "WHEN typeof(x) = 'DOUBLE' THEN TRY_CAST(round(TRY_CAST(x AS DOUBLE)) AS BIGINT) ELSE TRY_CAST(x AS BIGINT) END",
        "CREATE MACRO bq_string(x) AS CASE WHEN typeof(x) IN ('VARCHAR', 'BIGINT', 'INTEGER', 'HUGEINT', 'BOOLEAN', 'DATE') THEN CAST(x "
            + "AS VARCHAR) "
            + "ELSE error('The emulator writes no ' || typeof(x) || ' as a string') END",
        "CREATE MACRO bq_no_decimal(x) AS CASE WHEN typeof(x) LIKE 'DECIMAL%' THEN error('The emulator has no such function of "
            + "NUMERIC') ELSE x END",
        "CREATE MACRO bq_mod(x, y) AS CASE WHEN y = 0 THEN error('division by zero: MOD') ELSE x % y END",
        "CREATE MACRO bq_divide(x, y) AS CASE WHEN typeof(x) LIKE 'DECIMAL%' OR typeof(y) LIKE 'DECIMAL%' THEN error('The emulator "
            + "divides no NUMERIC') "
            + "ELSE CAST(x AS DOUBLE) / nullif(CAST(y AS DOUBLE), 0) END",
        "CREATE MACRO bq_date(x) AS CASE WHEN typeof(x) IN ('DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'VARCHAR') THEN CAST(x AS "
            + "DATE) ELSE error('DATE of ' || typeof(x)) END",
        "CREATE MACRO bq_day(x) AS CASE WHEN typeof(x) = 'DATE' THEN x ELSE error('The emulator needs a DATE here, not ' || typeof(x)) END",
    ];

    /// <summary>By name and count of arguments; <c>{0}</c> is the first, <c>{*}</c> all of them.</summary>
    private static readonly Dictionary<string, string> Simple = new(StringComparer.OrdinalIgnoreCase)
    {
        ["SUM/1"] = "sum({0})",
        ["MIN/1"] = "min({0})",
        ["MAX/1"] = "max({0})",
        ["AVG/1"] = "avg(bq_no_decimal({0}))",
        ["COUNTIF/1"] = "count_if({0})",
        ["ANY_VALUE/1"] = "any_value({0})",
        ["ARRAY_AGG/1"] = "list({0})",
        ["LOGICAL_AND/1"] = "bool_and({0})",
        ["LOGICAL_OR/1"] = "bool_or({0})",
        ["LOWER/1"] = "lower({0})",
        ["UPPER/1"] = "upper({0})",
        ["LENGTH/1"] = "length({0})",
        ["CHAR_LENGTH/1"] = "length({0})",
        ["STARTS_WITH/2"] = "starts_with({0}, {1})",
        ["ENDS_WITH/2"] = "ends_with({0}, {1})",
        ["REGEXP_CONTAINS/2"] = "regexp_matches({0}, {1})",
        ["REPLACE/3"] = "replace({0}, {1}, {2})",
        ["REVERSE/1"] = "reverse({0})",
        ["ABS/1"] = "abs({0})",
        ["CEIL/1"] = "ceil({0})",
        ["FLOOR/1"] = "floor({0})",
        ["ROUND/1"] = "round({0})",
        ["SQRT/1"] = "sqrt({0})",
        ["MOD/2"] = "bq_mod({0}, {1})",
        ["SAFE_DIVIDE/2"] = "bq_divide({0}, {1})",
        ["IF/3"] = "CASE WHEN {0} THEN {1} ELSE {2} END",
        ["IFNULL/2"] = "coalesce({0}, {1})",
        ["NULLIF/2"] = "nullif({0}, {1})",
        ["DATE/1"] = "bq_date({0})",
        ["DATE/3"] = "make_date({0}, {1}, {2})",
        ["TIMESTAMP/1"] = "CAST({0} AS TIMESTAMPTZ)",
        ["CURRENT_DATE/0"] = "current_date",
        ["CURRENT_TIMESTAMP/0"] = "now()",
        ["TIMESTAMP_MICROS/1"] = "make_timestamptz({0})",
        ["UNIX_SECONDS/1"] = "CAST(floor(epoch({0})) AS BIGINT)",
        ["ARRAY_LENGTH/1"] = "len({0})",
        ["GENERATE_ARRAY/2"] = "generate_series({0}, {1})",
        ["PARSE_JSON/1"] = "CAST({0} AS JSON)",
        ["ROW_NUMBER/0"] = "row_number()",
        ["RANK/0"] = "rank()",
        ["DENSE_RANK/0"] = "dense_rank()",
        ["LAG/1"] = "lag({0})",
        ["LEAD/1"] = "lead({0})",
    };

    private static readonly Dictionary<string, string> Casts = new(StringComparer.OrdinalIgnoreCase)
    {
        ["FLOAT64"] = "DOUBLE",
        ["NUMERIC"] = "DECIMAL(38,9)",
        ["BOOL"] = "BOOLEAN",
        ["DATE"] = "DATE",
        ["TIME"] = "TIME",
        ["DATETIME"] = "TIMESTAMP",
        ["TIMESTAMP"] = "TIMESTAMPTZ",
    };

    private static readonly HashSet<string> Plain = new("COUNT COALESCE".Split(' '), StringComparer.OrdinalIgnoreCase);
    private static readonly HashSet<string> DateParts = new("DAY MONTH QUARTER YEAR".Split(' '), StringComparer.OrdinalIgnoreCase);

    public static string Call(Node name, IReadOnlyList<Node> inner, Func<IReadOnlyList<Node>, string> write)
    {
        var called = name.Value.ToUpperInvariant();
        switch (called)
        {
            case "COUNT" or "SUM" or "AVG" or "ARRAY_AGG" when inner.Count > 0 && inner[0].Is("DISTINCT"):
                return $"{(called == "ARRAY_AGG" ? "list" : called)}(DISTINCT {One(name, inner.Skip(1), write)})";
            case "COUNT" when inner is [var star] && star.Is("*"):
                return "count(*)";
            case "CAST" or "SAFE_CAST":
                return Cast(name, inner, write);
            case "EXTRACT":
                return Extract(name, inner, write);
            case "STRUCT":
                return Struct(name, inner, write);
            case "DATE_ADD" or "DATE_SUB":
                return DateMove(name, inner, write);
        }

        var arguments = Arguments(inner).ToList();
        if (arguments.Exists(argument => argument.Count == 0))
        {
            throw Bridge.Unknown(name, $"Syntax error: an argument of {called} is missing");
        }
        switch (called, arguments.Count)
        {
            case ("DATE_DIFF", 3) when arguments[2] is [var part] && DateParts.Contains(part.Value):
                return $"date_diff('{part.Value.ToLowerInvariant()}', bq_day({write(arguments[1])}), bq_day({write(arguments[0])}))";
            case ("DATE_TRUNC", 2) when arguments[1] is [var part] && DateParts.Contains(part.Value):
                return $"CAST(date_trunc('{part.Value.ToLowerInvariant()}', bq_day({write(arguments[0])})) AS DATE)";
            case ("TIMESTAMP_TRUNC", 2) when arguments[1] is [var part]
                && (DateParts.Contains(part.Value) || part.Is("HOUR") || part.Is("MINUTE")):
                return $"date_trunc('{part.Value.ToLowerInvariant()}', CAST({write(arguments[0])} AS TIMESTAMPTZ))";
            case ("FORMAT_DATE", 2) when arguments[0] is [{ Kind: Kind.Text } format]:
                return $"strftime(bq_day({write(arguments[1])}), {Format(format)})";
            case ("SUBSTR", 2 or 3) when arguments[1] is [{ Kind: Kind.Number }] && arguments[1][0].Value != "0":
                return $"substring({string.Join(", ", arguments.Select(write))})";
            case ("CONCAT", > 0):
                return $"({string.Join(" || ", arguments.Select(argument => $"({write(argument)})"))})";
            case ("STRING_AGG", 1):
                return $"string_agg({write(arguments[0])}, ',')";
            case ("STRING_AGG", 2):
                return $"string_agg({write(arguments[0])}, {write(arguments[1])})";
        }

        if (Plain.Contains(called) && arguments.Count > 0) return $"{called}({string.Join(", ", arguments.Select(write))})";
        return Simple.TryGetValue($"{called}/{arguments.Count}", out var template)
            ? string.Format(CultureInfo.InvariantCulture, template, [.. arguments.Select(argument => $"({write(argument)})")])
            : throw Bridge.Unknown(name, $"Function not found: {name.Value}");
    }

    public static string? TypedLiteral(Node type, Node text) => type.Value.ToUpperInvariant() switch
    {
        "DATE" => $"CAST({Text(text.Value)} AS DATE)",
        "TIMESTAMP" => $"CAST({Text(text.Value)} AS TIMESTAMPTZ)",
        "DATETIME" => $"CAST({Text(text.Value)} AS TIMESTAMP)",
        "TIME" => $"CAST({Text(text.Value)} AS TIME)",
        "NUMERIC" => $"CAST({Text(text.Value)} AS DECIMAL(38,9))",
        "JSON" => $"CAST({Text(text.Value)} AS JSON)",
        _ => null,
    };

    public static string Literal(Node node, Bridge bridge) => node.Kind switch
    {
        Kind.Text => Text(node.Value),
        Kind.Bytes => Bytes(System.Text.Encoding.UTF8.GetBytes(node.Value)),
        Kind.Parameter => bridge.Values.Named.TryGetValue(node.Value.ToLowerInvariant(), out var value) ? value
            : throw Bridge.Unknown(node, $"Query parameter '{node.Value}' not found"),
        _ when node.Value.All(char.IsAsciiDigit) => node.Value,
        _ when double.TryParse(node.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) =>
            $"CAST('{number.ToString("R", CultureInfo.InvariantCulture)}' AS DOUBLE)",
        _ => throw Bridge.Unknown(node, $"Syntax error: Unexpected number \"{node.Value}\""),
    };

    public static string Sign(IReadOnlyList<Node> nodes, int i, Bridge bridge)
    {
        var node = nodes[i];
        switch (node.Value)
        {
            case "?" when bridge.NextPositional < bridge.Values.Positional.Count:
                return bridge.Values.Positional[bridge.NextPositional++];
            case "?":
                throw Bridge.Unknown(node, "Number of positional parameters does not match");
            case "/" or "^" or "~" or "&" or "|" or "=>" or ":" or ";":
                throw Bridge.Unknown(node, $"The emulator has no operator \"{node.Value}\"");
            default:
                return node.Value;
        }
    }

    /// <summary>An array's literal, or an element that may be missing.</summary>
    public static string Brackets(IReadOnlyList<Node> nodes, int i, Func<IReadOnlyList<Node>, string> write)
    {
        var inner = nodes[i].Inner;
        var isIndex = i > 0 && nodes[i].Touches && (nodes[i - 1].IsName || nodes[i - 1].Kind == Kind.Group);
        if (!isIndex) return $"[{string.Join(", ", Arguments(inner).Select(write))}]";
        return inner switch
        {
            [var word, { IsParenthesis: true } at] when word.Is("SAFE_OFFSET") => $"[({write(at.Inner)}) + 1]",
            [var word, { IsParenthesis: true } at] when word.Is("SAFE_ORDINAL") => $"[({write(at.Inner)})]",
            _ => throw Bridge.Unknown(nodes[i], "The emulator reads elements of arrays by SAFE_OFFSET or SAFE_ORDINAL alone"),
        };
    }

    public static void CheckPattern(Node? pattern)
    {
        if (pattern is { Kind: Kind.Text } && !pattern.Value.Contains('\\', StringComparison.Ordinal)) return;
        throw BigQueryError.Invalid("The emulator has LIKE with a plain pattern alone");
    }

    public static string Text(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    public static string Bytes(ReadOnlySpan<byte> bytes) => $"from_hex('{Convert.ToHexString(bytes)}')";

    private static string Cast(Node name, IReadOnlyList<Node> inner, Func<IReadOnlyList<Node>, string> write)
    {
        if (inner.Count < 3 || !inner[^2].Is("AS") || inner[^1].Kind != Kind.Word)
        {
            throw Bridge.Unknown(name, "The emulator has no such CAST");
        }
        var isSafe = name.Is("SAFE_CAST");
        var value = write([.. inner.Take(inner.Count - 2)]);
        if (inner[^1].Is("INT64")) return $"{(isSafe ? "bq_safe_int64" : "bq_int64")}({value})";
        if (inner[^1].Is("STRING")) return $"bq_string({value})";
        if (!Casts.TryGetValue(inner[^1].Value, out var type))
        {
            throw Bridge.Unknown(inner[^1], $"The emulator has no CAST to {inner[^1].Value}");
        }
        return $"{(isSafe ? "TRY_CAST" : "CAST")}({value} AS {type})";
    }

    private static string Extract(Node name, IReadOnlyList<Node> inner, Func<IReadOnlyList<Node>, string> write)
    {
        if (inner.Count < 3 || !inner[1].Is("FROM")) throw Bridge.Unknown(name, "Syntax error: EXTRACT has a part, FROM and a value");
        var value = write([.. inner.Skip(2)]);
        return inner[0].Value.ToUpperInvariant() switch
        {
            "DAYOFWEEK" => $"(dayofweek({value}) + 1)",
            "YEAR" or "QUARTER" or "MONTH" or "DAY" or "HOUR" or "MINUTE" => $"{inner[0].Value.ToLowerInvariant()}({value})",
            _ => throw Bridge.Unknown(inner[0], $"The emulator extracts no {inner[0].Value}"),
        };
    }

    private static string Struct(Node name, IReadOnlyList<Node> inner, Func<IReadOnlyList<Node>, string> write)
    {
        var parts = new List<string>();
        foreach (var argument in Arguments(inner))
        {
            if (argument.Count < 3 || !argument[^2].Is("AS") || !argument[^1].IsName)
            {
                throw Bridge.Unknown(name, "The emulator makes structs of named fields alone");
            }
            parts.Add($"{Field.Quoted(argument[^1].Value)} := {write([.. argument.Take(argument.Count - 2)])}");
        }

        return $"struct_pack({string.Join(", ", parts)})";
    }

    private static string DateMove(Node name, IReadOnlyList<Node> inner, Func<IReadOnlyList<Node>, string> write)
    {
        var arguments = Arguments(inner).ToList();
        if (arguments.Count != 2 || arguments[1] is not [var word, .., var part] || arguments[1].Count < 3 || !word.Is("INTERVAL")
            || !DateParts.Contains(part.Value))
        {
            throw Bridge.Unknown(name, $"The emulator has no such {name.Value}");
        }

        var count = write([.. arguments[1].Skip(1).Take(arguments[1].Count - 2)]);
        return $"CAST(bq_day({write(arguments[0])}) {(name.Is("DATE_ADD") ? '+' : '-')} "
            + $"to_{part.Value.ToLowerInvariant()}s(CAST({count} AS INTEGER)) AS DATE)";
    }

    private static string Format(Node format)
    {
        var text = format.Value.Replace("%F", "%Y-%m-%d", StringComparison.Ordinal);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && (++i >= text.Length || !"YmdjybBaA%".Contains(text[i], StringComparison.Ordinal)))
            {
                throw Bridge.Unknown(format, "The emulator has no such format");
            }
        }

        return Text(text);
    }

    private static string One(Node name, IEnumerable<Node> nodes, Func<IReadOnlyList<Node>, string> write)
    {
        var arguments = Arguments([.. nodes]).ToList();
        if (arguments.Count != 1) throw Bridge.Unknown(name, $"{name.Value} DISTINCT has one argument");
        return name.Is("AVG") ? $"bq_no_decimal({write(arguments[0])})" : write(arguments[0]);
    }

    private static IEnumerable<IReadOnlyList<Node>> Arguments(IReadOnlyList<Node> inner)
    {
        if (inner.Count == 0) yield break;
        var argument = new List<Node>();
        foreach (var node in inner)
        {
            if (!node.Is(","))
            {
                argument.Add(node);
                continue;
            }

            yield return argument;
            argument = [];
        }

        yield return argument;
    }
}
