using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Server.Platform.Sources;

/// <summary>The columns that tell a table's rows apart, as they are registered.</summary>
internal static class PrimaryKey
{
    /// <summary>Of the stored list; also reads what older rows hold: <c>a</c>, <c>a,b</c>, <c>['a','b']</c>.</summary>
    /// <returns>Null: none is registered.</returns>
    public static IReadOnlyList<string>? Columns(string? stored)
    {
        if (string.IsNullOrWhiteSpace(stored)) return null;
        try
        {
            if (JsonNode.Parse(stored) is JsonArray list) return [.. list.Select(item => item?.ToString() ?? "").Where(c => c.Length > 0)];
        }
        catch (JsonException)
        {
            // One of the older forms.
        }

        return [.. stored.Trim('[', ']', ' ').Split(',').Select(column => column.Trim(' ', '\'', '"')).Where(column => column.Length > 0)];
    }
}
