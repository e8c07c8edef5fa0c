namespace Agnes.Cli.Sessions;

/// <summary>A session to upload: a line of the queue. An id may be missing in lines of older programs.</summary>
internal readonly record struct SessionEntry(string Id, string Path)
{
    public override string ToString() => $"{Id}\t{Path}";

    /// <summary>In the order of the lines, each once; blank lines are none.</summary>
    public static List<SessionEntry> Parse(IEnumerable<string> lines)
    {
        var seen = new HashSet<SessionEntry>();
        var entries = new List<SessionEntry>();
        foreach (var line in lines)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            var tab = line.IndexOf('\t', StringComparison.Ordinal);
            var entry = tab < 0 ? new SessionEntry("", line.Trim()) : new SessionEntry(line[..tab].Trim(), line[(tab + 1)..].Trim());
            if (entry.Path.Length > 0 && seen.Add(entry)) entries.Add(entry);
        }

        return entries;
    }
}
