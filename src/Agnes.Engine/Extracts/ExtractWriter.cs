using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Workers;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Extracts;

/// <summary>
/// Builds an extract anew, carries over what the run does not touch, and replaces the old one by a rename: the rename is the commit.
/// Lives in an extract worker; used by connectors.
/// </summary>
public sealed class ExtractWriter : IAsyncDisposable
{
    internal const int CheckpointCharactersMax = 64 << 10;

    private readonly Dictionary<string, ExtractTable> _written = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<ExtractedTable> _ok = [];
    private readonly List<FailedTable> _failed = [];
    private readonly List<string> _warnings = [];
    private readonly PartStaging _staging;
    private readonly IReadOnlySet<string>? _registered;
    private Task _hashing = Task.CompletedTask;

    private ExtractWriter(DataFolder folder, PartStore store, string source, PartStaging staging, DuckDBConnection connection, IReadOnlyDictionary<string, ExtractTable> previous, IReadOnlySet<string>? registered, string tempFolder, TimeProvider time)
    {
        (Folder, Store, Source, Connection, Previous, TempFolder, Time) = (folder, store, source, connection, previous, tempFolder, time);
        (_staging, _registered) = (staging, registered);
    }

    /// <summary>Stores a checkpoint where a kill of this process does not reach it; set by the worker.</summary>
    internal Func<ExtractCheckpoint, CancellationToken, Task> Saving { get; private init; } = null!;

    /// <summary>Has the parent run the operator's program; set by the worker.</summary>
    internal Func<ProgramRequest, CancellationToken, Task<ProgramOutcome>>? Running { get; set; }

    /// <summary>Says why a table that was written has to stay as it was; null: nothing is in its way. Set by the worker.</summary>
    internal Func<ExtractTable, CancellationToken, Task<FailedTable?>>? Judging { get; set; }

    /// <summary>By table, what an earlier run saved and did not end.</summary>
    public IReadOnlyDictionary<string, string> Checkpoints { get; private init; } = new Dictionary<string, string>();

    /// <summary>Goes when the run ends.</summary>
    public string TempFolder { get; }

    public DataFolder Folder { get; }

    public PartStore Store { get; }

    public string Source { get; }

    public TimeProvider Time { get; }

    /// <summary>The run's engine; what it may open is fixed: the source's folder, the staging area, scratch and the folders that the connector asked for.</summary>
    public DuckDBConnection Connection { get; }

    /// <summary>Tables of the last good extract, by name, case-insensitive.</summary>
    public IReadOnlyDictionary<string, ExtractTable> Previous { get; }

    /// <param name="readable">Further folders that the connector reads.</param>
    /// <exception cref="WorkerFailedException">The previous extract cannot be read, or is not ours, and the run would lose tables of it.</exception>
    public static async Task<ExtractWriter> OpenAsync(DataFolder folder, ExtractRequest request, Share share, string tempFolder, IReadOnlyList<string> readable, TimeProvider time, CancellationToken cancellation,
        Func<ExtractCheckpoint, CancellationToken, Task>? save = null)
    {
        if (!Identifiers.IsSource(request.Source)) throw new WorkerFailedException($"'{request.Source}' cannot be the name of a source.");
        Directory.CreateDirectory(Path.Combine(folder.Source(request.Source), "data"));
        var store = new PartStore(folder);
        var staging = store.Stage(request.RunId);
        var connection = WorkerDatabase.Open(share, tempFolder, [folder.Source(request.Source), staging.Folder, folder.Parts, .. readable]);
        try
        {
            var previous = await ReadPreviousAsync(folder, request, connection, cancellation);
            var registered = request.Registered?.ToHashSet(StringComparer.OrdinalIgnoreCase);
            return new ExtractWriter(folder, store, request.Source, staging, connection, previous, registered, tempFolder, time)
            {
                Checkpoints = request.Checkpoints ?? new Dictionary<string, string>(),
                Saving = save ?? (static (_, _) => throw new WorkerFailedException("This run cannot save checkpoints.")),
            };
        }
        catch
        {
            await connection.DisposeAsync();
            staging.Dispose();
            throw;
        }
    }

