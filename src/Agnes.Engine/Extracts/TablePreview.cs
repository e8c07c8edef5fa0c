using Agnes.Protocol;

namespace Agnes.Engine.Extracts;

/// <summary>What a table would be, from a look at its source that brings nothing.</summary>
/// <param name="Columns">At most so many as are shown; <paramref name="ColumnCount"/> counts all.</param>
/// <param name="Rows">Of the whole table; null where not all of it was counted.</param>
/// <param name="Bytes">That the source takes.</param>
/// <param name="LookedAt">Rows from which the types were found.</param>
/// <param name="First">The first rows, each value as text, null for none; long ones are cut.</param>
/// <param name="FileCount">Of all files; <paramref name="Files"/> are those that were opened.</param>
/// <param name="Remarks">What a person should know about how they are read.</param>
public sealed record TablePreview(
    IReadOnlyList<TableColumn> Columns,
    int ColumnCount,
    long? Rows,
    long Bytes,
    long LookedAt,
    IReadOnlyList<IReadOnlyList<string?>> First,
    IReadOnlyList<PreviewedFile> Files,
    int FileCount,
    IReadOnlyList<string> Remarks);

/// <param name="Written">How a delimited file is written; null for other files, which say it themselves.</param>
public sealed record PreviewedFile(string Path, long? Rows, WrittenAs? Written);

/// <summary>How a delimited file is written, as it was set or found.</summary>
/// <param name="DateFormats">Of columns with dates in other than ISO form.</param>
/// <param name="NullTexts">What stands for no value.</param>
public sealed record WrittenAs(
    string Delimiter, string Quote, string Escape, bool Header, int SkippedLines, string Encoding, IReadOnlyDictionary<string, string> DateFormats, IReadOnlyList<string> NullTexts);
