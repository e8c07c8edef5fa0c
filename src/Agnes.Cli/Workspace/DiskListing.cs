using System.IO.Enumeration;
using Agnes.Protocol;

namespace Agnes.Cli.Workspace;

/// <summary>Names and sizes of what lies below <c>server/</c>, by listing folders once rather than by asking for each file.</summary>
internal sealed record DiskListing(IReadOnlyDictionary<string, long> Parts, IReadOnlyDictionary<string, long> Parquet)
{
    private static readonly EnumerationOptions Flat = new() { RecurseSubdirectories = false, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };
    private static readonly EnumerationOptions OneBelow = new() { RecurseSubdirectories = true, MaxRecursionDepth = 1, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };

    /// <summary>Parts by hash, links by path relative to <c>server/parquet</c>, with <c>/</c>.</summary>
    public static DiskListing Read(Layout layout)
    {
        var parts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (name, size) in Files(layout.Parts, Flat))
        {
            if (Path.GetFileNameWithoutExtension(name) is var hash && Path.GetExtension(name) == ".parquet" && Identifiers.IsSha256(hash)) parts[hash] = size;
        }

        var parquet = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (name, size) in Files(layout.Parquet, OneBelow)) parquet[name.Replace('\\', '/')] = size;
        return new DiskListing(parts, parquet);
    }

    public bool HasPart(TablePart part) => Parts.TryGetValue(part.Sha256, out var size) && size == part.SizeBytes;

    public bool HasLink(string path, long size) => Parquet.TryGetValue(path, out var found) && found == size;

    private static IEnumerable<(string Name, long Size)> Files(string folder, EnumerationOptions options)
    {
        if (!Directory.Exists(folder)) return [];
        return new FileSystemEnumerable<(string, long)>(folder, (ref FileSystemEntry entry) => (Path.GetRelativePath(folder, entry.ToFullPath()), entry.Length), options)
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory,
            ShouldRecursePredicate = (ref FileSystemEntry entry) => !entry.FileName.StartsWith("."),
        };
    }
}
