using System.Text.Json;

namespace Agnes.Protocol;

/// <summary><c>GET /api/v2/catalog</c></summary>
public sealed record Catalog(IReadOnlyList<CatalogTable> Tables, string ServerTime);

public sealed record CatalogTable(
    string Id,
    string Name,
    string Description,
    string SourceType,
    string QueryMode,
    string SqlFlavor,
    IReadOnlyList<string> WhereExamples,
    string FetchVia,
    string? RoughSizeHint,
    long? Rows,
    long? SizeBytes,
    string? PartitionBy,
    IReadOnlyList<string> ClusteredBy,
    string? EntityType,
    string MetadataFreshness,
    ColumnsChange? ColumnsChanged = null);

/// <summary>When the columns of a table last changed, and how: <c>+name TYPE</c>, <c>-name</c>, <c>name TYPE -> TYPE</c>.</summary>
public sealed record ColumnsChange(string At, IReadOnlyList<string> Changes);

/// <summary><c>GET /api/catalog/tables</c>: the first form of the catalog, which clients use to check a token.</summary>
public sealed record CatalogV1(IReadOnlyList<CatalogV1Table> Tables, int Count);

public sealed record CatalogV1Table(string Id, string Name, string? Description, string? SourceType, string? SyncStrategy, string QueryMode);

/// <summary><c>GET /api/v2/schema/{table}</c></summary>
public sealed record TableSchema(
    string TableId,
    string SourceType,
    string SqlFlavor,
    IReadOnlyList<SchemaColumn> Columns,
    string? PartitionBy,
    IReadOnlyList<string> ClusteredBy,
    IReadOnlyDictionary<string, string> WhereDialectHints);

public sealed record SchemaColumn(string Name, string Type, bool Nullable, string Description);

/// <summary><c>GET /api/v2/sample/{table}</c></summary>
public sealed record TableSample(string TableId, IReadOnlyList<IReadOnlyDictionary<string, JsonElement>> Rows, string Source);
