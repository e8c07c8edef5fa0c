using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;

namespace Agnes.Connectors.Files;

/// <summary>A table cannot be read as it is; the message says what to mend.</summary>
internal class TableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Nobody said which of several files is meant.</summary>
internal sealed class SeveralFilesException(string message) : TableException(message);

/// <param name="Path">Relative to the root, with <c>/</c>.</param>
/// <param name="PartName">What the part made from it is called.</param>
internal sealed record InputFile(string Path, string FullPath, FileFormat Format, FileStamp Stamp, string PartName);

/// <summary>The files of a table: one file, all of a folder, or all that a glob matches. Nothing outside the root.</summary>
internal static partial class FileSet
{
    private const int FilesMax = 10_000;
    private const int PartNameCharactersMax = 96;

    /// <param name="root">The folder that holds all sources.</param>
    public static IReadOnlyList<InputFile> Resolve(string root, TableConfig table)
    {
        if (!Directory.Exists(root)) throw new TableException("The folder for files does not exist. Make a folder csv below the data folder, and put the files there.");
        try
        {
            var source = string.Join('/', ((string?[])[table.Bucket, table.SourceTable]).Where(step => !string.IsNullOrWhiteSpace(step)).Select(step => step!.Trim().Trim('/')));
            if (table.Bucket?.StartsWith('/') == true || table.SourceTable?.StartsWith('/') == true) throw new UnsafePathException("The path must be relative.");
            return source.Length == 0 ? ByName(root, table) : Named(root, source, table);
        }
        catch (UnsafePathException e)
        {
            throw new TableException(e.Message);
        }
    }

    /// <summary>Nothing was configured: a file or folder that is called as the table is.</summary>
    private static IReadOnlyList<InputFile> ByName(string root, TableConfig table)
    {
        if (Directory.Exists(SafePath.Resolve(root, table.Name))) return Named(root, table.Name, table);
        var found = SafePath.Match(root, $"{table.Name}.*").Where(path => FileFormat.Of(path) is not null).ToList();
        return found switch
        {
            [] => throw new TableException($"There is no file or folder called '{table.Name}'. Set source_table to a file, a folder or a pattern such as orders/*.csv."),
            [var only] => [Input(root, only, $"{table.Name}.parquet")],
            _ => throw new SeveralFilesException($"Several files are called '{table.Name}': {string.Join(", ", found)}. Set source_table to the one that is meant."),
        };
    }

    private static IReadOnlyList<InputFile> Named(string root, string source, TableConfig table)
    {
        if (SafePath.IsPattern(source))
        {
            var matched = SafePath.Match(root, source);
            if (matched.Count == 0) throw new TableException($"No file matches '{source}'.");
            if (matched.FirstOrDefault(path => FileFormat.Of(path) is null) is { } unknown) throw new TableException($"'{unknown}' is of no known type. Known are {FileFormat.Known}.");
            return Several(root, source[..(source[..source.AsSpan().IndexOfAny('*', '?')].LastIndexOf('/') + 1)], matched);
        }
        var path = SafePath.Resolve(root, source);
        if (Directory.Exists(path))
        {
            var inside = SafePath.Match(root, $"{source}/**").Where(file => FileFormat.Of(file) is not null).ToList();
            if (inside.Count == 0) throw new TableException($"The folder '{source}' holds no file of a known type ({FileFormat.Known}).");
            return Several(root, $"{source}/", inside);
        }
        if (!File.Exists(path)) throw new TableException($"There is no file or folder '{source}'.");
        if (FileFormat.Of(source) is null) throw new TableException($"'{source}' is of no known type. Known are {FileFormat.Known}.");
        return [Input(root, source, $"{table.Name}.parquet")];
    }

    private static IReadOnlyList<InputFile> Several(string root, string prefix, IReadOnlyList<string> paths)
    {
        if (paths.Count > FilesMax) throw new TableException($"{paths.Count} files are more than the {FilesMax} that one table can have.");
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var files = new List<InputFile>(paths.Count);
        foreach (var path in paths)
        {
            var name = PartName(path[prefix.Length..], certain: false);
            if (!names.Add(name)) names.Add(name = PartName(path[prefix.Length..], certain: true));
            files.Add(Input(root, path, name));
        }
        return files;
    }

    private static InputFile Input(string root, string path, string partName)
    {
        var full = SafePath.Resolve(root, path);
        return new InputFile(path, full, FileFormat.Of(path)!, FileStamp.Of(full), partName);
    }

    /// <summary>The same file always gets the same name; two files never do.</summary>
    private static string PartName(string path, bool certain)
    {
        var safe = Unsafe().Replace(path, "_").TrimStart('.', '-');
        if (safe == path && safe.Length <= PartNameCharactersMax && !certain) return $"{safe}.parquet";
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)))[..8];
        return $"{safe[..Math.Min(safe.Length, PartNameCharactersMax)]}-{hash}.parquet";
    }

    [GeneratedRegex(@"[^A-Za-z0-9_.\-]")]
    private static partial Regex Unsafe();
}
