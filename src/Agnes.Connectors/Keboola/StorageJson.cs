using System.Text.Json;
using System.Text.Json.Serialization;

namespace Agnes.Connectors.Keboola;

/// <summary>What is read of the Storage API's answers. Where PHP writes <c>[]</c> for an empty object, it is kept as it came.</summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(List<TableMessage>))]
[JsonSerializable(typeof(TableMessage))]
[JsonSerializable(typeof(JobMessage))]
[JsonSerializable(typeof(List<JobMessage>))]
[JsonSerializable(typeof(FileMessage))]
[JsonSerializable(typeof(ManifestMessage))]
[JsonSerializable(typeof(ErrorMessage))]
[JsonSerializable(typeof(ExportMessage))]
internal sealed partial class StorageJson : JsonSerializerContext;

internal sealed record BucketMessage(string? Id, string? Name);

internal sealed record TableMessage(
    string? Id, string? Name, BucketMessage? Bucket, IReadOnlyList<string>? Columns, long? RowsCount, long? DataSizeBytes,
    IReadOnlyList<string>? PrimaryKey, string? LastChangeDate, string? LastImportDate, bool? IsAlias, JsonElement? ColumnMetadata,
    SourceTableMessage? SourceTable, JsonElement? Definition);

/// <summary>The table that an alias shows.</summary>
internal sealed record SourceTableMessage(string? Id, JsonElement? ColumnMetadata);

internal sealed record JobMessage(
    JsonElement? Id, string? Status, string? RunId, string? TableId, string? CreatedTime, JobErrorMessage? Error, JsonElement? Results);

internal sealed record JobErrorMessage(string? Code, string? Message);

internal sealed record FileMessage(
    JsonElement? Id, string? Name, bool? IsSliced, string? Url, long? SizeBytes, string? Region,
    ObjectMessage? S3Path, AwsCredentials? Credentials, ObjectMessage? GcsPath, GcsCredentials? GcsCredentials,
    AbsPathMessage? AbsPath, AbsCredentials? AbsCredentials);

internal sealed record ObjectMessage(string? Bucket, string? Key);

internal sealed record AbsPathMessage(string? Container, string? Name);

internal sealed record AwsCredentials(
    [property: JsonPropertyName("AccessKeyId")] string? AccessKeyId,
    [property: JsonPropertyName("SecretAccessKey")] string? SecretAccessKey,
    [property: JsonPropertyName("SessionToken")] string? SessionToken)
{
    public override string ToString() => "credentials of S3"; // never what they are
}

internal sealed record GcsCredentials([property: JsonPropertyName("access_token")] string? AccessToken)
{
    public override string ToString() => "credentials of Google Cloud Storage";
}

internal sealed record AbsCredentials([property: JsonPropertyName("SASConnectionString")] string? ConnectionString)
{
    public override string ToString() => "credentials of Azure Blob Storage";
}

internal sealed record ManifestMessage(IReadOnlyList<ManifestEntry>? Entries);

internal sealed record ManifestEntry(string? Url);

internal sealed record ErrorMessage(JsonElement? Error, string? Code, string? Message, string? Status, string? Reason);

/// <summary>The body of <c>export-async</c>.</summary>
internal sealed record ExportMessage(
    IReadOnlyList<WhereFilter>? WhereFilters, string? Columns, string? ChangedSince, string? ChangedUntil, long? Limit, string? FileType);

/// <summary>One condition; several hold together, several values of one are alternatives.</summary>
internal sealed record WhereFilter(string Column, string Operator, IReadOnlyList<string> Values);
