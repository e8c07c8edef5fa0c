using System.Collections;

namespace DuckDB.NET.Data.Vectors;

/// <summary>Nested values as a text for people: <c>[1, NULL, {a: x}]</c>.</summary>
internal static class NestedText
{
    internal static string Of(object? value) => value switch
    {
        null or DBNull => "NULL",
        string text => text,
        bool flag => flag ? "true" : "false",
        IDictionary map => "{" + string.Join(", ", map.Cast<DictionaryEntry>().Select(entry => Of(entry.Key) + ": " + Of(entry.Value))) + "}",
        object?[] list => "[" + string.Join(", ", list.Select(Of)) + "]",
        DateTime time => time.ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF"),
        DateOnly date => date.ToString("yyyy-MM-dd"),
        TimeOnly time => time.ToString("HH:mm:ss.FFFFFFF"),
        byte[] bytes => "0x" + Convert.ToHexString(bytes),
        _ => Convert.ToString(value) ?? "",
    };
}
