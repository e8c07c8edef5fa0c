using System.Text.Json.Serialization;

namespace Agnes.Server.Features.Metrics;

/// <summary>For the description: written by <see cref="MetricRow.ToJson"/>. Lists are lists, mappings JSON as text.</summary>
internal sealed record MetricAnswer(
    string Id, string Name, string DisplayName, string Category, string? Description, string Type, string? Unit, string? Grain,
    string? TableName, IReadOnlyList<string>? Tables, string? Expression, string? TimeColumn, IReadOnlyList<string>? Dimensions,
    IReadOnlyList<string>? Filters, IReadOnlyList<string>? Synonyms, IReadOnlyList<string>? Notes, string Sql, string? SqlVariants,
    string? Validation, string Source, string CreatedAt, string UpdatedAt);

/// <summary>For the description: written by <see cref="ListMetrics"/>.</summary>
internal sealed record MetricList(IReadOnlyList<MetricAnswer> Metrics, int Count);

internal sealed record ImportedMetrics(string Status, int Count, IReadOnlyList<string> Warnings);

internal sealed record MetricFiles(IReadOnlyList<MetricFile> Files, int Count);

/// <param name="Content">YAML.</param>
internal sealed record MetricFile(string Path, string Content);

internal sealed record MetricValidation(IReadOnlyList<ValidatedMetric> Metrics, int Count, int Failed);

/// <param name="Status"><c>ok</c> or <c>warning</c>.</param>
internal sealed record ValidatedMetric(string Id, string Status, IReadOnlyList<string> Messages);

internal sealed record DeletedMetric(string Status, string Id);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ImportedMetrics))]
[JsonSerializable(typeof(MetricFiles))]
[JsonSerializable(typeof(MetricValidation))]
[JsonSerializable(typeof(DeletedMetric))]
internal sealed partial class MetricAnswersJson : JsonSerializerContext;
