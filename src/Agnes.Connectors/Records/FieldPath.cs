using System.Globalization;
using System.Text.Json.Nodes;

namespace Agnes.Connectors.Records;

/// <summary>
/// Where a value stands in a JSON document: names and positions from the outside in, as <c>order.items[0].id</c>, with an optional <c>$.</c> before them. A name with
/// other characters than letters, digits, <c>_</c> and <c>-</c> is written in quotes: <c>"a.b".c</c>.
/// </summary>
public sealed class FieldPath
{
    private const int StepsMax = 32;
    private readonly IReadOnlyList<object> _steps; // a name or a position

    private FieldPath(IReadOnlyList<object> steps) => _steps = steps;

    /// <summary>Null where the text is no path.</summary>
    public static FieldPath? TryParse(string text)
    {
        var rest = text.AsSpan().Trim();
        if (rest is "$") return new FieldPath([]);
        if (rest.StartsWith("$.")) rest = rest[2..];
        else if (rest.StartsWith("$[")) rest = rest[1..];
        var steps = new List<object>();
        while (true)
        {
            if (steps.Count >= StepsMax) return null;
            if (rest is ['[', ..])
            {
                var end = rest.IndexOf(']');
                if (end < 0 || !int.TryParse(rest[1..end], NumberStyles.None, CultureInfo.InvariantCulture, out var position)) return null;
                steps.Add(position);
                rest = rest[(end + 1)..];
            }
            else if (Name(ref rest) is { Length: > 0 } name) steps.Add(name);
            else return null;
            if (rest.IsEmpty) return new FieldPath(steps);
            if (rest[0] == '.') rest = rest[1..];
            else if (rest[0] != '[') return null;
        }
    }

    /// <summary>Null where there is nothing.</summary>
    public JsonNode? Find(JsonNode? document)
    {
        foreach (var step in _steps)
        {
            document = (document, step) switch
            {
                (JsonObject fields, string name) => fields[name],
                (JsonArray items, int position) when position < items.Count => items[position],
                _ => null,
            };
            if (document is null) return null;
        }

        return document;
    }

    private static string? Name(ref ReadOnlySpan<char> rest)
    {
        if (rest is ['"', ..])
        {
            var end = rest[1..].IndexOf('"');
            if (end < 0) return null;
            var quoted = rest.Slice(1, end).ToString();
            rest = rest[(end + 2)..];
            return quoted;
        }

        var length = 0;
        while (length < rest.Length && (char.IsLetterOrDigit(rest[length]) || rest[length] is '_' or '-')) length++;
        var name = rest[..length].ToString();
        rest = rest[length..];
        return name;
    }
}
