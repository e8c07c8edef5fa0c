using Agnes.Engine.Limits;
using Agnes.Protocol;

namespace Agnes.Engine.Parts;

/// <summary>A part is not what it was when it was published; its table needs a new version.</summary>
public sealed class PartDamagedException(string sha256, string message) : IOException(message)
{
    public string Sha256 { get; } = sha256;
}

/// <summary>
/// The only place that makes, opens or deletes files under <c>parts/</c>. A part's name is its SHA-256 and its content never changes. Since another program could
/// write through a name of its own (a part may share its blocks with a file outside by a hard link), a part is believed only while its file is as it was when it
/// was read last; see <see cref="PartMark"/>.
/// </summary>
public sealed class PartStore
{
    private const int DamagedMax = 10_000;
    private static readonly TimeSpan ClockTick = TimeSpan.FromMilliseconds(60);
    private readonly string _root;
    private readonly string _incoming;
    private readonly PartMark _mark = new();
    private readonly Lock _proving = new();
    private readonly Dictionary<string, FileStamp> _damaged = new(StringComparer.Ordinal); // under _proving

    public PartStore(DataFolder folder)
    {
        _root = folder.Parts;
        _incoming = folder.Incoming;
        Directory.CreateDirectory(_incoming);
    }

    /// <summary>Removes what runs have left whose process is no more.</summary>
    /// <param name="isLeft">By the name of a run, which is that of its scratch folder and tells its owner.</param>
    public void SweepIncoming(Func<string, bool> isLeft) => Scratch.Sweep(_incoming, isLeft);

    /// <summary>A folder for the files of one run, on the store's own file system.</summary>
    public PartStaging Stage(string runId)
    {
        if (!Identifiers.IsQuoted(runId)) throw new ArgumentException($"'{runId}' is no id of a run.", nameof(runId));
        return new PartStaging(Directory.CreateDirectory(Path.Combine(_incoming, runId)).FullName);
    }

    /// <summary>The local path of a part, whether it exists or not.</summary>
    public string PathOf(string sha256) =>
        Identifiers.IsSha256(sha256) ? Path.Combine(_root, sha256[..2], $"{sha256}.parquet") : throw new ArgumentException("Not a SHA-256 in lower-case hex.", nameof(sha256));

    /// <summary>Whether a part is there and has not been touched since it was stamped.</summary>
    public bool IsStamped(string sha256, FileStamp recorded) => FileStamp.TryOf(PathOf(sha256)) is { } now && PartMark.IsSame(now, recorded);

    public bool Contains(string sha256, long sizeBytes) => FileStamp.TryOf(PathOf(sha256)) is { } stamp && stamp.Size == sizeBytes;

    /// <summary>Remembers that a part was read and found to be what its name says.</summary>
    /// <param name="stamp">Of its file before it was read.</param>
    public void Mark(string sha256, FileStamp stamp) => _mark.Set(PathOf(sha256), sha256, stamp);

    /// <summary>The stamp of a part that is known to be what its name says, without reading it; null: it has to be read.</summary>
    public FileStamp? Proven(string sha256, long sizeBytes) =>
        FileStamp.TryOf(PathOf(sha256)) is { } now && now.Size == sizeBytes && _mark.Fits(PathOf(sha256), sha256, now) ? now : null;

    /// <summary>The same, after reading the part where that is needed; null: it is missing, or is not what its name says.</summary>
    public FileStamp? TryProve(string sha256, long sizeBytes)
    {
        var found = FileStamp.TryOf(PathOf(sha256));
        try
        {
            Prove(sha256, PathOf(sha256), found, sizeBytes);
            return found;
        }
        catch (PartDamagedException)
        {
            return null;
        }
    }

    /// <summary>The local path of a part that is what its name says.</summary>
    /// <exception cref="PartDamagedException"/>
    public string PathOf(string sha256, long sizeBytes)
    {
        var path = PathOf(sha256);
        Prove(sha256, path, FileStamp.TryOf(path), sizeBytes);
        return path;
    }

