using System.Security.Cryptography;
using System.Text;
using Agnes.Engine.Limits;

namespace Agnes.Engine.Publishing;

/// <summary>All files of a source's folder at one moment, by stamp.</summary>
/// <param name="Digest">Changes with any file. Grows with the source's files: only foreign sources are walked.</param>
internal sealed record SourceTree(IReadOnlyDictionary<string, FileStamp> Files, string Digest)
{
    private const int FilesMax = 200_000;

    /// <exception cref="InvalidDataException">There is a symbolic link in it, which the engine would follow out of the source, or far too many files.</exception>
    public static SourceTree Scan(string root)
    {
        var files = new SortedDictionary<string, FileStamp>(StringComparer.Ordinal);
        Walk(new DirectoryInfo(root), "", files);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, stamp) in files) hash.AppendData(Encoding.UTF8.GetBytes($"{name}\0{stamp}\n"));
        return new SourceTree(files, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <summary>Names and stamps of the Parquet files directly in a folder of the source, in order of name.</summary>
    public IReadOnlyList<(string Name, FileStamp Stamp)> ParquetFilesIn(string folder) =>
    [
        .. Files.Where(file => file.Key.StartsWith(folder, StringComparison.Ordinal) && file.Key.EndsWith(".parquet", StringComparison.Ordinal) && file.Key.IndexOf('/', folder.Length) < 0)
            .Select(file => (file.Key[folder.Length..], file.Value)),
    ];

    private static void Walk(DirectoryInfo folder, string prefix, SortedDictionary<string, FileStamp> files)
    {
        foreach (var entry in folder.EnumerateFileSystemInfos())
        {
            if (entry.LinkTarget is not null) throw new InvalidDataException($"it holds a symbolic link ({prefix}{entry.Name}), which could lead out of the source");
            if (entry is DirectoryInfo child)
            {
                Walk(child, $"{prefix}{entry.Name}/", files);
                continue;
            }
            if (FileStamp.TryOf(entry.FullName) is { } stamp) files[prefix + entry.Name] = stamp;
            if (files.Count > FilesMax) throw new InvalidDataException($"it holds more than {FilesMax} files");
        }
    }
}
