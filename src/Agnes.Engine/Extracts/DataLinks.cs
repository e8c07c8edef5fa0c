using Agnes.Engine.Limits;
using Agnes.Engine.Parts;

namespace Agnes.Engine.Extracts;

/// <summary>The names under <c>data/</c> by which other tools reach the parts of an extract: hard links into the store, copies where links cannot be made.</summary>
internal static class DataLinks
{
    /// <summary>What the table's view reads: one file, or all of a folder.</summary>
    public static string ViewPath(string data, ExtractTable table) =>
        table.Parts.Count == 1 ? Path.Combine(data, $"{table.Name}.parquet") : Path.Combine(data, table.Name, "*.parquet");

    /// <summary>Where the part of a table lies under <c>data/</c>.</summary>
    public static string PathOf(string data, ExtractTable table, ExtractPart part) =>
        table.Parts.Count == 1 ? Path.Combine(data, $"{table.Name}.parquet") : Path.Combine(data, table.Name, Path.GetFileName(part.Part.Name));

    /// <returns>False when a part is missing from the store: then nothing is put, and the table cannot have a view.</returns>
    public static bool TryPut(PartStore store, string data, ExtractTable table)
    {
        if (!table.Parts.All(part => store.Contains(part.Part.Sha256, part.Part.SizeBytes))) return false;
        var flat = Path.Combine(data, $"{table.Name}.parquet");
        if (table.Parts.Count == 1)
        {
            Put(store.PathOf(table.Parts[0].Part.Sha256), flat);
            return true;
        }
        var folder = Path.Combine(data, table.Name);
        Directory.CreateDirectory(folder);
        foreach (var part in table.Parts) Put(store.PathOf(part.Part.Sha256), Path.Combine(folder, part.Part.Name));
        // What the glob would find besides goes now, or the view would mix two versions.
        var names = table.Parts.Select(part => part.Part.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(folder).Where(file => !names.Contains(Path.GetFileName(file)))) File.Delete(file);
        return true;
    }

    /// <summary>Removes the files of tables that are gone, and the other form (file, folder) of those that are not.</summary>
    public static void RemoveOthers(string data, IReadOnlyList<ExtractTable> tables)
    {
        var files = tables.Where(table => table.Parts.Count == 1).Select(table => $"{table.Name}.parquet").ToHashSet(StringComparer.Ordinal);
        var folders = tables.Where(table => table.Parts.Count > 1).Select(table => table.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var file in new DirectoryInfo(data).EnumerateFiles().Where(file => !files.Contains(file.Name))) file.Delete();
        foreach (var folder in new DirectoryInfo(data).EnumerateDirectories().Where(folder => !folders.Contains(folder.Name)))
        {
            if (folder.LinkTarget is null) folder.Delete(recursive: true);
            else folder.Delete();
        }
    }

    private static void Put(string part, string target)
    {
        if (FileStamp.TryOf(target) is { } there && there == FileStamp.TryOf(part)) return;
        var fresh = $"{target}.tmp";
        File.Delete(fresh);
        if (!FileSystem.TryLink(part, fresh)) File.Copy(part, fresh);
        File.Move(fresh, target, overwrite: true);
    }
}
