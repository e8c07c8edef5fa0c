using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Agnes.Engine.Limits;
using Agnes.Protocol;

namespace Agnes.Engine.Publishing;

/// <summary>Where a foreign table's parts came from, as a text that is kept with the version, so that what did not change is not read again.</summary>
internal static class TableOrigin
{
    private const string Files = "files";
    private const string Rows = "rows";

    /// <summary>A first line with the view's text as hash, then one line a file: stamp, tab, path; in the order of the parts.</summary>
    public static string OfFiles(string sql, IReadOnlyList<CandidateFile> files)
    {
        var text = new StringBuilder().Append(Files).Append(' ').Append(Hash(sql));
        foreach (var file in files) text.Append('\n').Append(file.Stamp).Append('\t').Append(file.Path);
        return text.ToString();
    }

    public static string OfRows(string sql, SourceTree tree) => $"{Rows} {Hash(sql)} {tree.Digest}";

    /// <summary>What each file of the earlier version was, and the part that it became.</summary>
    public static Dictionary<string, EarlierFile> FilesOf(PublishedTable before)
    {
        var files = new Dictionary<string, EarlierFile>(StringComparer.Ordinal);
        if (before.Origin is null || !before.Origin.StartsWith($"{Files} ", StringComparison.Ordinal)) return files;
        var lines = before.Origin.Split('\n')[1..];
        if (lines.Length != before.Parts.Count) return files;
        for (var i = 0; i < lines.Length; i++)
        {
            var tab = lines[i].IndexOf('\t');
            if (tab > 0 && Parse(lines[i][..tab]) is { } stamp) files[lines[i][(tab + 1)..]] = new EarlierFile(stamp, before.Parts[i], before.Stamps[i]);
        }
        return files;
    }

    private static FileStamp? Parse(string text)
    {
        var numbers = text.Split(':').Select(number => long.TryParse(number, CultureInfo.InvariantCulture, out var value) ? value : -1).ToArray();
        return numbers.Length == 3 ? new FileStamp(numbers[0], numbers[1], numbers[2]) : null;
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}

/// <param name="Source">Of the foreign file.</param>
/// <param name="Stored">Of the part in the store; the same file where it was linked.</param>
internal sealed record EarlierFile(FileStamp Source, TablePart Part, FileStamp Stored);
