using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Connectors.Keboola;
using Agnes.Server.Platform.Registry;

namespace Agnes.Server.Platform.Sources;

/// <summary>The row filter of a registered table: <c>[{"column","operator","values"}]</c>, stored as JSON in one normal form.</summary>
internal static class WhereFilters
{
    private const int FiltersMax = 100;
    private static readonly string[] Operators = ["eq", "ne", "gt", "ge", "lt", "le"];

    /// <param name="input">A list, a text that holds one, or null.</param>
    /// <param name="stored">The normal form, or null where there is no filter.</param>
    /// <returns>What is wrong, or null.</returns>
    public static string? TryNormalise(JsonElement input, out string? stored)
    {
        stored = null;
        if (input.ValueKind == JsonValueKind.Null) return null;
        if (input.ValueKind == JsonValueKind.String) return TryNormaliseText(input.GetString()!, out stored);
        if (input.ValueKind != JsonValueKind.Array) return "where_filters must be a list or a JSON text of one";
        if (input.GetArrayLength() > FiltersMax) return $"where_filters may hold at most {FiltersMax} entries";

        var filters = new JsonArray();
        foreach (var entry in input.EnumerateArray())
        {
            if (TryNormaliseEntry(entry, out var filter) is { } problem) return $"where_filters[{filters.Count}]: {problem}";
            filters.Add(filter);
        }
        if (filters.Count > 0) stored = filters.ToJsonString();
        return null;
    }

    /// <summary>The stored form as JSON; null where it cannot be read.</summary>
    public static JsonArray? Read(string? stored)
    {
        if (stored is null) return null;
        try
        {
            return JsonNode.Parse(stored) as JsonArray;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? TryNormaliseText(string text, out string? stored)
    {
        stored = null;
        if (string.IsNullOrWhiteSpace(text)) return null;
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.String ? "where_filters must be a list" : TryNormalise(document.RootElement, out stored);
        }
        catch (JsonException)
        {
            return "where_filters is not valid JSON";
        }
    }

    private static string? TryNormaliseEntry(JsonElement entry, out JsonObject? filter)
    {
        filter = null;
        if (entry.ValueKind != JsonValueKind.Object) return "must be an object";
        if (!entry.TryGetProperty("column", out var column) || column.ValueKind != JsonValueKind.String || string.IsNullOrWhiteSpace(column.GetString()))
            return "column must be a non-empty text";
        var comparison = "eq";
        if (entry.TryGetProperty("operator", out var given) && given.ValueKind != JsonValueKind.Null)
        {
            comparison = given.ValueKind == JsonValueKind.String ? given.GetString()! : "";
            if (!Operators.Contains(comparison, StringComparer.Ordinal)) return $"operator must be one of {string.Join(", ", Operators)}";
        }
        if (!entry.TryGetProperty("values", out var values) || values.ValueKind != JsonValueKind.Array || values.GetArrayLength() == 0)
            return "values must be a non-empty list";

        var texts = new JsonArray();
        foreach (var value in values.EnumerateArray())
        {
            if (value.ValueKind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null) return "values must be texts, numbers or booleans";
            var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
            if (DatePlaceholders.UnknownIn(text) is { } unknown)
                return $"unknown placeholder {{{{{unknown}}}}}; known: {string.Join(", ", DatePlaceholders.Names)}";
            texts.Add(text);
        }
        filter = new JsonObject { ["column"] = column.GetString(), ["operator"] = comparison, ["values"] = texts };
        return null;
    }
}
