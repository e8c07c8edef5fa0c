using Agnes.Engine.Limits;

namespace Agnes.Engine.Foreign;

/// <summary>The files that another program wrote changed while they were copied: it is still running.</summary>
public sealed class ForeignFileMovingException(string path) : IOException($"{path} changed while it was copied. Stop the program that writes it and run this again.");

/// <summary>Copies files of another program. A symbolic link, a pipe or anything else that is no plain file is never opened.</summary>
public static class ForeignFiles
{
    private const string DraftSuffix = ".importing";

    /// <summary>Copies a file under its name at once or not at all, durable when it returns, with the time of its last change.</summary>
    /// <returns>False when there is no such plain file.</returns>
    /// <exception cref="ForeignFileMovingException">It was written to meanwhile; the target is as it was.</exception>
    public static async Task<bool> TryCopyAsync(string source, string target, CancellationToken cancellation)
    {
        using var file = OpenedFile.TryOpen(source);
        if (file is null) return false;
        var before = file.Stamp;
        var changed = File.GetLastWriteTimeUtc(source);
        var draft = target + DraftSuffix;
        File.Delete(draft);
        try
        {
            if (!file.TryCloneTo(draft)) await file.CopyToAsync(draft, cancellation);
            if (file.Stamp != before) throw new ForeignFileMovingException(source);
            File.SetLastWriteTimeUtc(draft, changed);
            FileSystem.Replace(draft, target);
        }
        finally
        {
            File.Delete(draft);
        }

        return true;
    }

    /// <summary>Whether it is a plain file that can be read: no link, no pipe, no device.</summary>
    public static bool IsPlain(string path)
    {
        using var file = OpenedFile.TryOpen(path);
        return file is not null;
    }

    /// <summary>The plain files of a folder and the folders below it, as relative paths in order; links of either kind are told to the caller and left.</summary>
    public static IReadOnlyList<string> Plain(string folder, Action<string> link)
    {
        var found = new List<string>();
        Walk(new DirectoryInfo(folder), "", link, found);
        found.Sort(StringComparer.Ordinal);
        return found;
    }

    private static void Walk(DirectoryInfo folder, string prefix, Action<string> link, List<string> found)
    {
        foreach (var entry in folder.EnumerateFileSystemInfos())
        {
            if (entry.LinkTarget is not null) link(prefix + entry.Name);
            else if (entry is DirectoryInfo below) Walk(below, $"{prefix}{entry.Name}/", link, found);
            else if (!entry.Name.EndsWith(DraftSuffix, StringComparison.Ordinal)) found.Add(prefix + entry.Name);
        }
    }
}
