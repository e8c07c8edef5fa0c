using System.Text.Json;

namespace Agnes.Sql;

/// <summary>Two of the engine's trees beside each other.</summary>
internal static class SyntaxTree
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = StatementTree.DepthMax };

    /// <summary>The same statement, wherever in the text its parts stand.</summary>
    public static bool Same(string tree, string rewritten)
    {
        using var left = JsonDocument.Parse(tree, Options);
        using var right = JsonDocument.Parse(rewritten, Options);
        return Same(left.RootElement, right.RootElement);
    }

    private static bool Same(JsonElement left, JsonElement right)
    {
        if (IsValues(left)) right = Values(right);
        if (left.ValueKind != right.ValueKind) return false;
        switch (left.ValueKind)
        {
            case JsonValueKind.Array:
                if (left.GetArrayLength() != right.GetArrayLength()) return false;
                using (var others = right.EnumerateArray())
                    foreach (var item in left.EnumerateArray())
                        if (!others.MoveNext() || !Same(item, others.Current)) return false;
                return true;
            case JsonValueKind.Object:
                using (var others = Properties(right).GetEnumerator())
                {
                    foreach (var property in Properties(left))
                        if (!others.MoveNext() || property.Name != others.Current.Name || !Same(property.Value, others.Current.Value)) return false;
                    return !others.MoveNext();
                }
            default:
                return left.GetRawText() == right.GetRawText();
        }
    }

    private static IEnumerable<JsonProperty> Properties(JsonElement element) => element.EnumerateObject().Where(property => !property.NameEquals("query_location"));

    private static bool IsValues(JsonElement element) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("EXPRESSION_LIST");

    /// <summary>The engine writes VALUES in a bracket, and reads the bracket as a query of its own that takes all of them.</summary>
    private static JsonElement Values(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty("subquery", out var query) || query.ValueKind != JsonValueKind.Object || !query.TryGetProperty("node", out var node)) return element;
        return Properties(element).Count() == 3 && Properties(node).Count() == 4 && node.TryGetProperty("from_table", out var from) && IsValues(from)
            && node.GetProperty("select_list") is var list && list.GetArrayLength() == 1 && list[0].GetProperty("class").ValueEquals("STAR") && Properties(list[0]).Count() == 3
            ? from
            : element;
    }
}
