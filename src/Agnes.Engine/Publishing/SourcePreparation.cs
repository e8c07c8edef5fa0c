using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Publishing;

/// <summary>In the worker: reads one source, takes its tables into the store, and says what to publish.</summary>
internal sealed class SourcePreparation(DataFolder folder, PartStore store, string source, string runId, Share share, string tempFolder, IReadOnlyList<PublishedTable> known, TimeProvider time)
{
    private const string Moving = "its files are changing; it will be read again at the next sync";
    private readonly Dictionary<string, PublishedTable> _known = known.DistinctBy(table => table.Name, StringComparer.OrdinalIgnoreCase).ToDictionary(table => table.Name, StringComparer.OrdinalIgnoreCase);
    private readonly List<TablePublication> _tables = [];
    private readonly List<SkippedTable> _skipped = [];
    private readonly string _root = folder.Source(source);

    /// <summary>For the watch that ends this worker when its parent is gone.</summary>
    public AdoptionMarker Marker { get; } = new(folder, source);

    public async Task<Publication> RunAsync(CancellationToken cancellation)
    {
        var file = folder.ExtractFile(source);
        if (!Directory.Exists(_root)) return new Publication(source, [], [.. _known.Keys], []);
        if (FileStamp.TryOf(file) is not { } stamp) return Publication.Failed(source, "there is no extract.duckdb in its folder");
        try
        {
            var ours = ExtractLedger.Contains(folder, source, stamp);
            var tree = ours ? null : SourceTree.Scan(_root);
            if (!Marker.Begin(tree?.Digest ?? stamp.ToString()))
                return Publication.Failed(source, "the process that read it crashed, so it is left alone until one of its files changes. Look at its extract.duckdb and Parquet files, and write them anew");
            var publication = await ReadAsync(file, tree, cancellation);
            Marker.End();
            return FileStamp.TryOf(file) == stamp ? publication : Publication.Failed(source, Moving);
        }
        catch (Exception e) when (e is DuckDBException or InvalidDataException or UnauthorizedAccessException or IOException)
        {
            if (cancellation.IsCancellationRequested) throw;
            Marker.End();
            var moving = e is DuckDBException or IOException && (FileStamp.TryOf(file) != stamp || e.Message.Contains("Could not set lock", StringComparison.Ordinal));
            return Publication.Failed(source, moving ? Moving : $"its extract.duckdb cannot be read: {Wording.Of(e, _root)}");
        }
    }

    private async Task<Publication> ReadAsync(string file, SourceTree? tree, CancellationToken cancellation)
    {
        using var staging = store.Stage(runId);
        await using var connection = WorkerDatabase.Open(share, tempFolder, [_root, staging.Folder]);
        await using var kept = new KeptColumns(store, staging, share, tempFolder, folder.Parts);
        await ExtractReader.AttachAsync(connection, file, cancellation);
        var rows = await NamesAsync(connection, cancellation);
        if (tree is null)
        {
            var own = await ExtractReader.TablesAsync(connection, cancellation);
            foreach (var row in rows) await AddOwnAsync(kept, own[row.Name], cancellation);
        }
        else
        {
            var adoption = new ForeignAdoption(store, staging, connection, share, tempFolder, _root, tree, time);
            var objects = await ExtractReader.ObjectsAsync(connection, cancellation);
            foreach (var row in rows) await AddForeignAsync(adoption, kept, objects, row, cancellation);
        }
        var present = rows.Select(row => row.Name).Concat(_skipped.Select(skipped => skipped.Name)).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return new Publication(source, _tables, [.. _known.Keys.Where(name => !present.Contains(name))], _skipped);
    }

    /// <summary>The rows of <c>_meta</c> whose names can be published; the others are skipped with the reason.</summary>
    private async Task<List<MetaRow>> NamesAsync(DuckDBConnection connection, CancellationToken cancellation)
    {
        var seen = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var rows = new List<MetaRow>();
        foreach (var row in await ExtractReader.MetaAsync(connection, cancellation))
        {
            if (!Identifiers.IsStrict(row.Name)) _skipped.Add(new SkippedTable(row.Name, "its name must be letters, digits and underscores, at most 64, not starting with a digit"));
            else if (seen.TryGetValue(row.Name, out var other))
            {
                if (other != row.Name) _skipped.Add(new SkippedTable(row.Name, $"its name differs from {other} in case only"));
            }
            else
            {
                seen.Add(row.Name, row.Name);
                rows.Add(row);
            }
        }
        return rows;
    }

