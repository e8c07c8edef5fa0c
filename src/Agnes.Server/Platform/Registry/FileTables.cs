using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Registry;

/// <summary>Where the files of a table of the Files source are: <c>bucket</c> is a folder below the root, <c>source_table</c> a file, folder or glob in it.</summary>
internal static class FileTables
{
    /// <summary>Without a file of its own, a table is the file of its name, whatever its format; without one but with a folder, the files in that.</summary>
    public static string? SourceOf(TableRow row) => row.SourceTable ?? (row.Bucket is null ? $"{row.Name}.*" : null);

    public static string PatternOf(TableRow row) => string.Join('/', new[] { row.Bucket, SourceOf(row) }.Where(step => !string.IsNullOrEmpty(step)));

    /// <summary>What has to lie below the root, each by itself: neither may lead out of it and back.</summary>
    public static IEnumerable<string> PathsOf(TableRow row) =>
        new[] { row.Bucket, row.SourceTable, PatternOf(row) }.OfType<string>().Select(path => path.Replace('*', '_').Replace('?', '_'));

    public static IReadOnlyList<string> Match(DataFolder folder, TableRow row)
    {
        var pattern = PatternOf(row);
        if (SafePath.IsPattern(pattern)) return SafePath.Match(folder.Csv, pattern);
        return Directory.Exists(SafePath.Resolve(folder.Csv, pattern)) ? SafePath.Match(folder.Csv, $"{pattern}/*") : SafePath.Match(folder.Csv, pattern);
    }
}
