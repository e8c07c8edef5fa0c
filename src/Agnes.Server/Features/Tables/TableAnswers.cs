using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Agnes.Engine.Extracts;

namespace Agnes.Server.Features.Tables;

internal sealed record SetAsideRows(string Id, long Count, IReadOnlyList<SetAsideRow> Rows);

/// <param name="Updated">The names of the fields that are other than before.</param>
internal sealed record UpdatedTable(string Id, IReadOnlyList<string> Updated);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SetAsideRows))]
[JsonSerializable(typeof(UpdatedTable))]
internal sealed partial class TablesJson : JsonSerializerContext;

/// <summary>For the description, as are the records below: written by <see cref="RegisterTable"/>.</summary>
/// <param name="QueryMode">Of a table that stays at its source.</param>
/// <param name="ViewName">Like the message, where there is something to be said of it.</param>
internal sealed record RegisteredAnswer(
    string Id, string Name, string Status, string? QueryMode = null, string? ViewName = null, string? Message = null);

/// <summary>Written by <see cref="RegisterTables"/>.</summary>
internal sealed record RegisteredTablesAnswer(IReadOnlyList<RegisteredAnswer> Tables, int Count);

/// <summary>Written by <see cref="PrecheckTable"/>.</summary>
internal sealed record PrecheckAnswer(bool Ok, PrecheckedTableAnswer Table);

/// <param name="Note">Of a table whose source was not asked.</param>
/// <param name="Preview">Of a table that was looked at; null where that failed.</param>
internal sealed record PrecheckedTableAnswer(
    string Name, string? SourceType, string? Bucket, string? SourceTable, long? Rows, long? SizeBytes,
    IReadOnlyList<NamedColumnAnswer> Columns, string? Note = null, string? QueryMode = null, string? SourceQuery = null,
    string? ProjectId = null, string? EntityType = null, int? ColumnCount = null, PreviewAnswer? Preview = null,
    string? PreviewError = null);

internal sealed record NamedColumnAnswer(string Name, string Type);

/// <summary>Written by <see cref="TablePreviews"/>.</summary>
/// <param name="Rows">The first ones, in the order of the columns, each cell a text or null.</param>
internal sealed record PreviewAnswer(
    IReadOnlyList<IReadOnlyList<JsonElement>> Rows, long RowsLookedAt, int FileCount, IReadOnlyList<PreviewedFileAnswer> Files,
    IReadOnlyList<string> Remarks);

/// <summary>What follows the rows, of a file that is text.</summary>
internal sealed record PreviewedFileAnswer(
    string Path, long? Rows, string? Delimiter = null, string? Quote = null, string? Escape = null, bool? Header = null,
    int? SkipLines = null, string? Encoding = null, IReadOnlyDictionary<string, string>? DateFormats = null,
    IReadOnlyList<string>? NullTexts = null);

/// <summary>Written by <see cref="DiscoverTables"/>: the data sets of a source that lists tables by data set alone, or tables.</summary>
/// <param name="Truncated">Where it is not all.</param>
internal sealed record DiscoveredAnswer(
    int Count, string Source, IReadOnlyList<DiscoveredDatasetAnswer>? Datasets = null, IReadOnlyList<DiscoveredTableAnswer>? Tables = null,
    string? Dataset = null, bool? Truncated = null, string? Error = null);

internal sealed record DiscoveredDatasetAnswer(string DatasetId, string FullId);

/// <summary>Of a source that lists tables by data set its three own fields, else the others.</summary>
internal sealed record DiscoveredTableAnswer(
    string? Id = null, string? Name = null, string? BucketId = null, string? BucketName = null, IReadOnlyList<string>? Columns = null,
    long? RowCount = null, long? SizeBytes = null, IReadOnlyList<string>? PrimaryKey = null, string? LastChange = null,
    string? LastImport = null, string? TableId = null, string? TableType = null, string? FullId = null);

/// <summary>Written by <see cref="DiscoverAndRegister"/>.</summary>
/// <param name="WouldRegister">Of a dry run.</param>
internal sealed record DiscoverAndRegisterAnswer(
    int Registered, int Skipped, IReadOnlyList<UnregisteredAnswer> Errors, int Drifted, IReadOnlyList<string> Tables,
    IReadOnlyList<RegistryDriftAnswer> Drift, IReadOnlyList<InvalidTableAnswer> Invalid, string Source, bool DryRun,
    IReadOnlyList<string>? WouldRegister = null);

internal sealed record UnregisteredAnswer(string TableId, int Status, JsonNode? Detail);

/// <param name="Kind"><c>same_id_diff_coords</c> or <c>name_collision</c>.</param>
internal sealed record RegistryDriftAnswer(string TableId, string Kind, TablePlaceAnswer Discovery, TablePlaceAnswer Registry);

internal sealed record TablePlaceAnswer(string? Bucket, string? SourceTable);

internal sealed record InvalidTableAnswer(string TableId, string Name);

/// <summary>Written by <see cref="ListRegistry"/>.</summary>
internal sealed record RegistryAnswer(IReadOnlyList<RegistryTableAnswer> Tables, int Count);

/// <summary>Written by <c>TableJson</c>; the last six by <see cref="ListRegistry"/>.</summary>
internal sealed record RegistryTableAnswer(
    string Id, string Name, string? SourceType, string? Bucket, string? SourceTable, string? SourceQuery, string? SyncStrategy,
    string? QueryMode, string? SyncSchedule, bool ProfileAfterSync, IReadOnlyList<string>? PrimaryKey, string? Folder,
    string? Description, string? RegisteredBy, string? RegisteredAt, int? IncrementalWindowDays, int? MaxHistoryDays,
    string? IncrementalColumn, JsonNode? WhereFilters, string? PartitionBy, string? PartitionGranularity, int? InitialLoadChunkDays,
    string SchemaContract, JsonNode? Settings, string? Connection, IReadOnlyList<string>? ReadsTables, string? LastSyncError,
    string? LastSync, SchemaDriftAnswer? SchemaDrift, string? LastPull, int SyncFailures, string? NextTry);

internal sealed record SchemaDriftAnswer(string SeenAt, string Outcome, IReadOnlyList<string> Changes);
