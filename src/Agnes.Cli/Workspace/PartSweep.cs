using Agnes.Protocol;

namespace Agnes.Cli.Workspace;

/// <summary>Removes what nothing refers to any more. Runs only under the pull's lock, after the state was written.</summary>
internal static class PartSweep
{
    public static void Run(Layout layout, IEnumerable<TableState> tables, IEnumerable<RetiredPart> retired, IEnumerable<string> stillWanted)
    {
        var kept = tables.SelectMany(table => table.Parts).Select(part => part.Sha256).Concat(retired.Select(part => part.Sha256)).ToHashSet(StringComparer.Ordinal);
        Remove(layout.Parts, name => Path.GetExtension(name) == ".parquet" && Identifiers.IsSha256(Path.GetFileNameWithoutExtension(name)) && !kept.Contains(Path.GetFileNameWithoutExtension(name)));
        var wanted = stillWanted.Where(hash => !kept.Contains(hash)).ToHashSet(StringComparer.Ordinal);
        Remove(layout.Incoming, name => !wanted.Contains(name.Split('.')[0]));
        RemoveIfEmpty(layout.Incoming);
        RemoveIfEmpty(layout.Parts);
        RemoveIfEmpty(layout.Parquet);
        RemoveIfEmpty(layout.Server);
    }

    private static void Remove(string folder, Func<string, bool> isUnneeded)
    {
        if (!Directory.Exists(folder)) return;
        foreach (var path in Directory.EnumerateFiles(folder).Where(path => isUnneeded(Path.GetFileName(path))).ToList())
        {
            try
            {
                File.Delete(path);
            }
            catch (Exception problem) when (OperatingSystem.IsWindows() && problem is IOException or UnauthorizedAccessException)
            {
                // Windows: a query has it open. The next pull tries again.
                continue;
            }
        }
    }

    private static void RemoveIfEmpty(string folder)
    {
        if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
    }
}
