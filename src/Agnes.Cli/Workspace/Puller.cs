using System.Collections.Concurrent;
using Agnes.Cli.Api;
using Agnes.Cli.Output;
using Agnes.Cli.Settings;
using Agnes.Cli.Workspace.Downloads;
using Agnes.Protocol;

namespace Agnes.Cli.Workspace;

/// <summary>
/// Makes the workspace what the server's manifest says. Parts come first, under names that nothing refers to; then, in one go, links, database and
/// state are exchanged. Killed at any moment, the next run finds old or new, and what had already come.
/// </summary>
internal sealed class Puller(Host host, ApiClient api, Layout layout, PullOptions options, IPullProgress progress)
{
    private const int RoundsMax = 2;
    private const long FreeBytesMin = 64L << 20;
    private const string ListGone = "the server no longer has its list of parts";

    private readonly ManifestClient _manifests = new(api, options.FirstAnswer);
    private readonly List<string> _warnings = [];
    private long _bytesReceived;
    private int _partsReceived;

    public Task<PullReport> RunAsync(CancellationToken cancellation) => TimedAsync(options.DryRun ? PlanOnlyAsync : LockedAsync, cancellation);

    /// <summary>Back to the tables as they were before the last pull that changed something. No network.</summary>
    public Task<PullReport> RollBackAsync(CancellationToken cancellation) => TimedAsync(BackAsync, cancellation);

    private async Task<PullReport> TimedAsync(Func<CancellationToken, Task<PullReport>> work, CancellationToken cancellation)
    {
        var started = host.Clock.GetTimestamp();
        var report = await work(cancellation);
        return report with { Duration = host.Clock.GetElapsedTime(started), Warnings = _warnings, BytesReceived = _bytesReceived, PartsReceived = _partsReceived };
    }

    private async Task<PullReport> LockedAsync(CancellationToken cancellation)
    {
        using var taken = await PullLock.TakeAsync(layout, WhenBusy, host.Clock, cancellation);
        if (taken is null) return new PullReport { IsSkippedLocked = true };
        AtomicFile.RemoveLeftovers(layout.Claude);
        var (all, state) = await LoadStateAsync(cancellation);
        var commit = new WorkspaceCommit(host, layout, api.Server, all, state);

        Offer? previous = null;
        for (var round = 1; ; round++)
        {
            var offer = await ReadOfferAsync(state, useTag: round == 1, cancellation);
            var disk = DiskListing.Read(layout);
            var plan = PullPlan.Make(offer.Wanted, offer.Kept, state, disk);
            if (plan.IsNothing && offer.Errors.Count == 0 && commit.IsComplete && !commit.ChangesSnapshots(offer)) return await NothingToDoAsync(commit, offer, plan, cancellation);

            var outcome = await DownloadAsync(offer, plan, previous, cancellation);
            if (outcome.MustAskAgain && round < RoundsMax)
            {
                // The server no longer offers what its manifest named: ask once more, and take all tables from that one answer.
                previous = offer with { Failures = outcome.Failures };
                continue;
            }

            return await FinishAsync(commit, offer, plan, outcome, cancellation);
        }
    }

    private async Task<PullReport> BackAsync(CancellationToken cancellation)
    {
        using var taken = await PullLock.TakeAsync(layout, WhenBusy, host.Clock, cancellation);
        if (taken is null) return new PullReport { IsSkippedLocked = true };
        var (all, state) = await LoadStateAsync(cancellation);
        var errors = new List<PullError>();
        var result = await new WorkspaceCommit(host, layout, api.Server, all, state).RollBackAsync(errors, _warnings, cancellation);
        return new PullReport { ParquetsTotal = state.Tables.Count, RemoteTables = state.Elsewhere?.Count(table => table.IsRemote) ?? 0, Updated = result.Updated, Errors = errors, IsHeld = true };
    }

    private bool WhenBusy()
    {
        if (options.IsQuiet) return false;
        host.Error.WriteLine("Another pull is at work in this workspace; waiting for it.");
        return true;
    }

    private async Task<(PullState All, ServerState Mine)> LoadStateAsync(CancellationToken cancellation)
    {
        var (all, warning) = await PullState.LoadAsync(layout, cancellation);
        if (warning is not null) _warnings.Add(warning);
        return (all, all.Servers.GetValueOrDefault(api.Server.Url) ?? ServerState.Empty(layout.Root));
    }

