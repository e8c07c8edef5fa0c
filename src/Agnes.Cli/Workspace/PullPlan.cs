using Agnes.Protocol;

namespace Agnes.Cli.Workspace;

/// <summary>What a pull has to do. Made from three values and nothing else.</summary>
internal sealed record PullPlan(
    IReadOnlyList<WantedTable> Changed,
    IReadOnlyList<WantedTable> Same,
    IReadOnlyList<TablePart> MissingParts,
    IReadOnlyList<WantedTable> WholeFiles,
    IReadOnlyList<string> Orphans)
{
    public bool IsNothing => Changed.Count == 0 && Orphans.Count == 0;

    public static PullPlan Make(IReadOnlyList<WantedTable> wanted, IReadOnlySet<string> kept, ServerState state, DiskListing disk)
    {
        var changed = new List<WantedTable>();
        var same = new List<WantedTable>();
        var missing = new Dictionary<string, TablePart>(StringComparer.Ordinal);
        var whole = new List<WantedTable>();
        foreach (var table in wanted)
        {
            var current = state.Tables.GetValueOrDefault(table.Name);
            var isSame = table.IsSame(current);
            var parts = table.Parts ?? (isSame ? current!.Parts : null);
            if (parts is null || (table.Parts is null && !parts.All(disk.HasPart)))
            {
                whole.Add(table);
                changed.Add(table);
                continue;
            }

            foreach (var part in parts)
            {
                if (!disk.HasPart(part)) missing.TryAdd(part.Sha256, part);
            }

            var isWhole = isSame && current!.Problem is null && parts.All(disk.HasPart) && WantedTable.Links(table.Name, parts).All(link => disk.HasLink(link.Path, link.Part.SizeBytes));
            (isWhole ? same : changed).Add(table);
        }

        var names = wanted.Select(table => table.Name).ToHashSet(StringComparer.Ordinal);
        var orphans = state.Tables.Keys.Where(name => !names.Contains(name) && !kept.Contains(name)).Order(StringComparer.Ordinal).ToList();
        return new PullPlan(changed, same, [.. missing.Values], whole, orphans);
    }
}
