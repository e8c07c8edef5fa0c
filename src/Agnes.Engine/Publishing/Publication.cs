using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Protocol;

namespace Agnes.Engine.Publishing;

/// <summary>One table of a source, made durable and ready to be committed.</summary>
/// <param name="QueryMode"><c>local</c>, <c>materialized</c> or <c>remote</c>; a remote table has no parts.</param>
/// <param name="Stamps">Of each part's file in the store before it was read, in the order of <paramref name="Parts"/>: for <c>PartStore.Mark</c>.</param>
/// <param name="Md5">Of one-part tables; the wire format asks for it.</param>
/// <param name="Origin">Opaque; to be stored with the version and given back in <see cref="PublishedTable"/>. Tells an unchanged table without reading it.</param>
/// <param name="Changed">False: exactly what <see cref="PublishedTable"/> named, nothing to commit.</param>
public sealed record TablePublication(
    string Name,
    string? Description,
    string QueryMode,
    DateTime ExtractedAt,
    IReadOnlyList<TableColumn> Columns,
    long Rows,
    long Bytes,
    IReadOnlyList<TablePart> Parts,
    IReadOnlyList<FileStamp> Stamps,
    string? Md5,
    string? Origin,
    bool Changed = true)
{
    /// <summary>What its source has otherwise, where the table's contract keeps the columns of before; null: it is as in the source.</summary>
    public SchemaDrift? LeftOut { get; init; }
}

/// <summary>A table that is in the source but could not be published; what was published of it before stays.</summary>
public sealed record SkippedTable(string Name, string Reason)
{
    /// <summary>Where its contract forbids the columns that the source has: how they differ.</summary>
    public SchemaDrift? Drift { get; init; }
}

/// <param name="Removed">Names that were published from this source and that it no longer has.</param>
/// <param name="Problem">Why the whole source could not be read; then nothing else is set and all that was published stays.</param>
public sealed record Publication(
    string Source,
    IReadOnlyList<TablePublication> Tables,
    IReadOnlyList<string> Removed,
    IReadOnlyList<SkippedTable> Skipped,
    string? Problem = null)
{
    public static Publication Failed(string source, string problem) => new(source, [], [], [], problem);
}

/// <summary>What the server has published of a source already, so that unchanged tables cost nothing.</summary>
/// <param name="Stamps">Of each part that is known to be whole; of others one that no file has.</param>
public sealed record PublishedTable(
    string Name,
    string? Description,
    string QueryMode,
    DateTime ExtractedAt,
    IReadOnlyList<TableColumn> Columns,
    long Rows,
    IReadOnlyList<TablePart> Parts,
    IReadOnlyList<FileStamp> Stamps,
    string? Md5,
    string? Origin)
{
    /// <summary>In the registry; null: it is in none.</summary>
    public string? Id { get; init; }

    /// <summary>One of <see cref="SchemaContract.All"/>; null: <see cref="SchemaContract.Evolve"/>.</summary>
    public string? Contract { get; init; }
}
