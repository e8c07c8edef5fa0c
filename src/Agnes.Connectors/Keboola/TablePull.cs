using System.Globalization;
using System.Net;
using System.Text.Json;
using Agnes.Connectors.Files;
using Agnes.Engine.Extracts;
using Agnes.Protocol;

namespace Agnes.Connectors.Keboola;

/// <summary>One table of one run. What is asked of Keboola goes on beside other tables; the engine is one table's at a time.</summary>
internal sealed class TablePull(
    StorageClient storage, FileDownload download, KeboolaSettings settings, TableConfig table, ExtractWriter writer,
    IProgress<ExtractEvent> progress, SemaphoreSlim engine)
{
    private static readonly TimeSpan SaidEvery = TimeSpan.FromSeconds(1);
    private const int WindowsMax = 120;
    private const int EmptyWindowsMax = 2;
    private const long DaySeconds = 86_400;

    /// <summary>What is imported while it is exported bears an earlier time than it appears at.</summary>
    private const long OverlapSecondsMin = 600;

    /// <summary>Files of exports are kept for some days; what is older would be old rows.</summary>
    private const long CheckpointSecondsMax = DaySeconds;

    private PullShape _shape = null!;
    private Exports _exports = null!;
    private long _asOf;
    private long _saidAt;

    public async Task RunAsync(CancellationToken cancellation)
    {
        if (!Identifiers.IsStrict(table.Name)) throw new TableException($"'{table.Name}' cannot be the name of a table.");
        progress.Report(new ExtractEvent("table_started", table.Name));
        await BeginAsync(cancellation);
        writer.Previous.TryGetValue(table.Name, out var previous);
        var cursor = previous is null ? null : PullCursor.Read(previous.Cursor);
        var isFirst = !_shape.GoesOn(previous, cursor);
        var how = _shape.Settings;
        var put = how.IsWhole || _shape.Keys.Count == 0 ? await WholeAsync(cancellation)
            : !isFirst ? await ChangesAsync(previous!, cursor!, cancellation)
            : how.IsPartitioned ? await WindowsAsync(cancellation)
            : await WholeAsync(cancellation);
        await InEngineAsync(
            () =>
            {
                if (writer.Wrote(table.Name))
                    throw new TableException($"Another table of this run is called '{table.Name}' (case does not count).");
                writer.Put(put);
                return Task.CompletedTask;
            }, cancellation);
        progress.Report(new ExtractEvent("table_done", table.Name, put.Rows, put.Bytes));
    }

    /// <summary>Looks at the table there, and at what an earlier run may have left.</summary>
    private async Task BeginAsync(CancellationToken cancellation)
    {
        var today = DateOnly.FromDateTime(writer.Time.GetUtcNow().UtcDateTime);
        var saved = PullCheckpoint.Read(writer.Checkpoints.GetValueOrDefault(table.Name));
        var detail = await storage.TableAsync(TableSettings.Of(table, today).SourceId, cancellation);
        var now = (storage.ServiceTime ?? writer.Time.GetUtcNow()).ToUnixTimeSeconds();
        if (saved is not null && now - saved.AsOf < CheckpointSecondsMax)
        {
            // Dates in filters are those of the run that is gone on with.
            _shape = PullShape.Of(TableSettings.Of(table, DateOf(saved.AsOf)), detail);
            if (_shape.Hash == saved.Shape)
            {
                (_asOf, _exports) = (saved.AsOf, ExportsOf(saved));
                return;
            }
        }

        _shape = PullShape.Of(TableSettings.Of(table, DateOf(now)), detail);
        (_asOf, _exports) = (now, ExportsOf(new PullCheckpoint(now, _shape.Hash, PullCheckpoint.NewRun(), [])));
        if (_shape is { Keys.Count: 0, Settings.IsWhole: false })
        {
            Warn("it has no primary key, neither here nor in Keboola, so that rows cannot be told apart: it is read whole each time. "
                + "Set primary_key.");
        }
    }

    private Exports ExportsOf(PullCheckpoint checkpoint) =>
        new(storage, settings, writer, progress, table.Name, _shape.Settings.SourceId, checkpoint);

    /// <summary>All of the table, or of the history that is wanted.</summary>
    private async Task<ExtractTable> WholeAsync(CancellationToken cancellation)
    {
        var what = _shape.Settings.Filter;
        if (_shape.Settings is { IsWhole: false, HistoryDays: { } days })
            what = what with { ChangedSince = Text(_asOf - (days * DaySeconds)) };
        await using var fetched = await FetchAsync("whole", what, _shape.Columns, cancellation);
        var parts = await InEngineAsync(
            async () =>
            {
                var rows = await fetched.LookAsync(_shape.Keys, Warn, cancellation);
                if (_shape.IsWrittenAsItIs)
                    return [await (await writer.WritePartAsync(rows.Select, $"{table.Name}.parquet", md5: true, cancellation)).Storing];
                return await new PartMerge(_shape.Keys, _shape.Partition).RunAsync(writer, null, rows.Select, _shape.Stored, cancellation);
            }, cancellation);
        return Done(parts, Since(fetched.Job), _asOf);
    }

    /// <summary>What was imported since, and, now and then, what is there no more.</summary>
    private async Task<ExtractTable> ChangesAsync(ExtractTable previous, PullCursor cursor, CancellationToken cancellation)
    {
        var how = _shape.Settings;
        var isReconciled = how.ReconcileDays is { } every && _asOf - cursor.Reconciled >= every * DaySeconds;
        // Keys come first: what is imported between the two exports is then in the second.
        var onlyKeys = new ExportMessage(null, string.Join(',', _shape.Keys), null, null, null, null);
        await using var keys = isReconciled ? await FetchAsync("keys", onlyKeys, _shape.KeyColumns, cancellation) : null;
        var overlap = Math.Max(how.WindowDays * DaySeconds, OverlapSecondsMin);
        var what = how.Filter with { ChangedSince = Text(cursor.Since - overlap) };
        await using var fetched = await FetchAsync("changes", what, _shape.Columns, cancellation);
        var parts = await InEngineAsync(
            async () =>
            {
                var rows = await fetched.LookAsync(_shape.Keys, Warn, cancellation);
                if (rows.Count == 0 && keys is null) return previous.Parts;
                var removed = keys is null ? null : Gone(previous, await keys.LookAsync(_shape.Keys, Warn, cancellation));
                return await new PartMerge(_shape.Keys, _shape.Partition, removed)
                    .RunAsync(writer, previous, rows.Select, _shape.Stored, cancellation);
            }, cancellation);
        return Done(parts, Since(fetched.Job), isReconciled ? _asOf : cursor.Reconciled);
    }

    private string Gone(ExtractTable previous, ExportedRows keys)
    {
        var names = string.Join(", ", _shape.Keys.Select(SqlText.Identifier));
        return $"SELECT {names} FROM {writer.Read(previous.Parts)} EXCEPT SELECT {names} FROM ({keys.Select})";
    }

    /// <summary>The first load of a partitioned table: by when rows were imported, the newest first.</summary>
    private async Task<ExtractTable> WindowsAsync(CancellationToken cancellation)
    {
        var how = _shape.Settings;
        var count = how.HistoryDays is { } days ? (days + how.ChunkDays - 1) / how.ChunkDays : WindowsMax;
        ExtractTable? loaded = null;
        var empty = 0;
        for (var index = 0; index < count && empty < EmptyWindowsMax; index++)
        {
            var (from, to) = (Text(StartOf(index, how.ChunkDays)), Text(EndOf(index, how.ChunkDays)));
            var what = how.Filter with { ChangedSince = from, ChangedUntil = to };
            (loaded, var rows) = await WindowAsync($"window{index}", what, loaded, cancellation);
            empty = how.HistoryDays is null && rows == 0 ? empty + 1 : 0;
            var phase = string.Create(CultureInfo.InvariantCulture, $"window {index + 1}");
            progress.Report(new ExtractEvent("table_progress", table.Name, loaded.Rows, loaded.Bytes, phase));
            // Rows may lie beyond a gap of any length: what is still missing comes at once.
            var isLast = index + 1 == count || empty == EmptyWindowsMax;
            if (how.HistoryDays is null && isLast && loaded.Rows < (_shape.RowsThere ?? long.MaxValue))
            {
                var rest = how.Filter with { ChangedUntil = Text(EndOf(index + 1, how.ChunkDays)) };
                (loaded, _) = await WindowAsync("rest", rest, loaded, cancellation);
            }
        }

        return loaded ?? Done(await NothingAsync(cancellation), _asOf, _asOf);
    }

    private async Task<(ExtractTable Loaded, long Rows)> WindowAsync(
        string name, ExportMessage what, ExtractTable? loaded, CancellationToken cancellation)
    {
        await using var fetched = await FetchAsync(name, what, _shape.Columns, cancellation);
        var (parts, rows) = await InEngineAsync(
            async () =>
            {
                var exported = await fetched.LookAsync(_shape.Keys, Warn, cancellation);
                if (exported.Count == 0 && loaded is not null) return (loaded.Parts, 0L);
                var merged = await new PartMerge(_shape.Keys, _shape.Partition)
                    .RunAsync(writer, loaded, exported.Select, _shape.Stored, cancellation);
                return (merged, exported.Count ?? 0);
            }, cancellation);
        return (Done(parts, _asOf, _asOf), rows);
    }

    private Task<IReadOnlyList<ExtractPart>> NothingAsync(CancellationToken cancellation)
    {
        var none = string.Join(", ", _shape.Stored.Select(column => $"CAST(NULL AS {column.Type}) AS {SqlText.Identifier(column.Name)}"));
        return InEngineAsync(
            () => new PartMerge(_shape.Keys, _shape.Partition)
                .RunAsync(writer, null, $"SELECT {none} WHERE false", _shape.Stored, cancellation), cancellation);
    }

    private long StartOf(int window, int days) => _asOf - ((((window + 1L) * days) + 1) * DaySeconds);

    private long EndOf(int window, int days) => window == 0 ? _asOf : _asOf - (((window * (long)days) - 1) * DaySeconds);

    private ExtractTable Done(IReadOnlyList<ExtractPart> parts, long since, long reconciled) =>
        new(table.Name, table.Description, table.QueryMode, writer.Time.GetUtcNow().UtcDateTime, _shape.Stored, parts, [])
        {
            Cursor = new PullCursor(since, _shape.Hash, reconciled).Write(),
        };

    /// <summary>Whatever is imported after the export was made bears a later time than it.</summary>
    private long Since(StorageJob job) => job.Created?.ToUnixTimeSeconds() ?? _asOf;

    /// <summary>An export, and its file on the disk. What an earlier run had exported, and cannot be fetched any more, is exported
    /// anew.</summary>
    private async Task<Fetched> FetchAsync(
        string name, ExportMessage what, IReadOnlyList<KeboolaColumn> columns, CancellationToken cancellation)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            var job = await _exports.RunAsync(name, what, cancellation);
            var folder = Directory.CreateDirectory(Path.Combine(writer.TempFolder, $"{table.Name}-{name}"));
            try
            {
                var file = await download.RunAsync(job.FileId!, folder.FullName, Fetching, cancellation);
                var isWhole = what is { WhereFilters: null, ChangedSince: null, ChangedUntil: null, Limit: null };
                return new Fetched(
                    job, file, columns, what.FileType == "parquet", isWhole ? job.Rows ?? job.RowsInAll : job.Rows, folder,
                    writer.Connection, () => _exports.ForgetAsync(name, CancellationToken.None));
            }
            catch (Exception failure) when (failure is StorageException or IOException && !cancellation.IsCancellationRequested)
            {
                folder.Delete(recursive: true);
                await _exports.ForgetAsync(name, cancellation);
                if (!isFirst || failure is not StorageException { Status: HttpStatusCode.NotFound or HttpStatusCode.Gone }) throw;
            }
        }
    }

    /// <summary>Said once a second at most, however many pieces come.</summary>
    private void Fetching(long bytes)
    {
        var (now, last) = (writer.Time.GetTimestamp(), Interlocked.Read(ref _saidAt));
        if (last != 0 && writer.Time.GetElapsedTime(last, now) < SaidEvery) return;
        if (Interlocked.CompareExchange(ref _saidAt, now, last) == last)
            progress.Report(new ExtractEvent("table_progress", table.Name, Bytes: bytes, Phase: "downloading"));
    }

    private void Warn(string text)
    {
        writer.Warn($"{table.Name}: {text}");
        progress.Report(new ExtractEvent("warning", table.Name, Message: text));
    }

    private async Task<T> InEngineAsync<T>(Func<Task<T>> work, CancellationToken cancellation)
    {
        await engine.WaitAsync(cancellation);
        try
        {
            return await work();
        }
        finally
        {
            engine.Release();
        }
    }

    private Task InEngineAsync(Func<Task> work, CancellationToken cancellation) => InEngineAsync(
        async () =>
        {
            await work();
            return true;
        }, cancellation);

    private static DateOnly DateOf(long seconds) => DateOnly.FromDateTime(DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime);

    private static string Text(long seconds) => seconds.ToString(CultureInfo.InvariantCulture);
}
