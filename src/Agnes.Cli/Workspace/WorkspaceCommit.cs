using Agnes.Cli.Settings;
using Agnes.Protocol;

namespace Agnes.Cli.Workspace;

/// <summary>The step from the old tables to the new ones: links, database, state, and then what is no longer needed.</summary>
internal sealed class WorkspaceCommit(Host host, Layout layout, ServerAddress server, PullState all, ServerState state)
{
    /// <summary>A query that began before a pull reads the parts it began with; it has this long.</summary>
    private static readonly TimeSpan RetiredKept = TimeSpan.FromMinutes(10);

    /// <summary>Whether what the state says was also carried out, here, and nothing of another server is left.</summary>
    public bool IsComplete { get; } =
        !state.IsCommitting && state.Root == layout.Root && all.Servers.Count <= 1 && (all.Servers.Count == 0 || all.Servers.ContainsKey(server.Url)) && File.Exists(layout.Database);

    /// <summary>Nothing changed: at most a newer tag or description to note, and old versions to let go.</summary>
    public async Task RefreshAsync(Offer offer, PullPlan plan, CancellationToken cancellation)
    {
        var tables = plan.Same.ToDictionary(table => table.Name, table => table.With(state.Tables[table.Name].Parts), StringComparer.Ordinal);
        foreach (var name in offer.Kept)
        {
            if (state.Tables.TryGetValue(name, out var kept)) tables[name] = kept;
        }

        var now = host.Clock.GetUtcNow();
        var retired = state.Retired.Where(part => now - part.At < RetiredKept).ToList();
        var elsewhere = Elsewhere(offer, tables);
        var isSame = offer.ETag == state.ETag && (offer.IsHeld || state.HeldSince is null) && elsewhere.SequenceEqual(state.Elsewhere ?? []) && retired.Count == state.Retired.Count && state.LastSync is not null && tables.All(table => IsSameEntry(state.Tables[table.Key], table.Value));
        if (isSame)
        {
            // The time of the last look is the state file's own.
            using var file = WorkspaceFile.Open(layout, layout.State);
            File.SetLastWriteTimeUtc(file.SafeFileHandle, now.UtcDateTime);
            return;
        }

        var held = offer.IsHeld ? state.HeldSince : null;
        await SaveAsync(state with { ETag = offer.ETag, LastSync = Stamp(now), Tables = tables, Retired = retired, Elsewhere = elsewhere, HeldSince = held }, cancellation);
        if (retired.Count != state.Retired.Count) PartSweep.Run(layout, WithEarlier(tables, state.Earlier), retired, []);
    }

    /// <summary>
    /// Whether the views of snapshots have to be made anew although no pulled table changed: one stands on a table that is no longer the user's, or a
    /// snapshot command was killed.
    /// </summary>
    public bool ChangesSnapshots(Offer offer) =>
        SnapshotFiles.AreChanged(layout) || (Directory.Exists(layout.Snapshots) && (state.Elsewhere ?? []).Exists(table => !offer.Elsewhere.Contains(table) && offer.Wanted.TrueForAll(wanted => wanted.Name != table.Name)));

    /// <exception cref="CliException">There is no earlier version, or a file of it is gone.</exception>
    public async Task<CommitResult> RollBackAsync(List<PullError> errors, List<string> warnings, CancellationToken cancellation)
    {
        const string Hint = "A pull that changes tables keeps the version before it.";
        if (state.Earlier is not { Tables.Count: > 0 } earlier) throw new CliException("There is no earlier version in this workspace to go back to.") { Hint = Hint };
        var disk = DiskListing.Read(layout);
        if (earlier.Tables.FirstOrDefault(table => !table.Value.Parts.All(disk.HasPart)) is { Key: { } gone }) throw new CliException($"Files of the earlier version of '{gone}' are gone; nothing was changed.") { Hint = Hint };
        var tables = new Dictionary<string, TableState>(state.Tables, StringComparer.Ordinal);
        foreach (var (name, table) in earlier.Tables) tables[name] = table;
        List<string> updated = [.. earlier.Tables.Keys.Order(StringComparer.Ordinal)];
        await ExchangeAsync(tables, updated, Offered(tables, state.Elsewhere ?? []), disk, errors, warnings, cancellation);
        var now = Stamp(host.Clock.GetUtcNow());
        var later = new EarlierVersion(state.LastSync, updated.ToDictionary(name => name, name => state.Tables[name], StringComparer.Ordinal));
        var next = state with { ETag = null, IsCommitting = false, Root = layout.Root, LastSync = earlier.LastSync, Tables = tables, Earlier = later, HeldSince = now };
        await SaveAsync(next, cancellation);
        return new CommitResult(updated, []);
    }