    /// <summary>Runs a SELECT into a part. It is hashed while it is written; the rest is done while the next part is written.</summary>
    /// <param name="md5">Also compute the MD5: for tables of one part.</param>
    public async Task<WrittenPart> WritePartAsync(string select, string partName, bool md5, CancellationToken cancellation)
    {
        var file = _staging.NewFile();
        var hash = GrowingFileHash.Start(file, md5, cancellation);
        try
        {
            var (rows, columns) = await Connection.CopyAsync(select, file, cancellation);
            await SettledAsync(_hashing); // one part behind at most, so that staging stays small
            var storing = Task.Run(() => StoreAsync(hash, file, partName, rows, cancellation), cancellation);
            _hashing = storing;
            return new WrittenPart(columns, rows, storing);
        }
        catch
        {
            await hash.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Makes a Parquet file that this run has written a part as it is: it is moved, never copied, and hashed while the next is taken.
    /// </summary>
    /// <param name="md5">Also compute the MD5: for tables of one part.</param>
    public async Task<WrittenPart> MovePartAsync(string file, string partName, bool md5, CancellationToken cancellation)
    {
        var staged = _staging.NewFile();
        File.Move(file, staged);
        var hash = GrowingFileHash.Start(staged, md5, cancellation);
        try
        {
            var (rows, columns) = await Connection.ContentAsync(staged, cancellation);
            await SettledAsync(_hashing);
            var storing = Task.Run(() => StoreAsync(hash, staged, partName, rows, cancellation), cancellation);
            _hashing = storing;
            return new WrittenPart(columns, rows, storing);
        }
        catch
        {
            await hash.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes a Parquet file of somebody else a part as it is: cloned or copied, so that its owner can go on writing, hashed on the way, and never encoded anew.</summary>
    /// <param name="file">The caller compares its stamp before and after.</param>
    /// <param name="md5">Also compute the MD5: for tables of one part.</param>
    public async Task<WrittenPart> TakePartAsync(string file, string partName, bool md5, CancellationToken cancellation)
    {
        var staged = _staging.NewFile();
        using var opened = OpenedFile.TryOpen(file) ?? throw new IOException($"{Path.GetFileName(file)} is no plain file.");
        var (sha256, md5Hash) = await PartCopy.TakeAsync(opened, staged, md5, cancellation);
        var (rows, columns) = await Connection.ContentAsync(staged, cancellation);
        await SettledAsync(_hashing);
        var storing = Task.Run(
            async () =>
            {
                var (part, stamp) = await Store.AddHashedAsync(staged, FileStamp.Of(staged), sha256, partName, rows, cancellation);
                return new ExtractPart(part, md5Hash, stamp.ModifiedNs);
            },
            cancellation);
        _hashing = storing;
        return new WrittenPart(columns, rows, storing);
    }

    /// <summary>A whole table of this run. All parts must have the same columns.</summary>
    public void Put(ExtractTable table)
    {
        if (!Identifiers.IsStrict(table.Name)) throw new ArgumentException($"'{table.Name}' cannot be the name of a table.", nameof(table));
        if (table.Parts.Count == 0) throw new ArgumentException("A table has at least one part.", nameof(table));
        if (!_written.TryAdd(table.Name, table)) throw new ArgumentException($"{table.Name} was written already in this run.", nameof(table));
        _ok.Add(new ExtractedTable(table.Name, table.Rows, table.Bytes, Changed: true));
    }

    /// <summary>The source has nothing new for this table; it stays as it is, but for a cursor that moved on.</summary>
    public void Keep(ExtractTable table)
    {
        _ok.Add(new ExtractedTable(table.Name, table.Rows, table.Bytes, Changed: false));
        if (Previous.TryGetValue(table.Name, out var previous) && previous.Cursor != table.Cursor) _written[table.Name] = previous with { Cursor = table.Cursor };
    }

    /// <summary>
    /// To be called before something is begun elsewhere that must not be begun twice: when it returns, the value is stored, and the next run of this table is given
    /// it whatever becomes of this process. It is forgotten when the table is done.
    /// </summary>
    /// <exception cref="WorkerFailedException">It could not be stored; nothing may be begun.</exception>
    public Task SaveCheckpointAsync(string table, string value, CancellationToken cancellation) => value.Length <= CheckpointCharactersMax
        ? Saving(new ExtractCheckpoint(table, value), cancellation)
        : throw new WorkerFailedException($"A checkpoint may have {CheckpointCharactersMax} characters; that of {table} has {value.Length}.");

    /// <summary>Runs the program that the request names, beside this process, and waits for what it brought.</summary>
    public Task<ProgramOutcome> RunProgramAsync(ProgramRequest request, CancellationToken cancellation) =>
        Running?.Invoke(request, cancellation) ?? throw new WorkerFailedException("This run has no program.");

    /// <summary>Whether a part of an earlier run is in the store as that run left it; it is read where only that can tell.</summary>
    public bool IsWhole(ExtractPart part) =>
        Store.IsStamped(part.Part.Sha256, new FileStamp(part.Part.SizeBytes, part.ModifiedNs, 0)) || Store.TryProve(part.Part.Sha256, part.Part.SizeBytes) is not null;

    /// <summary>What follows FROM and yields the rows of parts of before, whose files are looked at first.</summary>
    /// <exception cref="InvalidDataException">One is missing, or another program wrote into it.</exception>
    public string Read(IReadOnlyList<ExtractPart> parts)
    {
        foreach (var part in parts.Where(part => !IsWhole(part)))
            throw new InvalidDataException($"The part {part.Part.Name} of an earlier run is missing or was changed; the table must be read whole again.");
        return $"({TableSource.FromParts([.. parts.Select(part => Store.PathOf(part.Part.Sha256))])})";
    }

    /// <summary>The table keeps its last good version.</summary>
    public void Fail(string table, string error) => _failed.Add(new FailedTable(table, error));

    public void Warn(string text) => _warnings.Add(text);

    /// <summary>Whether this run has written a table of that name, in whatever case.</summary>
    public bool Wrote(string table) => _written.ContainsKey(table);

    /// <summary>Puts all written tables, and all carried over, into place at once. Does nothing when nothing changed.</summary>
    public async Task<ExtractCommit> CommitAsync(CancellationToken cancellation)
    {
        await SettledAsync(_hashing);
        foreach (var table in _written.Values.ToList()) await JudgeAsync(table, cancellation);
        var carried = Previous.Values.Where(table => !_written.ContainsKey(table.Name) && (_registered is null || _registered.Contains(table.Name))).ToList();
        if (_written.Count > 0 || carried.Count != Previous.Count || !File.Exists(Folder.ExtractFile(Source)))
            await ExtractFile.ReplaceAsync(Folder, Store, Source, Connection, [.. carried, .. _written.Values], cancellation);
        return new ExtractCommit(_ok, _failed, _warnings);
    }

    public async ValueTask DisposeAsync()
    {
        await SettledAsync(_hashing);
        await Connection.DisposeAsync();
        _staging.Dispose();
    }

    /// <summary>
    /// A table whose contract forbids the columns that it came with stays in the extract as it was, so that the next run goes on from rows that are published
    /// and cannot be swept.
    /// </summary>
    private async Task JudgeAsync(ExtractTable table, CancellationToken cancellation)
    {
        if (Judging is null || await Judging(table, cancellation) is not { } refused) return;
        _written.Remove(table.Name);
        _ok.RemoveAll(one => string.Equals(one.Name, table.Name, StringComparison.OrdinalIgnoreCase));
        _failed.Add(refused);
    }

    /// <summary>
    /// The file is not known as ours: restored from a backup, or dropped by another program, which could name parts of tables that are not its own. Whoever has
    /// the content of a part lying beside it may name it.
    /// </summary>
    private static async Task ProveAsync(DataFolder folder, string source, IEnumerable<ExtractTable> tables, CancellationToken cancellation)
    {
        foreach (var table in tables)
        {
            foreach (var part in table.Parts)
            {
                var file = DataLinks.PathOf(Path.Combine(folder.Source(source), "data"), table, part);
                using var opened = OpenedFile.TryOpen(file); // no symbolic link
                if (opened is null || await ContentHash.Sha256Async(file, cancellation) != part.Part.Sha256) throw new InvalidDataException($"the files of {table.Name} are not what its list of parts says");
            }
        }
    }

    /// <summary>A part that could not be stored is an error of its own table, which awaits it, and of no other.</summary>
    private static async Task SettledAsync(Task storing) => await storing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task<ExtractPart> StoreAsync(GrowingFileHash hash, string file, string partName, long rows, CancellationToken cancellation)
    {
        await using var _ = hash;
        var (sha256, md5) = await hash.FinishAsync();
        var (part, stamp) = await Store.AddHashedAsync(file, FileStamp.Of(file), sha256, partName, rows, cancellation);
        return new ExtractPart(part, md5, stamp.ModifiedNs);
    }

    private static async Task<IReadOnlyDictionary<string, ExtractTable>> ReadPreviousAsync(DataFolder folder, ExtractRequest request, DuckDBConnection connection, CancellationToken cancellation)
    {
        var file = folder.ExtractFile(request.Source);
        if (!File.Exists(file)) return new Dictionary<string, ExtractTable>(StringComparer.OrdinalIgnoreCase);
        try
        {
            await ExtractReader.AttachAsync(connection, file, cancellation);
            var tables = await ExtractReader.TablesAsync(connection, cancellation);
            await connection.ExecuteAsync($"DETACH {ExtractReader.Alias}", cancellation);
            if (!ExtractLedger.Contains(folder, request.Source, FileStamp.Of(file))) await ProveAsync(folder, request.Source, tables.Values, cancellation);
            return tables;
        }
        catch (Exception e) when (e is DuckDBException or InvalidDataException && !cancellation.IsCancellationRequested)
        {
            if (!request.WritesAll)
                throw new WorkerFailedException($"extracts/{request.Source}/extract.duckdb cannot be read as an extract of ours, and this run would lose the tables it does not write. Sync all tables of '{request.Source}' in one run to build it anew; the unreadable file is then kept as extract.duckdb.broken.");
            File.Move(file, $"{file}.broken", overwrite: true);
            return new Dictionary<string, ExtractTable>(StringComparer.OrdinalIgnoreCase);
        }
    }
}

/// <param name="Storing">The part's hash and its place in the store; to be awaited before the table is put.</param>
public sealed record WrittenPart(IReadOnlyList<TableColumn> Columns, long Rows, Task<ExtractPart> Storing);
