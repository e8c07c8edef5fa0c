using Agnes.Engine.Limits;
using Agnes.Protocol;

namespace Agnes.Engine.Extracts;

/// <summary>One table of an extract of ours.</summary>
/// <param name="Files">What the table was read from, so that files that did not change are not read again. Empty where a connector has no use for it.</param>
public sealed record ExtractTable(
    string Name,
    string? Description,
    string QueryMode,
    DateTime ExtractedAt,
    IReadOnlyList<TableColumn> Columns,
    IReadOnlyList<ExtractPart> Parts,
    IReadOnlyList<SourceFile> Files)
{
    /// <summary>How far the source was read, in the connector's own words: what it is given back at the next run.</summary>
    public string? Cursor { get; init; }

    public long Rows => Parts.Sum(part => part.Part.Rows);

    public long Bytes => Parts.Sum(part => part.Part.SizeBytes);
}

/// <param name="Md5">Of tables with one part; the wire format asks for it.</param>
/// <param name="ModifiedNs">Of the file in the store when it was written: a later difference means that another program wrote into it.</param>
/// <param name="Key">What the connector knows the part by, whatever that is: a partition, a page, an export. Null where it has no use for it.</param>
public sealed record ExtractPart(TablePart Part, string? Md5, long ModifiedNs, string? Key = null);

/// <summary>A file that one part was made from.</summary>
/// <param name="Columns">The file's own columns, before they were unified with those of other files.</param>
/// <param name="ReadAs">By which rules and settings the connector read it, in its own words; a file that did not change is read again when these did.</param>
public sealed record SourceFile(string Path, FileStamp Stamp, string Sha256, IReadOnlyList<TableColumn> Columns, string? ReadAs = null);
