using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Metrics;

/// <summary>A row of <c>metric_definitions</c>. Lists and mappings are JSON as text, null when nothing was said.</summary>
internal sealed record MetricRow
{
    public const string TypeDefault = "sum";
    public const string GrainDefault = "monthly";
    public const string SourceDefault = "manual";

    public required string Id { get; init; }
    public required string Name { get; init; }
    public required string DisplayName { get; init; }
    public required string Category { get; init; }
    public string? Description { get; init; }
    public string Type { get; init; } = TypeDefault;
    public string? Unit { get; init; }
    public string? Grain { get; init; } = GrainDefault;
    public string? TableName { get; init; }
    public string? Tables { get; init; }
    public string? Expression { get; init; }
    public string? TimeColumn { get; init; }
    public string? Dimensions { get; init; }
    public string? Filters { get; init; }
    public string? Synonyms { get; init; }
    public string? Notes { get; init; }
    public required string Sql { get; init; }
    public string? SqlVariants { get; init; }
    public string? Validation { get; init; }
    public string Source { get; init; } = SourceDefault;

    /// <summary>Every table that its statements and expressions read, as long as <see cref="Bound"/> holds.</summary>
    public string SqlTables { get; init; } = "[]";

    /// <summary>The engine has bound its statements, and knows all that its expressions name: what it reads is known.</summary>
    public bool Bound { get; init; }
    public DateTime CreatedAt { get; init; }
    public DateTime UpdatedAt { get; init; }

    /// <summary>Its own statement and the variants, by the key that the file has for them.</summary>
    public IEnumerable<(string Key, string Sql)> Statements()
    {
        yield return ("sql", Sql);
        foreach (var (key, sql) in MetricJson.Texts(SqlVariants)) yield return ($"sql_{key}", sql);
    }

    /// <summary>What else in it may be SQL.</summary>
    public IEnumerable<(string Key, string Sql)> Expressions()
    {
        if (!string.IsNullOrWhiteSpace(Expression)) yield return ("expression", Expression);
        if (!string.IsNullOrWhiteSpace(TimeColumn)) yield return ("time_column", TimeColumn);
        foreach (var dimension in MetricJson.Strings(Dimensions)) yield return ("dimensions", dimension);
        foreach (var filter in MetricJson.Strings(Filters)) yield return ("filters", filter);
    }

    /// <summary>Every table that it says it is about, or that its SQL reads.</summary>
    public IEnumerable<string> DeclaredTables() =>
        MetricJson.Strings(SqlTables).Concat(MetricJson.Strings(Tables)).Concat(TableName is { } main ? [main] : []).Distinct(StringComparer.OrdinalIgnoreCase);

    /// <summary>As the API answers it: lists as lists, mappings as text, as older clients expect.</summary>
    public JsonObject ToJson() => new()
    {
        ["id"] = Id,
        ["name"] = Name,
        ["display_name"] = DisplayName,
        ["category"] = Category,
        ["description"] = Description,
        ["type"] = Type,
        ["unit"] = Unit,
        ["grain"] = Grain,
        ["table_name"] = TableName,
        ["tables"] = MetricJson.List(Tables),
        ["expression"] = Expression,
        ["time_column"] = TimeColumn,
        ["dimensions"] = MetricJson.List(Dimensions),
        ["filters"] = MetricJson.List(Filters),
        ["synonyms"] = MetricJson.List(Synonyms),
        ["notes"] = MetricJson.List(Notes),
        ["sql"] = Sql,
        ["sql_variants"] = SqlVariants,
        ["validation"] = Validation,
        ["source"] = Source,
        ["created_at"] = Timestamps.Spaced(CreatedAt),
        ["updated_at"] = Timestamps.Spaced(UpdatedAt),
    };
}

/// <summary>JSON as text in a column, there and back.</summary>
internal static class MetricJson
{
    public static string Write(IReadOnlyList<string> texts) => JsonSerializer.Serialize(texts, MetricTextJson.Default.IReadOnlyListString);

    public static string? WriteOrNull(IReadOnlyList<string> texts) => texts.Count == 0 ? null : Write(texts);

    public static IReadOnlyList<string> Strings(string? json) => json is null ? [] : JsonSerializer.Deserialize(json, MetricTextJson.Default.IReadOnlyListString) ?? [];

    public static JsonNode? List(string? json) => json is null ? null : JsonNode.Parse(json);

    /// <summary>The entries of a mapping of texts, in their order.</summary>
    public static IEnumerable<(string Key, string Text)> Texts(string? json)
    {
        if (json is null || JsonNode.Parse(json) is not JsonObject mapping) yield break;
        foreach (var (key, value) in mapping)
        {
            if (value is JsonValue text && text.TryGetValue<string>(out var found)) yield return (key, found);
        }
    }
}

[JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class MetricTextJson : JsonSerializerContext;
