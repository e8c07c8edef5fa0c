namespace Agnes.Cli.Commands.Admin;

/// <summary>YAML files of this machine, and ids that are part of a path.</summary>
internal static class YamlFiles
{
    private const int FilesMax = 500;
    private const long FileBytesMax = 1 << 20;

    /// <summary>The server tries every statement before it answers.</summary>
    public static readonly TimeSpan CheckIdle = TimeSpan.FromSeconds(120);

    /// <summary>A file by itself, or what lies in the folders of a folder; an index in the folder itself is no definition.</summary>
    public static IReadOnlyList<(string Name, byte[] Content)> Read(string path)
    {
        if (File.Exists(path)) return [(NameOf(path), Content(path))];
        if (!Directory.Exists(path)) throw new CliException($"There is no file or folder '{path}'.");
        List<string> files =
        [
            .. Directory.EnumerateFiles(path, "*.y*ml", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
                .Where(file => System.IO.Path.GetExtension(file) is ".yml" or ".yaml" && System.IO.Path.GetFullPath(System.IO.Path.GetDirectoryName(file)!) != System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path)))
                .Order(StringComparer.Ordinal),
        ];
        if (files.Count == 0) throw new CliException($"'{path}' has no folders with .yml files.") { Hint = "Expected: <category>/<name>.yml" };
        if (files.Count > FilesMax) throw new CliException($"'{path}' has {files.Count} files; at most {FilesMax} are imported at once.");
        return [.. files.Select(file => (NameOf(file), Content(file)))];
    }

    /// <summary>The slash belongs to the path; everything else is escaped.</summary>
    public static string Path(string id) => string.Join('/', id.Split('/').Select(Uri.EscapeDataString));

    /// <summary>A name that the server sent must not lead out of the folder.</summary>
    public static string Inside(string root, string relative)
    {
        var full = System.IO.Path.GetFullPath(System.IO.Path.Combine(root, relative));
        return full.StartsWith(System.IO.Path.TrimEndingDirectorySeparator(root) + System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? full
            : throw new CliException($"The server named a file outside the folder: {relative}");
    }

    private static byte[] Content(string path)
    {
        var size = new FileInfo(path).Length;
        return size <= FileBytesMax ? File.ReadAllBytes(path) : throw new CliException($"'{path}' is larger than {FileBytesMax >> 10} KiB.");
    }

    /// <summary>With its folder, which names the category where the file does not.</summary>
    private static string NameOf(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        return $"{System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(full))}/{System.IO.Path.GetFileName(full)}";
    }
}
