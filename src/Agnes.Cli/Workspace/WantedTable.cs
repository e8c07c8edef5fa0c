using Agnes.Protocol;

namespace Agnes.Cli.Workspace;

/// <summary>A table as the server offers it now. Without parts: an older server, whose file is known by its MD5 alone.</summary>
internal sealed record WantedTable(string Name, ManifestTable Entry, IReadOnlyList<TablePart>? Parts)
{
    private const string Extension = ".parquet";

    /// <summary>What downloads are asked for by.</summary>
    public string Key => Entry.Id is { Length: > 0 } id && Identifiers.IsQuoted(id) ? id : Name;

    public bool IsSame(TableState? state)
    {
        if (state is null) return false;
        if (Parts is null) return Entry.Hash.Length > 0 && state.Hash == Entry.Hash;
        return state.Parts.Count == Parts.Count && state.Parts.Zip(Parts).All(pair => pair.First.Sha256 == pair.Second.Sha256 && pair.First.Name == pair.Second.Name);
    }

    public TableState With(IReadOnlyList<TablePart> parts) =>
        new(Entry.QueryMode, Entry.Id, Entry.Version, Entry.Hash, Entry.PartsDigest, Entry.Rows, Entry.SizeBytes, Entry.Updated, parts);

    /// <summary>The links of a table, relative to <c>server/parquet</c>, beside the part each stands for.</summary>
    public static IEnumerable<(string Path, TablePart Part)> Links(string name, IReadOnlyList<TablePart> parts) =>
        parts.Count == 1
            ? [(name + Extension, parts[0])]
            : parts.Select(part => ($"{name}/{(part.Name.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) ? part.Name : part.Name + Extension)}", part));

    /// <returns>Why the entry cannot be used, or null. Names become file names and paths; they are not trusted.</returns>
    public static string? Objection(string name, ManifestTable? entry)
    {
        if (!Identifiers.IsQuoted(name)) return "the name is not one that can be a file's";
        if (entry is null || entry.QueryMode is null || entry.Hash is null) return "the manifest's entry is incomplete";
        if (entry.SizeBytes < 0 || entry.Rows < 0) return "the manifest's entry holds a negative size";
        if (entry.Sha256 is not null && !Identifiers.IsSha256(entry.Sha256)) return "the manifest's SHA-256 is malformed";
        if (entry.PartsDigest is not null && !Identifiers.IsSha256(entry.PartsDigest)) return "the manifest's parts digest is malformed";
        return null;
    }

    public static string? Objection(IReadOnlyList<TablePart>? parts)
    {
        if (parts is null || parts.Count == 0) return "the parts list is empty";
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in parts)
        {
            if (part is null || !Identifiers.IsQuoted(part.Name)) return "a part's name is not one that can be a file's";
            if (!names.Add(part.Name)) return $"two parts are called '{part.Name}'";
            if (!Identifiers.IsSha256(part.Sha256) || part.SizeBytes < 0) return $"the part '{part.Name}' has a malformed hash or size";
        }

        return null;
    }
}