    public async Task<CommitResult> RunAsync(
        Offer offer, PullPlan plan, DownloadOutcome outcome, bool prune, List<PullError> errors, List<string> warnings, CancellationToken cancellation)
    {
        var disk = DiskListing.Read(layout);
        var tables = new Dictionary<string, TableState>(StringComparer.Ordinal);
        var updated = new List<string>();
        foreach (var table in plan.Same) tables[table.Name] = table.With(state.Tables[table.Name].Parts);
        foreach (var table in plan.Changed)
        {
            // A server that names a file by its MD5 alone, and what is here of it is the same: only its link was lost.
            var known = state.Tables.GetValueOrDefault(table.Name) is { } before && table.IsSame(before) ? before.Parts : null;
            var parts = table.Parts ?? (outcome.WholeFile(table.Name) is { } whole ? [whole] : known);
            if (parts is not null && parts.All(disk.HasPart))
            {
                tables[table.Name] = table.With(parts);
                updated.Add(table.Name);
            }
            else
            {
                Keep(tables, table.Name, disk);
            }
        }

        foreach (var name in offer.Kept) Keep(tables, name, disk);
        if (!prune) plan.Orphans.ToList().ForEach(name => Keep(tables, name, disk));
        var isFull = prune || plan.Orphans.Count == 0;
        var removed = state.Tables.Keys.Where(name => !tables.ContainsKey(name)).Order(StringComparer.Ordinal).ToList();

        var elsewhere = Elsewhere(offer, tables);
        if (!IsComplete || updated.Count > 0 || removed.Count > 0 || ChangesSnapshots(offer)) await ExchangeAsync(tables, updated, Offered(tables, elsewhere), disk, errors, warnings, cancellation);
        RemoveLinks(OldTables().Where(table => !tables.ContainsKey(table.Key)).SelectMany(table => WantedTable.Links(table.Key, table.Value.Parts)).Select(link => link.Path), tables);
        var next = new ServerState(isFull && errors.Count == 0 ? offer.ETag : null, Stamp(host.Clock.GetUtcNow()), false, layout.Root, tables, Retire(tables), elsewhere, EarlierThan(tables), offer.IsHeld ? state.HeldSince : null);
        await SaveAsync(next, cancellation);
        PartSweep.Run(layout, WithEarlier(tables, next.Earlier), next.Retired, plan.MissingParts.Select(part => part.Sha256));
        return new CommitResult([.. updated.Order(StringComparer.Ordinal).Where(name => !errors.Exists(error => error.Table == name))], removed);
    }

    /// <summary>The replaced versions of the tables that changed now; where none did, what was kept before, without tables that are gone.</summary>
    private EarlierVersion? EarlierThan(Dictionary<string, TableState> tables)
    {
        var replaced = state.Tables.Where(old => tables.TryGetValue(old.Key, out var now) && !now.Parts.SequenceEqual(old.Value.Parts)).ToDictionary(StringComparer.Ordinal);
        if (replaced.Count > 0) return new EarlierVersion(state.LastSync, replaced);
        if (state.Earlier is not { } kept) return null;
        var left = kept.Tables.Where(table => tables.ContainsKey(table.Key)).ToDictionary(StringComparer.Ordinal);
        return left.Count == 0 ? null : kept with { Tables = left };
    }

    private static IEnumerable<TableState> WithEarlier(Dictionary<string, TableState> tables, EarlierVersion? earlier) => earlier is null ? tables.Values : tables.Values.Concat(earlier.Tables.Values);

    private static List<ElsewhereTable> Elsewhere(Offer offer, Dictionary<string, TableState> tables) =>
    [
        .. offer.Elsewhere,
        .. offer.Wanted.Where(table => !tables.ContainsKey(table.Name)).Select(table => new ElsewhereTable(table.Name, table.Entry.Id, IsRemote: false)),
        .. offer.Kept.Where(name => !tables.ContainsKey(name)).Select(name => new ElsewhereTable(name, null, IsRemote: false)),
    ];

