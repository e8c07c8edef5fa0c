using System.Text.Json;
using System.Text.Json.Serialization;
using Agnes.Engine.Parts;

namespace Agnes.Engine.Extracts;

/// <summary>A row of a file that is no row of its table, and was left out because a person wanted it so.</summary>
/// <param name="File">Relative to the folder of files.</param>
/// <param name="Line">Of the file, where the row starts; the first is 1.</param>
/// <param name="Text">As it stands there, cut where it is very long.</param>
public sealed record SetAsideRow(string File, long Line, string Reason, string Text);

/// <summary>The rows that were set aside, in <c>extracts/&lt;source&gt;/set-aside/&lt;table&gt;/&lt;part&gt;.jsonl</c>: a file a part, a row a line.</summary>
public static class SetAside
{
    private const string Extension = ".jsonl";

    /// <summary>Puts the files of new parts in their place and takes away those of parts that are gone, or are without bad rows now.</summary>
    /// <param name="parts">All parts of the table by name: a finished file of rows, an empty text for a part without, null for one that was not read again.</param>
    public static void Put(DataFolder folder, string source, string table, IReadOnlyDictionary<string, string?> parts)
    {
        var target = FolderOf(folder, source, table);
        if (Directory.Exists(target))
        {
            foreach (var file in Directory.EnumerateFiles(target).Where(file => parts.GetValueOrDefault(Path.GetFileNameWithoutExtension(file), "") is not null)) File.Delete(file);
        }
        foreach (var (part, file) in parts.Where(part => !string.IsNullOrEmpty(part.Value)))
        {
            Directory.CreateDirectory(target);
            File.Move(file!, Path.Combine(target, part + Extension), overwrite: true);
        }
        if (Directory.Exists(target) && !Directory.EnumerateFileSystemEntries(target).Any()) Directory.Delete(target);
    }

    /// <summary>How many rows were set aside, and the first of them.</summary>
    public static (long Count, IReadOnlyList<SetAsideRow> Rows) Read(DataFolder folder, string source, string table, int rowsMax)
    {
        var target = FolderOf(folder, source, table);
        if (!Directory.Exists(target)) return (0, []);
        var (count, rows) = (0L, new List<SetAsideRow>());
        foreach (var line in Directory.EnumerateFiles(target, "*" + Extension).Order(StringComparer.Ordinal).SelectMany(File.ReadLines))
        {
            count++;
            if (rows.Count < rowsMax && JsonSerializer.Deserialize(line, SetAsideJson.Default.SetAsideRow) is { } row) rows.Add(row);
        }
        return (count, rows);
    }

    /// <summary>How many rows of one part were set aside.</summary>
    public static long Count(DataFolder folder, string source, string table, string part)
    {
        var file = Path.Combine(FolderOf(folder, source, table), part + Extension);
        return File.Exists(file) ? File.ReadLines(file).LongCount() : 0;
    }

    /// <summary>Takes away what is kept for tables that are gone.</summary>
    internal static void RemoveOthers(DataFolder folder, string source, IEnumerable<string> tables)
    {
        var all = Path.Combine(folder.Source(source), "set-aside");
        if (!Directory.Exists(all)) return;
        var kept = tables.ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var gone in Directory.EnumerateDirectories(all).Where(gone => !kept.Contains(Path.GetFileName(gone)))) Directory.Delete(gone, recursive: true);
    }

    private static string FolderOf(DataFolder folder, string source, string table) => Path.Combine(folder.Source(source), "set-aside", table);
}

/// <summary>One line of a file of rows.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SetAsideRow))]
public sealed partial class SetAsideJson : JsonSerializerContext;