    private async Task<PullReport> PlanOnlyAsync(CancellationToken cancellation)
    {
        var (_, state) = await LoadStateAsync(cancellation);
        var offer = await ReadOfferAsync(state, useTag: false, cancellation);
        var plan = PullPlan.Make(offer.Wanted, offer.Kept, state, DiskListing.Read(layout));
        return new PullReport
        {
            IsDryRun = true,
            ParquetsTotal = offer.Wanted.Count,
            RemoteTables = offer.RemoteTables,
            Updated = [.. plan.Changed.Select(table => table.Name)],
            Removed = options.Prune ? plan.Orphans : [],
            Errors = offer.Errors,
            PartsPlanned = plan.MissingParts.Count + plan.WholeFiles.Count,
            BytesPlanned = plan.MissingParts.Sum(part => part.SizeBytes) + plan.WholeFiles.Sum(table => table.Entry.SizeBytes),
        };
    }

    /// <summary>The manifest with everything resolved that the plan needs.</summary>
    private async Task<Offer> ReadOfferAsync(ServerState state, bool useTag, CancellationToken cancellation)
    {
        var tag = useTag && !options.SkipMaterialized ? state.ETag : null;
        var (manifest, newTag) = await _manifests.GetAsync(tag, cancellation);
        if (manifest is null) return Offer.Unchanged(state);

        var offer = new Offer(options.SkipMaterialized ? null : newTag);
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, entry) in manifest.Tables)
        {
            if (WantedTable.Objection(name, entry) is { } objection) offer.Errors.Add(new PullError(DisplayText.OneLine(name), null, objection));
            else if (entry.QueryMode == "remote") offer.Elsewhere.Add(new ElsewhereTable(name, entry.Id, IsRemote: true));
            else if (options.SkipMaterialized && entry.QueryMode == "materialized") offer.Kept.Add(name);
            else if (!seen.Add(name)) offer.Errors.Add(new PullError(name, null, "another table's name differs only in upper and lower case"));
            else offer.Wanted.Add(Known(name, entry, state));
        }

        if (state.HeldSince is not null && options.IsQuiet) return Held(offer, state);
        await FetchListsAsync(offer, cancellation);
        return offer;
    }

    /// <summary>After a rollback: what was taken from the user goes, and nothing newer comes.</summary>
    private static Offer Held(Offer offer, ServerState state) => offer with
    {
        ETag = null,
        IsHeld = true,
        Wanted = [.. offer.Wanted.Where(table => state.Tables.ContainsKey(table.Name)).Select(table => Offer.AsIs(table.Name, state.Tables[table.Name]))],
        Elsewhere = [.. offer.Elsewhere, .. offer.Wanted.Where(table => !state.Tables.ContainsKey(table.Name)).Select(table => new ElsewhereTable(table.Name, table.Entry.Id, IsRemote: false))],
    };

    /// <summary>The table with its parts, where the entry or the state tells them.</summary>
    private static WantedTable Known(string name, ManifestTable entry, ServerState state)
    {
        if (entry.Sha256 is not null) return new WantedTable(name, entry, [new TablePart(name + ".parquet", entry.Sha256, entry.SizeBytes, entry.Rows)]);
        var known = entry.PartsDigest is not null && state.Tables.GetValueOrDefault(name) is { } current && current.PartsDigest == entry.PartsDigest && PartsList.Digest(current.Parts) == entry.PartsDigest;
        return new WantedTable(name, entry, known ? state.Tables[name].Parts : null);
    }

    /// <summary>Asks for the lists of tables in several parts that changed; a table whose list cannot be had stays as it is here.</summary>
    private async Task FetchListsAsync(Offer offer, CancellationToken cancellation)
    {
        var indexes = Enumerable.Range(0, offer.Wanted.Count).Where(index => offer.Wanted[index] is { Parts: null, Entry.PartsDigest: not null }).ToList();
        var objections = new ConcurrentDictionary<int, string>();
        await Parallel.ForEachAsync(indexes, new ParallelOptions { MaxDegreeOfParallelism = EnvironmentNumbers.PullParallelism, CancellationToken = cancellation }, async (index, stop) =>
        {
            var table = offer.Wanted[index];
            var list = await _manifests.GetPartsAsync(table.Key, table.Entry.PartsDigest!, stop);
            var objection = list is null ? ListGone
                : WantedTable.Objection(list.Parts) ?? (PartsList.Digest(list.Parts) == table.Entry.PartsDigest ? null : "its list of parts does not match the manifest");
            if (objection is null) offer.Wanted[index] = table with { Parts = list!.Parts };
            else objections[index] = objection;
        });
        foreach (var (index, objection) in objections.OrderByDescending(objection => objection.Key))
        {
            var name = offer.Wanted[index].Name;
            offer.Errors.Add(new PullError(name, null, objection));
            offer.MustAskAgain |= objection == ListGone;
            offer.Kept.Add(name);
            offer.Wanted.RemoveAt(index);
        }
    }

    private async Task<DownloadOutcome> DownloadAsync(Offer offer, PullPlan plan, Offer? previous, CancellationToken cancellation)
    {
        var outcome = new DownloadOutcome { MustAskAgain = offer.MustAskAgain };
        var jobs = Jobs(plan, previous, outcome);
        CheckSpace(jobs);
        var parallelism = Math.Min(EnvironmentNumbers.PullParallelism, Math.Max(1, jobs.Count));
        // Ranges help one big file; where files are many, the files themselves run side by side.
        var streams = jobs.Count >= EnvironmentNumbers.PullParallelism ? 1 : EnvironmentNumbers.ChunkParallelism;
        if (jobs.Count == 0) return outcome;

        using var client = HttpTransport.Create(decompress: false);
        var downloader = new PartDownloader(host, client, api.Server, api.Token, layout);
        await using var shown = await progress.BeginAsync(jobs.Count, jobs.Sum(job => job.Item.SizeBytes ?? job.Table.Entry.SizeBytes));
        var atOnce = new ParallelOptions { MaxDegreeOfParallelism = parallelism, CancellationToken = cancellation };
        await Parallel.ForEachAsync(jobs, atOnce, async (job, stop) =>
        {
            var file = shown.Start(job.Item.Label, job.Item.SizeBytes ?? job.Table.Entry.SizeBytes);
            try
            {
                if (await AdoptExisting.TryAsync(layout, job.Table, job.Item, stop) is { } adopted)
                {
                    outcome.Done(job.Table, job.Item, adopted);
                    file.Finish();
                    return;
                }

                var fetched = await downloader.FetchAsync(job.Item, streams, file.Add, stop);
                Interlocked.Add(ref _bytesReceived, fetched.BytesReceived);
                Interlocked.Increment(ref _partsReceived);
                outcome.Done(job.Table, job.Item, fetched);
                file.Finish();
            }
            catch (FetchException failure)
            {
                outcome.Failed(job.Table, job.Item, failure);
                file.Fail();
            }
            catch (IOException failure)
            {
                outcome.Failed(job.Table, job.Item, new FetchException($"cannot be written: {failure.Message}"));
                file.Fail();
            }
        });
        return outcome;
    }

    /// <summary>A file that already failed as gone is not asked for again when the second manifest still names the very same one.</summary>
    private static List<(WantedTable Table, FetchItem Item)> Jobs(PullPlan plan, Offer? previous, DownloadOutcome outcome)
    {
        var tableOf = plan.Changed.Where(table => table.Parts is not null)
            .SelectMany(table => table.Parts!.Select(part => (part.Sha256, table)))
            .GroupBy(pair => pair.Sha256, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First().table, StringComparer.Ordinal);
        var jobs = plan.MissingParts.Select(part => (Table: tableOf[part.Sha256], Item: FetchItem.ForPart(tableOf[part.Sha256], part)))
            .Concat(plan.WholeFiles.Select(table => (Table: table, Item: FetchItem.ForWholeFile(table)))).ToList();
        if (previous is null) return jobs;
        foreach (var (table, item) in jobs.Where(job => previous.Failures.ContainsKey(job.Item.PartialName)).ToList())
        {
            outcome.Failed(table, item, previous.Failures[item.PartialName]);
            jobs.Remove((table, item));
        }

        return jobs;
    }

    private void CheckSpace(List<(WantedTable Table, FetchItem Item)> jobs)
    {
        var needed = jobs.Sum(job => job.Item.SizeBytes ?? job.Table.Entry.SizeBytes);
        if (needed == 0) return;
        Directory.CreateDirectory(layout.Incoming);
        var free = new DriveInfo(layout.Incoming).AvailableFreeSpace;
        if (needed + FreeBytesMin <= free) return;
        throw new CliException($"{Columns.Bytes(needed)} are to be downloaded and {Columns.Bytes(FreeBytesMin)} must stay free; {layout.Root} has {Columns.Bytes(free)}.")
        {
            Hint = "Make room and run 'agnes pull' again; nothing was changed.",
        };
    }

    private async Task<PullReport> NothingToDoAsync(WorkspaceCommit commit, Offer offer, PullPlan plan, CancellationToken cancellation)
    {
        await commit.RefreshAsync(offer, plan, cancellation);
        return new PullReport { ParquetsTotal = offer.Wanted.Count, RemoteTables = offer.RemoteTables, IsHeld = offer.IsHeld };
    }

    private async Task<PullReport> FinishAsync(WorkspaceCommit commit, Offer offer, PullPlan plan, DownloadOutcome outcome, CancellationToken cancellation)
    {
        var errors = offer.Errors.Concat(outcome.Errors).ToList();
        var result = await commit.RunAsync(offer, plan, outcome, options.Prune, errors, _warnings, cancellation);
        return new PullReport
        {
            ParquetsTotal = offer.Wanted.Count,
            RemoteTables = offer.RemoteTables,
            Updated = result.Updated,
            Removed = result.Removed,
            Errors = errors,
            IsHeld = offer.IsHeld,
        };
    }
}

