using System.Text.Json;
using System.Text.Json.Serialization;

namespace Agnes.Connectors.BigQuery;

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(KeyFile))]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(JobMessage))]
[JsonSerializable(typeof(CancelAnswer))]
[JsonSerializable(typeof(DatasetList))]
[JsonSerializable(typeof(DatasetMessage))]
[JsonSerializable(typeof(TableList))]
[JsonSerializable(typeof(TableMessage))]
[JsonSerializable(typeof(SchemaMessage))]
[JsonSerializable(typeof(ResultHead))]
internal sealed partial class BigQueryJson : JsonSerializerContext;

/// <summary>What is used of a key file.</summary>
internal sealed record KeyFile(
    string? Type,
    [property: JsonPropertyName("client_email")] string? ClientEmail,
    [property: JsonPropertyName("private_key")] string? PrivateKey,
    [property: JsonPropertyName("private_key_id")] string? PrivateKeyId,
    [property: JsonPropertyName("client_id")] string? ClientId,
    [property: JsonPropertyName("client_secret")] string? ClientSecret,
    [property: JsonPropertyName("refresh_token")] string? RefreshToken)
{
    public override string ToString() => $"a key of type {Type}"; // never its content
}

internal sealed record ErrorAnswer(ErrorBody? Error);

internal sealed record ErrorBody(int Code, string? Message, IReadOnlyList<ErrorItem>? Errors, string? Status);

internal sealed record ErrorItem(string? Reason, string? Message);

internal sealed record JobReference(string? ProjectId, string? JobId, string? Location);

internal sealed record JobMessage(
    JobReference? JobReference, JobConfiguration? Configuration, JobStatus? Status = null, JobStatistics? Statistics = null);

internal sealed record JobConfiguration(
    QueryConfiguration? Query, bool? DryRun = null, IReadOnlyDictionary<string, string>? Labels = null, string? JobTimeoutMs = null);

internal sealed record QueryConfiguration(
    string Query, bool UseLegacySql, bool? UseQueryCache = null, string? MaximumBytesBilled = null, string? ParameterMode = null,
    IReadOnlyList<ParameterMessage>? QueryParameters = null, string? Priority = null);

internal sealed record ParameterMessage(string? Name, ParameterType ParameterType, ParameterValue ParameterValue);

internal sealed record ParameterType(string Type, ParameterType? ArrayType = null);

internal sealed record ParameterValue(string? Value = null, IReadOnlyList<ParameterValue>? ArrayValues = null);

internal sealed record JobStatus(string? State, ErrorItem? ErrorResult);

internal sealed record JobStatistics(long? TotalBytesProcessed, QueryStatistics? Query);

internal sealed record QueryStatistics(
    long? TotalBytesProcessed, long? TotalBytesBilled, bool? CacheHit, string? StatementType,
        IReadOnlyList<TableReference>? ReferencedTables,
    IReadOnlyList<RoutineReference>? ReferencedRoutines, SchemaMessage? Schema);

internal sealed record CancelAnswer(JobMessage? Job);

internal sealed record SchemaMessage(IReadOnlyList<FieldMessage>? Fields);

internal sealed record FieldMessage(string Name, string Type, string? Mode, IReadOnlyList<FieldMessage>? Fields, string? Description);

internal sealed record DatasetReference(string? ProjectId, string DatasetId);

internal sealed record DatasetList(IReadOnlyList<DatasetMessage>? Datasets, string? NextPageToken);

internal sealed record DatasetMessage(DatasetReference DatasetReference, string? Location);

internal sealed record TableList(IReadOnlyList<TableMessage>? Tables, string? NextPageToken);

internal sealed record TableMessage(
    TableReference TableReference, string? Type, string? Description, SchemaMessage? Schema, long? NumRows, long? NumBytes,
        long? LastModifiedTime,
    long? CreationTime, string? Location, PartitioningMessage? TimePartitioning, RangePartitioningMessage? RangePartitioning,
        ClusteringMessage? Clustering,
    bool? RequirePartitionFilter);

internal sealed record PartitioningMessage(string? Type, string? Field);

internal sealed record RangePartitioningMessage(string? Field);

internal sealed record ClusteringMessage(IReadOnlyList<string>? Fields);

/// <summary>The head of a result, asked for without rows.</summary>
internal sealed record ResultHead(bool JobComplete, SchemaMessage? Schema, long? TotalRows);
