using Agnes.Engine.Limits;
using Agnes.Engine.Parts;

namespace Agnes.Engine.Extracts;

/// <summary>
/// Which <c>extract.duckdb</c> our own writer made, by stamp; kept outside the inbox. Only of those is <c>_parts</c> believed: a file dropped by
/// another program could name parts of tables that are not its own.
/// </summary>
internal static class ExtractLedger
{
    public static bool Contains(DataFolder folder, string source, FileStamp extract)
    {
        var path = PathOf(folder, source);
        return File.Exists(path) && File.ReadLines(path).Contains(extract.ToString());
    }

    /// <summary>To be called with the new file before it replaces the old one: a crash in between leaves both known, as a rename keeps the stamp.</summary>
    public static void Write(DataFolder folder, string source, params IEnumerable<FileStamp> extracts)
    {
        var path = PathOf(folder, source);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllLines($"{path}.tmp", extracts.Select(stamp => stamp.ToString()));
        FileSystem.Replace($"{path}.tmp", path);
    }

    private static string PathOf(DataFolder folder, string source) => Path.Combine(folder.Parts, ".extracts", source);
}