    /// <summary>Names and ids of all that the user may read now.</summary>
    private static HashSet<string> Offered(Dictionary<string, TableState> tables, IReadOnlyList<ElsewhereTable> elsewhere) =>
        tables.SelectMany(table => (string?[])[table.Key, table.Value.Id]).Concat(elsewhere.SelectMany(table => (string?[])[table.Name, table.Id])).OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);

    private async Task ExchangeAsync(Dictionary<string, TableState> tables, List<string> updated, HashSet<string> offered, DiskListing disk, List<PullError> errors, List<string> warnings, CancellationToken cancellation)
    {
        var isFirst = all.Servers.Count == 0 && tables.Count == 0;
        if (!isFirst) await SaveAsync(state with { IsCommitting = true, ETag = null }, cancellation, keepOthers: true);
        foreach (var name in IsComplete ? updated : [.. tables.Keys]) PlaceLinks(name, tables[name].Parts, disk, errors);
        var built = await new LocalDatabase(layout, host.Clock).RebuildAsync(Views(layout, tables), [.. OldTables().Select(table => table.Key)], SnapshotFiles.Usable(layout, offered, warnings), cancellation);
        SnapshotFiles.ClearChanged(layout);
        foreach (var (table, error) in built.Refused)
        {
            errors.Add(new PullError(table, null, $"DuckDB cannot read it: {error}"));
            tables[table] = tables[table] with { Problem = error };
        }

        warnings.AddRange(built.Warnings);
    }

    public static IReadOnlyList<(string Name, IReadOnlyList<string> Paths)> Views(Layout layout, IEnumerable<KeyValuePair<string, TableState>> tables) =>
        [.. tables.Select(table => (table.Key, (IReadOnlyList<string>)[.. table.Value.Parts.Select(part => layout.PartPath(part.Sha256))]))];

    private void PlaceLinks(string name, IReadOnlyList<TablePart> parts, DiskListing disk, List<PullError> errors)
    {
        try
        {
            var links = WantedTable.Links(name, parts).ToList();
            var isTrusted = !state.IsCommitting && state.Tables.TryGetValue(name, out var old) && old.Parts.SequenceEqual(parts);
            WorkspaceFile.RequireOwn(layout, [.. links.Select(link => Path.GetDirectoryName(Path.Combine(layout.Parquet, link.Path))!).Distinct(StringComparer.Ordinal)]);
            foreach (var (path, part) in links)
            {
                if (!isTrusted || !disk.HasLink(path, part.SizeBytes)) HardLink.Place(layout.PartPath(part.Sha256), Path.Combine(layout.Parquet, path));
            }

            if (!state.Tables.TryGetValue(name, out var before)) return;
            var wanted = links.Select(link => link.Path).ToHashSet(StringComparer.OrdinalIgnoreCase);
            RemoveLinks(WantedTable.Links(name, before.Parts).Select(link => link.Path).Where(path => !wanted.Contains(path)), null);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            errors.Add(new PullError(name, null, $"its file under server/parquet cannot be replaced: {problem.Message}"));
        }
    }

    private void RemoveLinks(IEnumerable<string> paths, Dictionary<string, TableState>? standing)
    {
        var still = standing?.SelectMany(table => WantedTable.Links(table.Key, table.Value.Parts)).Select(link => link.Path).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var path in paths)
        {
            if (still?.Contains(path) == true) continue;
            var full = Path.Combine(layout.Parquet, path);
            if (new DirectoryInfo(Path.GetDirectoryName(full)!).LinkTarget is not null) continue;
            if (File.Exists(full)) File.Delete(full);
            var folder = Path.GetDirectoryName(full)!;
            if (folder != layout.Parquet && Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
        }
    }

    private void Keep(Dictionary<string, TableState> tables, string name, DiskListing disk)
    {
        if (state.Tables.TryGetValue(name, out var old) && old.Parts.All(disk.HasPart)) tables[name] = old;
    }

    /// <summary>Parts of replaced versions stay a while; those of tables that are gone go at once.</summary>
    private List<RetiredPart> Retire(Dictionary<string, TableState> tables)
    {
        var now = host.Clock.GetUtcNow();
        var current = tables.Values.SelectMany(table => table.Parts).Select(part => part.Sha256).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. state.Retired.Where(part => now - part.At < RetiredKept)
                .Concat(state.Tables.SelectMany(table => table.Value.Parts.Select(part => new RetiredPart(table.Key, part.Sha256, now))))
                .Where(part => tables.ContainsKey(part.Table) && !current.Contains(part.Sha256)).DistinctBy(part => part.Sha256),
        ];
    }

    private IEnumerable<KeyValuePair<string, TableState>> OldTables() => all.Servers.Values.SelectMany(known => known.Tables);

    private Task SaveAsync(ServerState mine, CancellationToken cancellation, bool keepOthers = false)
    {
        var servers = keepOthers ? new Dictionary<string, ServerState>(all.Servers, StringComparer.Ordinal) : new Dictionary<string, ServerState>(StringComparer.Ordinal);
        servers[server.Url] = mine;
        return new PullState(PullState.CurrentFormat, servers).SaveAsync(layout, cancellation);
    }

    private static bool IsSameEntry(TableState left, TableState right) => left with { Parts = right.Parts } == right;

    private static string Stamp(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
}

internal sealed record CommitResult(IReadOnlyList<string> Updated, IReadOnlyList<string> Removed);
