using System.Text;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Sessions;

/// <summary>Transcripts found without the queue: where the agent keeps those of this folder, and the old place in the workspace.</summary>
internal static class Transcripts
{
    /// <summary>By name; of two copies the newer.</summary>
    public static IReadOnlyList<string> Find(Layout layout)
    {
        var found = new Dictionary<string, FileInfo>(StringComparer.Ordinal);
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        foreach (var folder in Encodings(layout.Root).Distinct(StringComparer.Ordinal).Select(name => new DirectoryInfo(Path.Combine(home, ".claude", "projects", name))))
        {
            if (!folder.Exists) continue;
            foreach (var file in folder.EnumerateFiles("*.jsonl"))
            {
                if (!found.TryGetValue(file.Name, out var other) || file.LastWriteTimeUtc > other.LastWriteTimeUtc) found[file.Name] = file;
            }
        }

        var old = new DirectoryInfo(Path.Combine(layout.Root, "user", "sessions"));
        if (old.Exists)
        {
            foreach (var file in old.EnumerateFiles("*.jsonl")) found.TryAdd(file.Name, file);
        }

        return [.. found.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value.FullName)];
    }

    private static string[] Encodings(string root)
    {
        var collapsed = new StringBuilder();
        foreach (var c in root)
        {
            if (char.IsAsciiLetterOrDigit(c)) collapsed.Append(c);
            else if (collapsed.Length == 0 || collapsed[^1] != '-') collapsed.Append('-');
        }

        return [root.Replace(Path.DirectorySeparatorChar, '-'), collapsed.ToString()];
    }
}
