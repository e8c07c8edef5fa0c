using System.Text.Json;

namespace Agnes.Emulators.BigQuery;

/// <summary>Query parameters as literals of the engine.</summary>
internal static class Parameters
{
    /// <param name="query">The part of a body that has <c>queryParameters</c>.</param>
    public static (Dictionary<string, string> Named, List<string> Positional) Of(JsonElement query)
    {
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        var positional = new List<string>();
        if (!query.TryGetProperty("queryParameters", out var list)) return (named, positional);
        var isNamed = query.TryGetProperty("parameterMode", out var mode)
            && string.Equals(mode.GetString(), "NAMED", StringComparison.OrdinalIgnoreCase);
        foreach (var parameter in list.EnumerateArray())
        {
            var literal = Literal(parameter.GetProperty("parameterType"), parameter.GetProperty("parameterValue"));
            if (!isNamed) positional.Add(literal);
            else named[parameter.GetProperty("name").GetString()!.ToLowerInvariant()] = literal;
        }

        return (named, positional);
    }

    private static string Literal(JsonElement type, JsonElement value)
    {
        var name = type.GetProperty("type").GetString();
        if (name == "ARRAY")
        {
            var element = type.GetProperty("arrayType");
            return $"[{string.Join(", ", value.GetProperty("arrayValues").EnumerateArray().Select(one => Literal(element, one)))}]";
        }

        var target = name switch
        {
            "STRING" => "VARCHAR",
            "INT64" => "BIGINT",
            "FLOAT64" => "DOUBLE",
            "BOOL" => "BOOLEAN",
            "NUMERIC" => "DECIMAL(38,9)",
            "DATE" => "DATE",
            "DATETIME" => "TIMESTAMP",
            "TIME" => "TIME",
            "TIMESTAMP" => "TIMESTAMPTZ",
            "BYTES" => "BLOB",
            _ => throw new BigQueryError(400, "invalid", $"The emulator has no parameter of type {name}"),
        };
        if (!value.TryGetProperty("value", out var text) || text.ValueKind == JsonValueKind.Null) return $"CAST(NULL AS {target})";
        var written = text.ValueKind == JsonValueKind.String ? text.GetString()! : text.GetRawText();
        return name == "BYTES" ? Functions.Bytes(Convert.FromBase64String(written)) : $"CAST({Functions.Text(written)} AS {target})";
    }
}