/// <summary>What a manifest offers this workspace.</summary>
internal sealed record Offer(string? ETag)
{
    public List<WantedTable> Wanted { get; init; } = [];

    /// <summary>Listed but not looked at now: what the workspace has of them stays.</summary>
    public HashSet<string> Kept { get; init; } = new(StringComparer.Ordinal);

    public List<PullError> Errors { get; init; } = [];

    /// <summary>The user's tables that this pull does not bring.</summary>
    public List<ElsewhereTable> Elsewhere { get; init; } = [];

    public int RemoteTables => Elsewhere.Count(table => table.IsRemote);

    public bool IsHeld { get; init; }

    public bool MustAskAgain { get; set; }

    /// <summary>Files that could not be had in the round before.</summary>
    public IReadOnlyDictionary<string, FetchException> Failures { get; init; } = new Dictionary<string, FetchException>(StringComparer.Ordinal);

    /// <summary>The manifest is the one that the state was made from, so the state says it all.</summary>
    public static Offer Unchanged(ServerState state) => new(state.ETag)
    {
        Wanted = [.. state.Tables.Select(table => AsIs(table.Key, table.Value))],
        Elsewhere = [.. state.Elsewhere ?? []],
    };

    public static WantedTable AsIs(string name, TableState table) => new(name, Entry(table), table.Parts);