    /// <summary>A table that our own writer put there: hashed, counted and made durable when it was written.</summary>
    private async Task AddOwnAsync(KeptColumns kept, ExtractTable table, CancellationToken cancellation)
    {
        var stamps = new List<FileStamp>(table.Parts.Count);
        foreach (var part in table.Parts)
        {
            var stamp = FileStamp.TryOf(store.PathOf(part.Part.Sha256));
            if (stamp is not { } now || now.Size != part.Part.SizeBytes || now.ModifiedNs != part.ModifiedNs)
                stamp = store.TryProve(part.Part.Sha256, part.Part.SizeBytes); // as on the disk to which all this was moved
            if (stamp is null)
            {
                _skipped.Add(new SkippedTable(table.Name, $"its part {part.Part.Name} is missing from the store or was changed by another program; run its sync again"));
                return;
            }
            stamps.Add(stamp.Value);
        }
        var before = _known.GetValueOrDefault(table.Name);
        IReadOnlyList<TablePart> parts = [.. table.Parts.Select(part => part.Part)];
        try
        {
            var shown = await kept.ApplyAsync(before, new KeptTable(table.Columns, parts, stamps, parts.Count == 1 ? table.Parts[0].Md5 : null, null), cancellation);
            Add(before, new MetaRow(table.Name, table.Description, null, table.QueryMode), table.ExtractedAt, shown);
        }
        catch (SchemaContractException refused)
        {
            _skipped.Add(new SkippedTable(table.Name, refused.Message) { Drift = refused.Drift });
        }
        catch (Exception e) when (e is DuckDBException or InvalidDataException or IOException && !cancellation.IsCancellationRequested)
        {
            _skipped.Add(new SkippedTable(table.Name, Wording.Of(e, _root)));
        }
    }

    private void Add(PublishedTable? before, MetaRow row, DateTime extractedAt, KeptTable shown)
    {
        var changed = before is null || before.Origin != shown.Origin || !IsSame(before, row.Description, row.QueryMode, extractedAt, shown.Parts, shown.Stamps);
        _tables.Add(new TablePublication(row.Name, row.Description, row.QueryMode, extractedAt, shown.Columns, shown.Parts.Sum(part => part.Rows),
            shown.Parts.Sum(part => part.SizeBytes), shown.Parts, shown.Stamps, shown.Md5, shown.Origin, changed)
        { LeftOut = shown.LeftOut });
    }

    private async Task AddForeignAsync(
        ForeignAdoption adoption, KeptColumns kept, IReadOnlyDictionary<string, ExtractObject> objects, MetaRow row, CancellationToken cancellation)
    {
        if (!objects.TryGetValue(row.Name, out var found))
        {
            _skipped.Add(new SkippedTable(row.Name, "it is listed in _meta, but the extract has no table or view of that name"));
            return;
        }
        _known.TryGetValue(row.Name, out var before);
        try
        {
            var extractedAt = row.ExtractedAt ?? time.GetUtcNow().UtcDateTime;
            if (row.QueryMode == "remote")
            {
                _tables.Add(new TablePublication(row.Name, row.Description, "remote", extractedAt, before?.Columns ?? [], 0, 0, [], [], null, null,
                    before is null || !IsSame(before, row.Description, "remote", extractedAt, [], [])));
                return;
            }
            var adopted = await adoption.AdoptAsync(row, found, AsAdopted(before), cancellation);
            extractedAt = row.ExtractedAt ?? (adopted.Reused && before is not null ? before.ExtractedAt : extractedAt);
            var mode = row.QueryMode == "materialized" ? "materialized" : "local";
            var whole = new KeptTable(adopted.Columns, adopted.Parts, adopted.Stamps, adopted.Parts.Count == 1 ? adopted.Md5 : null, adopted.Origin);
            var shown = adopted.Reused ? whole with { Origin = before!.Origin } : await kept.ApplyAsync(before, whole, cancellation);
            Add(before, row with { QueryMode = mode }, extractedAt, shown);
        }
        catch (SchemaContractException refused)
        {
            _skipped.Add(new SkippedTable(row.Name, refused.Message) { Drift = refused.Drift });
        }
        catch (MovingFileException)
        {
            _skipped.Add(new SkippedTable(row.Name, Moving));
        }
        catch (Exception e) when (e is DuckDBException or InvalidDataException or UnauthorizedAccessException && !cancellation.IsCancellationRequested)
        {
            _skipped.Add(new SkippedTable(row.Name, Wording.Of(e, _root)));
        }
    }

    /// <summary>As adoption knows it: what was left out of it last time is left out again without a look, unless that is not wanted any more.</summary>
    private static PublishedTable? AsAdopted(PublishedTable? before) => before is null || !LeftOutOrigin.Is(before.Origin) ? before
        : before with { Origin = before.Contract == SchemaContract.Discard ? LeftOutOrigin.InnerOf(before.Origin) : null };

    private static bool IsSame(PublishedTable before, string? description, string mode, DateTime extractedAt, IReadOnlyList<TablePart> parts, IReadOnlyList<FileStamp> stamps) =>
        before.Description == description && before.QueryMode == mode && before.ExtractedAt == extractedAt && before.Parts.SequenceEqual(parts) && before.Stamps.SequenceEqual(stamps);
}

/// <summary>A file was written or replaced while it was read.</summary>
internal sealed class MovingFileException : Exception;
