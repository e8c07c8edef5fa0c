using System.Text.Json.Nodes;
using DuckDB.NET.Data;

namespace Agnes.Emulators.BigQuery;

/// <summary>A column or a field of a struct, as BigQuery describes it: the type's standard name and its mode.</summary>
/// <param name="Type">INT64, STRING, STRUCT …</param>
/// <param name="Mode">NULLABLE, REQUIRED or REPEATED.</param>
public sealed record Field(string Name, string Type, string Mode, IReadOnlyList<Field> Fields)
{
    /// <summary>
    /// Types that the engine has no equal of. They are kept in a struct of one field with this prefix, so that they are carried on but
    /// never computed with.
    /// </summary>
    private const string Carried = "carried ";

    private static readonly Dictionary<string, (string Legacy, string Engine)> Types = new(StringComparer.Ordinal)
    {
        ["INT64"] = ("INTEGER", "BIGINT"),
        ["FLOAT64"] = ("FLOAT", "DOUBLE"),
        ["NUMERIC"] = ("NUMERIC", "DECIMAL(38,9)"),
        ["BOOL"] = ("BOOLEAN", "BOOLEAN"),
        ["STRING"] = ("STRING", "VARCHAR"),
        ["BYTES"] = ("BYTES", "BLOB"),
        ["DATE"] = ("DATE", "DATE"),
        ["TIME"] = ("TIME", "TIME"),
        ["DATETIME"] = ("DATETIME", "TIMESTAMP"),
        ["TIMESTAMP"] = ("TIMESTAMP", "TIMESTAMPTZ"),
        ["JSON"] = ("JSON", "JSON"),
        ["BIGNUMERIC"] = ("BIGNUMERIC", Carrying("BIGNUMERIC")),
        ["GEOGRAPHY"] = ("GEOGRAPHY", Carrying("GEOGRAPHY")),
        ["INTERVAL"] = ("INTERVAL", Carrying("INTERVAL")),
        ["RANGE"] = ("RANGE", Carrying("RANGE")),
    };

    public bool IsRepeated => Mode == "REPEATED";

    /// <summary>Whether the engine can only carry it on.</summary>
    public bool IsCarried => Type is "BIGNUMERIC" or "GEOGRAPHY" or "INTERVAL" or "RANGE";

    /// <summary>As a query writes it, e.g. <c>ARRAY&lt;STRUCT&lt;a INT64&gt;&gt;</c>: what INFORMATION_SCHEMA.COLUMNS shows.</summary>
    public string StandardType
    {
        get
        {
            var one = Type == "STRUCT" ? $"STRUCT<{string.Join(", ", Fields.Select(part => $"{part.Name} {part.StandardType}"))}>"
                : Type == "RANGE" ? "RANGE<DATE>" : Type;
            return IsRepeated ? $"ARRAY<{one}>" : one;
        }
    }

    public string EngineType
    {
        get
        {
            var one = Type == "STRUCT"
                ? $"STRUCT({string.Join(", ", Fields.Select(part => $"{Quoted(part.Name)} {part.EngineType}"))})" : Types[Type].Engine;
            return IsRepeated ? $"{one}[]" : one;
        }
    }

    /// <summary>As <c>schema.fields</c> has it: the older names of types.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject { ["name"] = Name, ["type"] = Type == "STRUCT" ? "RECORD" : Types[Type].Legacy, ["mode"] = Mode };
        if (Type == "RANGE") json["rangeElementType"] = new JsonObject { ["type"] = "DATE" };
        if (Fields.Count > 0) json["fields"] = new JsonArray([.. Fields.Select(field => (JsonNode)field.ToJson())]);
        return json;
    }

    /// <summary>Reads <c>id INT64 NOT NULL, tags ARRAY&lt;STRING&gt;, home STRUCT&lt;city STRING&gt;</c>.</summary>
    /// <exception cref="FormatException"/>
    public static IReadOnlyList<Field> Parse(string columns)
    {
        var at = 0;
        var fields = ParseList(columns, ref at);
        return at == columns.Length ? fields : throw new FormatException($"Not a list of columns from '{columns[at..]}' on.");
    }

    /// <summary>The type that a result of the engine has.</summary>
    public static Field From(string name, DuckDBLogicalType type) => type.Type switch
    {
        DuckDBType.List => From(name, type.Fields[0].Type) with { Mode = "REPEATED" },
        DuckDBType.Struct when type.Fields[0].Name.StartsWith(Carried, StringComparison.Ordinal) =>
            Of(name, type.Fields[0].Name[Carried.Length..]),
        DuckDBType.Struct => new Field(name, "STRUCT", "NULLABLE", [.. type.Fields.Select(field => From(field.Name, field.Type))]),
        _ => Of(name, Scalar(type)),
    };

    public static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static Field Of(string name, string type) => new(name, type, "NULLABLE", []);

    private static string Carrying(string type) => $"STRUCT({Quoted(Carried + type)} VARCHAR)";

    private static string Scalar(DuckDBLogicalType type) => type.Name switch
    {
        "BIGINT" or "INTEGER" or "HUGEINT" or "SMALLINT" or "TINYINT" or "UBIGINT" or "UINTEGER" or "\"NULL\"" or "NULL" => "INT64",
        "DOUBLE" or "FLOAT" => "FLOAT64",
        "BOOLEAN" => "BOOL",
        "VARCHAR" => "STRING",
        "JSON" => "JSON",
        "BLOB" => "BYTES",
        "DATE" => "DATE",
        "TIME" => "TIME",
        "TIMESTAMP" => "DATETIME",
        "TIMESTAMP WITH TIME ZONE" => "TIMESTAMP",
        var text when text.StartsWith("DECIMAL", StringComparison.Ordinal) => "NUMERIC",
        var other => throw new BigQueryError(400, "invalidQuery", $"The emulator has no type for a result of {other}"),
    };

    private static List<Field> ParseList(string text, ref int at)
    {
        var fields = new List<Field>();
        while (true)
        {
            var name = Word(text, ref at);
            var field = ParseType(name, text, ref at);
            if (text.AsSpan(at).TrimStart().StartsWith("NOT NULL", StringComparison.OrdinalIgnoreCase))
            {
                at = text.IndexOf("NULL", at, StringComparison.OrdinalIgnoreCase) + 4;
                field = field with { Mode = "REQUIRED" };
            }

            fields.Add(field);
            Skip(text, ref at);
            if (at >= text.Length || text[at] != ',') return fields;
            at++;
        }
    }

    private static Field ParseType(string name, string text, ref int at)
    {
        var type = Word(text, ref at).ToUpperInvariant();
        if (type == "ARRAY")
        {
            Take(text, ref at, '<');
            var element = ParseType(name, text, ref at);
            Take(text, ref at, '>');
            return element with { Mode = "REPEATED" };
        }

        if (type != "STRUCT") return Types.ContainsKey(type) ? Of(name, type) : throw new FormatException($"'{type}' is no type.");
        Take(text, ref at, '<');
        var fields = ParseList(text, ref at);
        Take(text, ref at, '>');
        return new Field(name, "STRUCT", "NULLABLE", fields);
    }

    private static string Word(string text, ref int at)
    {
        Skip(text, ref at);
        var start = at;
        while (at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] == '_')) at++;
        return at > start ? text[start..at] : throw new FormatException($"A word is missing in '{text}'.");
    }

    private static void Take(string text, ref int at, char wanted)
    {
        Skip(text, ref at);
        if (at >= text.Length || text[at] != wanted) throw new FormatException($"'{wanted}' is missing in '{text}'.");
        at++;
    }

    private static void Skip(string text, ref int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
    }
}