    private static ManifestTable Entry(TableState table) =>
        new(table.Hash, table.Updated, table.SizeBytes, table.Rows, table.QueryMode, "", table.Id, table.Version, PartsDigest: table.PartsDigest);
}

/// <summary>Which files came and which did not.</summary>
internal sealed class DownloadOutcome
{
    private readonly ConcurrentDictionary<string, FetchException> _failures = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, PullError> _errors = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TablePart> _wholeFiles = new(StringComparer.Ordinal);

    public bool MustAskAgain { get; set; }

    public IReadOnlyDictionary<string, FetchException> Failures => _failures;

    public IEnumerable<PullError> Errors => _errors.OrderBy(error => error.Key, StringComparer.Ordinal).Select(error => error.Value);

    /// <summary>The one part of a table that came as a whole file.</summary>
    public TablePart? WholeFile(string table) => _wholeFiles.GetValueOrDefault(table);

    public void Done(WantedTable table, FetchItem item, Fetched fetched)
    {
        if (item.Sha256 is null) _wholeFiles[table.Name] = new TablePart(table.Name + ".parquet", fetched.Sha256, fetched.SizeBytes, table.Entry.Rows);
    }

    public void Failed(WantedTable table, FetchItem item, FetchException failure)
    {
        if (failure.IsGone) _failures[item.PartialName] = failure;
        MustAskAgain |= failure.IsGone;
        _errors[item.Label] = new PullError(table.Name, null, item.Label == table.Name ? failure.Message : $"{item.Label}: {failure.Message}");
    }
}
