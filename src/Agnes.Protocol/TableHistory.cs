namespace Agnes.Protocol;

/// <summary><c>GET /api/v2/history/{table}</c>: the versions of a table that are kept, newest first.</summary>
/// <param name="PrimaryKey">Names of columns, as registered; empty: none is.</param>
public sealed record TableHistory(string TableId, IReadOnlyList<string> PrimaryKey, IReadOnlyList<TableVersion> Versions);

/// <param name="Number">Of the table's own; larger is later.</param>
/// <param name="IsRollback">An admin went back to these rows.</param>
/// <param name="RowsMore">Than in the version before; null: that is not kept.</param>
/// <param name="PartsNew">Parts that the version before did not have.</param>
/// <param name="ColumnChanges">Since the version before: <c>+name TYPE</c>, <c>-name</c>, <c>name OLD -> NEW</c>.</param>
/// <param name="Files">Null: they were not asked for.</param>
public sealed record TableVersion(
    long Number,
    string PublishedAt,
    string ExtractedAt,
    bool IsCurrent,
    bool IsRollback,
    long Rows,
    long SizeBytes,
    int Parts,
    long? RowsMore,
    int? PartsNew,
    long? BytesNew,
    IReadOnlyList<string> ColumnChanges,
    IReadOnlyList<VersionPart>? Files);

/// <summary>A part of a version: served under <c>/api/data/{table}/parts/{sha256}</c> as long as the version is kept.</summary>
public sealed record VersionPart(string Sha256, long SizeBytes, long Rows);
