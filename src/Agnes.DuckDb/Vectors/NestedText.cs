using System.Text;

namespace DuckDB.NET.Data.Vectors;

/// <summary>Nested values as the engine writes them: <c>[1, NULL, {'a': 'x: y'}]</c>.</summary>
internal static class NestedText
{
    private const string Special = "'\",:=()[]{}";

    /// <summary>The value of a row inside something nested: NULL, or its text, in quotes where it could be misread.</summary>
    internal static string Of(ColumnVector vector, DuckDBColumn column, int row)
    {
        if (column.IsNull(row)) return "NULL";
        var text = vector.GetString(row);
        return column.LogicalType.Fields.Count > 0 || !NeedsQuotes(text) ? text : Quote(text);
    }

    internal static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('\'');
        foreach (var c in text)
        {
            if (c is '\'' or '\\') quoted.Append('\\');
            quoted.Append(c);
        }

        return quoted.Append('\'').ToString();
    }

    private static bool NeedsQuotes(string text) =>
        text.Length == 0 || char.IsWhiteSpace(text[0]) || char.IsWhiteSpace(text[^1]) || text.Equals("null", StringComparison.OrdinalIgnoreCase)
        || text.AsSpan().ContainsAny(Special);
}
