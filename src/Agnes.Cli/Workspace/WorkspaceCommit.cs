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
        var isSame = offer.ETag == state.ETag && retired.Count == state.Retired.Count && state.LastSync is not null && tables.All(table => IsSameEntry(state.Tables[table.Key], table.Value));
        if (isSame)
        {
            // The time of the last look is the state file's own.
            File.SetLastWriteTimeUtc(layout.State, now.UtcDateTime);
            return;
        }

        await SaveAsync(state with { ETag = offer.ETag, LastSync = Stamp(now), Tables = tables, Retired = retired }, cancellation);
        if (retired.Count != state.Retired.Count) PartSweep.Run(layout, tables.Values, retired, []);
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
            var parts = table.Parts ?? (outcome.WholeFile(table.Name) is { } whole ? [whole] : null);
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

        if (!IsComplete || updated.Count > 0 || removed.Count > 0) await ExchangeAsync(tables, updated, disk, errors, warnings, cancellation);
        RemoveLinks(OldTables().Where(table => !tables.ContainsKey(table.Key)).SelectMany(table => WantedTable.Links(table.Key, table.Value.Parts)).Select(link => link.Path), tables);
        var next = new ServerState(isFull && errors.Count == 0 ? offer.ETag : null, Stamp(host.Clock.GetUtcNow()), false, layout.Root, tables, Retire(tables));
        await SaveAsync(next, cancellation);
        PartSweep.Run(layout, tables.Values, next.Retired, plan.MissingParts.Select(part => part.Sha256));
        return new CommitResult([.. updated.Order(StringComparer.Ordinal).Where(name => !errors.Exists(error => error.Table == name))], removed);
    }

    private async Task ExchangeAsync(Dictionary<string, TableState> tables, List<string> updated, DiskListing disk, List<PullError> errors, List<string> warnings, CancellationToken cancellation)
    {
        var isFirst = all.Servers.Count == 0 && tables.Count == 0;
        if (!isFirst) await SaveAsync(state with { IsCommitting = true, ETag = null }, cancellation, keepOthers: true);
        foreach (var name in IsComplete ? updated : [.. tables.Keys]) PlaceLinks(name, tables[name].Parts, disk, errors);
        var views = tables.Select(table => (table.Key, (IReadOnlyList<string>)[.. table.Value.Parts.Select(part => layout.PartPath(part.Sha256))])).ToList();
        var built = await new LocalDatabase(layout, host.Clock).RebuildAsync(views, [.. OldTables().Select(table => table.Key)], cancellation);
        foreach (var (table, error) in built.Refused)
        {
            errors.Add(new PullError(table, null, $"DuckDB cannot read it: {error}"));
            tables[table] = tables[table] with { Problem = error };
        }

        warnings.AddRange(built.Warnings);
    }

    private void PlaceLinks(string name, IReadOnlyList<TablePart> parts, DiskListing disk, List<PullError> errors)
    {
        try
        {
            var links = WantedTable.Links(name, parts).ToList();
            var isTrusted = !state.IsCommitting && state.Tables.TryGetValue(name, out var old) && old.Parts.SequenceEqual(parts);
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