    /// <summary>For downloads. What is looked at is the opened file itself.</summary>
    /// <exception cref="PartDamagedException"/>
    public FileStream OpenRead(string sha256, long sizeBytes)
    {
        FileStream file;
        try
        {
            file = new FileStream(
                PathOf(sha256), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Missing(sha256);
        }
        try
        {
            var now = OperatingSystem.IsLinux() ? Libc.Stamp((int)file.SafeFileHandle.DangerousGetHandle()) : FileStamp.TryOf(file.Name);
            Prove(sha256, file.Name, now, sizeBytes);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Hashes a staged file, makes it durable and moves it to its name; an intact part that is already there is kept.</summary>
    public async Task<StoredPart> AddAsync(string stagedFile, string partName, long rows, CancellationToken cancellation)
    {
        var stamp = FileStamp.Of(stagedFile);
        var sha256 = await ContentHash.Sha256Async(stagedFile, cancellation);
        return await AddHashedAsync(stagedFile, stamp, sha256, partName, rows, cancellation);
    }

    /// <summary>As <see cref="AddAsync"/> for a file whose hash the caller knows.</summary>
    /// <param name="hashed">The file's stamp before it was hashed: one taken later could be that of a write which the hash has not seen.</param>
    public async Task<StoredPart> AddHashedAsync(string stagedFile, FileStamp hashed, string sha256, string partName, long rows, CancellationToken cancellation)
    {
        var part = new TablePart(partName, sha256, hashed.Size, rows);
        var target = PathOf(sha256);
        if (FileStamp.TryOf(target) is { } present && present.Size == hashed.Size)
        {
            FileSystem.Touch(target); // or a sweep could take it before the publication that now names it is committed
            // Another program may have written through a name of its own, so that what is there is read before it is believed.
            if (await IsIntactAsync(sha256, cancellation))
            {
                File.Delete(stagedFile);
                return new StoredPart(part, present);
            }
        }
        var folder = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            FileSystem.FlushFolder(_root);
        }
        FileSystem.Replace(stagedFile, target);
        return new StoredPart(part, hashed);
    }

    /// <summary>Reads the whole part and tells whether it is still what its name says.</summary>
    public async Task<bool> IsIntactAsync(string sha256, CancellationToken cancellation) =>
        File.Exists(PathOf(sha256)) && await ContentHash.Sha256Async(PathOf(sha256), cancellation) == sha256;

    public IEnumerable<(string Sha256, FileStamp Stamp)> All() =>
        from folder in Directory.EnumerateDirectories(_root)
        where Path.GetFileName(folder).Length == 2
        from file in Directory.EnumerateFiles(folder, "*.parquet")
        let sha256 = Path.GetFileNameWithoutExtension(file)
        where Identifiers.IsSha256(sha256)
        let stamp = FileStamp.TryOf(file)
        where stamp is not null
        select (sha256, stamp.Value);

    /// <summary>Deletes parts that nothing names any more. Their rows in the state must be gone before; parts younger than <paramref name="minimumAge"/> may belong to a publication under way and stay.</summary>
    /// <returns>Number of parts and bytes removed.</returns>
    public (int Parts, long Bytes) Sweep(IReadOnlySet<string> kept, TimeSpan minimumAge, TimeProvider time, CancellationToken cancellation)
    {
        var (parts, bytes) = (0, 0L);
        var youngest = time.GetUtcNow() - minimumAge;
        foreach (var (sha256, stamp) in All())
        {
            cancellation.ThrowIfCancellationRequested();
            var path = PathOf(sha256);
            if (kept.Contains(sha256) || FileSystem.ChangedAt(path) > youngest) continue;
            File.Delete(path);
            (parts, bytes) = (parts + 1, bytes + stamp.Size);
        }
        return (parts, bytes);
    }

    /// <summary>
    /// Costs two looks at the file's entry where nothing has changed since the part was proven. Else it is read, by one asker at a time: after a restore, after
    /// somebody touched it, or when somebody wrote into it.
    /// </summary>
    private void Prove(string sha256, string path, FileStamp? found, long sizeBytes)
    {
        if (found is not { } now) throw Missing(sha256);
        if (now.Size != sizeBytes) throw Changed(sha256);
        if (_mark.Fits(path, sha256, now)) return;
        lock (_proving)
        {
            if (_mark.Fits(path, sha256, now)) return;
            if (_damaged.TryGetValue(sha256, out var read) && PartMark.IsSame(read, now)) throw Changed(sha256);
            var age = TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch.AddTicks(now.ModifiedNs / 100);
            if (ContentHash.Sha256(path) == sha256)
            {
                // One that is written to within the clock's tick after it was looked at keeps its time: so young a file is read again next time.
                if (age.Duration() > ClockTick) _mark.Set(path, sha256, now);
                return;
            }

            if (_damaged.Count >= DamagedMax) _damaged.Clear();
            _damaged[sha256] = now;
            throw Changed(sha256);
        }
    }

    private static PartDamagedException Missing(string sha256) => new(sha256, "A part of this table is missing from the store; run its sync again.");

    private static PartDamagedException Changed(string sha256) =>
        new(sha256, "A part of this table was changed by another program after it was published; run its sync again.");
}

/// <param name="Stamp">Of its file in the store, as it was when its content was known to be what its name says.</param>
public readonly record struct StoredPart(TablePart Part, FileStamp Stamp);

/// <summary>Files of one run before they have their names. Disposing removes the folder with what is left in it.</summary>
public sealed class PartStaging : IDisposable
{
    private int _next;

    internal PartStaging(string folder) => Folder = folder;

    public string Folder { get; }

    /// <summary>A path for a new file; the caller writes it.</summary>
    public string NewFile() => Path.Combine(Folder, $"{Interlocked.Increment(ref _next)}.parquet");

    public void Dispose()
    {
        if (Directory.Exists(Folder)) Directory.Delete(Folder, recursive: true);
    }
}
