using System.Globalization;
using System.Text;
using Agnes.Cli.Workspace;
using Agnes.Protocol;

namespace Agnes.Cli.Sessions;

/// <summary>Where the agent keeps the transcripts of sessions in this folder; and those that lie there, or in the old place in the workspace, without the queue.</summary>
internal static class Transcripts
{
    /// <summary>Of a longer name the agent keeps so many characters and adds a hash of all.</summary>
    private const int NameCharsMax = 200;

    /// <summary>The folders of this workspace's transcripts. The agent's own folder may be a link (a home elsewhere); those in it may not.</summary>
    public static IReadOnlyList<string> Folders(Layout layout)
    {
        var set = Environment.GetEnvironmentVariable("CLAUDE_CONFIG_DIR");
        var agent = !string.IsNullOrWhiteSpace(set) ? set : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".claude");
        var projects = RealFolder.Of(Path.Combine(agent, "projects"));
        return [.. Roots(layout).SelectMany(Encodings).Distinct(StringComparer.Ordinal).Select(name => Path.Combine(projects, name))];
    }

    /// <summary>Whether a folder is the workspace or really lies in it.</summary>
    public static bool IsIn(string folder, Layout layout)
    {
        try
        {
            return Path.IsPathFullyQualified(folder) && RealFolder.IsBelow(RealFolder.Of(folder), RealFolder.Of(layout.Root));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false; // no folder that there can be
        }
    }

    /// <summary>By name; of two copies the newer.</summary>
    public static IReadOnlyList<string> Find(Layout layout)
    {
        var found = new Dictionary<string, FileInfo>(StringComparer.Ordinal);
        foreach (var folder in Folders(layout).Select(path => new DirectoryInfo(path)))
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

    /// <summary>As it was named, and where it really is: the agent goes by the latter.</summary>
    private static IEnumerable<string> Roots(Layout layout) => new[] { Path.TrimEndingDirectorySeparator(layout.Root), RealFolder.Of(layout.Root) }.Distinct(StringComparer.Ordinal);

    private static string[] Encodings(string root)
    {
        var collapsed = new StringBuilder();
        foreach (var c in root)
        {
            if (char.IsAsciiLetterOrDigit(c)) collapsed.Append(c);
            else if (collapsed.Length == 0 || collapsed[^1] != '-') collapsed.Append('-');
        }

        return [root.Replace(Path.DirectorySeparatorChar, '-'), collapsed.ToString(), OfToday(root)];
    }

    /// <summary>As the agent names it today: each character that is no letter or digit becomes one dash.</summary>
    private static string OfToday(string root)
    {
        var name = string.Concat(root.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
        if (name.Length <= NameCharsMax) return name;
        var hash = 0;
        foreach (var c in root) hash = unchecked((hash << 5) - hash + c);
        return $"{name[..NameCharsMax]}-{Base36(Math.Abs((long)hash))}";
    }

    private static string Base36(long value)
    {
        var digits = new StringBuilder();
        do digits.Insert(0, "0123456789abcdefghijklmnopqrstuvwxyz"[(int)(value % 36)].ToString(CultureInfo.InvariantCulture));
        while ((value /= 36) > 0);
        return digits.ToString();
    }
}
