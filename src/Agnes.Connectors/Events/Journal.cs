using System.Threading.Channels;
using Agnes.Engine.Limits;
using Microsoft.Win32.SafeHandles;

namespace Agnes.Connectors.Events;

/// <summary>
/// Keeps what arrives, in order, and says that it is kept only when it is on disk. One thread writes: whatever waits when it comes round is written together and made
/// durable together, so that a hundred that come at once wait for one flush of the disk. Belongs to one process at a time.
/// </summary>
public sealed class Journal : IAsyncDisposable
{
    private const int WaitingMax = 1024;
    private const int BatchBytesMax = 8 << 20;
    private const int ReserveMin = 64 << 10;
    private const int ReserveMax = 2 << 20;
    private static readonly byte[] Zeros = new byte[ReserveMax];
    private readonly JournalLimits _limits;
    private readonly TimeProvider _time;
    private readonly string _folder;
    private readonly FileStream _owner;
    private readonly Channel<Waiting> _waiting = Channel.CreateBounded<Waiting>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly Task _writing;
    private SafeFileHandle? _file;
    private long _fileStart;
    private long _reserved; // bytes of the file that are there already
    private long _first;
    private long _folded;
    private long _durable;

    private Journal(string folder, FileStream owner, JournalLimits limits, TimeProvider time, long from)
    {
        (_folder, _owner, _limits, _time) = (folder, owner, limits, time);
        Recover(from);
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>Called after more has become durable, with <see cref="Durable"/>; must not throw or wait.</summary>
    public Action<long>? Grown { get; set; }

    /// <summary>Everything before this position is folded, and counts for nothing against the limit.</summary>
    public long Folded { get => Volatile.Read(ref _folded); set => Volatile.Write(ref _folded, value); }

    /// <summary>Everything before this position is on disk.</summary>
    public long Durable => Volatile.Read(ref _durable);

    /// <summary>The oldest position that is still there.</summary>
    public long First => Volatile.Read(ref _first);

    /// <summary>Opens a journal, or begins one, and cuts off what a crash left half written.</summary>
    /// <param name="from">Where it begins, or goes on, if it does not reach that far: positions before it are known elsewhere, and are not given out again.</param>
    /// <exception cref="IOException">Another process has it.</exception>
    public static Journal Open(string folder, JournalLimits limits, TimeProvider time, long from = 0)
    {
        Directory.CreateDirectory(folder);
        var owner = new FileStream(Path.Combine(folder, "owner"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        try
        {
            return new Journal(folder, owner, limits, time, from);
        }
        catch
        {
            owner.Dispose();
            throw;
        }
    }

    /// <summary>Returns when it is on disk.</summary>
    /// <returns>Where it stands.</returns>
    /// <exception cref="JournalFullException">It is not kept; nothing that was kept before is lost.</exception>
    public async Task<long> AppendAsync(byte kind, string identity, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        var waiting = new Waiting(JournalFormat.Encode(_time.GetUtcNow().UtcDateTime, kind, identity, body.Span));
        await _waiting.Writer.WriteAsync(waiting, cancellation);
        return await waiting.Kept.Task; // from here on it may be on disk: its sender is told, whether it still listens or not
    }

    /// <summary>Gives back the space of files that lie wholly before a position, and that nothing was added to since a time.</summary>
    /// <param name="since">UTC.</param>
    /// <returns>How many bytes.</returns>
    public long DropBefore(long position, DateTime since)
    {
        var dropped = 0L;
        var files = JournalFormat.Files(_folder);
        for (var i = 0; i + 1 < files.Count && files[i + 1].Position <= position && File.GetLastWriteTimeUtc(files[i].Path) < since; i++)
        {
            dropped += files[i + 1].Position - files[i].Position;
            File.Delete(files[i].Path);
            Volatile.Write(ref _first, files[i + 1].Position);
        }

        return dropped;
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _writing;
        EndFile(_durable);
        await _owner.DisposeAsync();
    }

    /// <summary>Only the last file can have an end that was not finished: a file is begun when the one before it is durable.</summary>
    private void Recover(long from)
    {
        var files = JournalFormat.Files(_folder);
        _first = _durable = from;
        if (files.Count == 0) return;
        _first = files[0].Position;
        var (start, path) = files[^1];
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        var length = RandomAccess.GetLength(file);
        var end = EndOfWhole(file, length);
        if (end < length)
        {
            RandomAccess.SetLength(file, end);
            RandomAccess.FlushToDisk(file);
        }

        _durable = Math.Max(start + end, from); // the next batch begins another file
    }

    private static long EndOfWhole(SafeFileHandle file, long length)
    {
        var at = 0L;
        var buffer = new byte[1 << 20];
        while (at < length)
        {
            var filled = RandomAccess.Read(file, buffer, at);
            var rest = buffer.AsMemory(0, filled);
            var needed = 0;
            while (rest.Length > 0 && JournalFormat.Decode(rest, at, out needed) is { } entry)
            {
                at = entry.Next;
                rest = rest[(int)(entry.Next - entry.Position)..];
            }

            if (needed == 0 && rest.Length > 0 || needed > length - at) return at;
            if (needed > buffer.Length) buffer = new byte[needed];
            else if (filled == 0) return at;
        }

        return at;
    }

    private async Task WriteAsync()
    {
        var batch = new List<Waiting>();
        var reader = _waiting.Reader;
        while (await reader.WaitToReadAsync())
        {
            batch.Clear();
            var bytes = 0;
            while (bytes < BatchBytesMax && reader.TryRead(out var waiting))
            {
                batch.Add(waiting);
                bytes += waiting.Entry.Length;
            }

            try
            {
                Write(batch, bytes);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JournalFullException)
            {
                var refusal = fault as JournalFullException ?? new JournalFullException("The journal could not be written.", fault);
                foreach (var waiting in batch) waiting.Kept.SetException(refusal);
                continue;
            }

            Grown?.Invoke(Durable);
        }
    }

    private void Write(List<Waiting> batch, int bytes)
    {
        var at = _durable;
        var open = at - Math.Max(First, Folded);
        if (open + bytes > _limits.BytesMax)
            throw new JournalFullException($"The journal holds {open >> 20} MiB that are not folded yet, and may hold {_limits.BytesMax >> 20}.");
        if (_file is null || at - _fileStart >= _limits.FileBytes) Begin(at);
        try
        {
            Reserve(at - _fileStart + bytes);
            RandomAccess.Write(_file!, [.. batch.Select(waiting => (ReadOnlyMemory<byte>)waiting.Entry)], at - _fileStart);
            FileSystem.FlushData(_file!);
        }
        catch
        {
            GiveUpFile(at);
            throw;
        }

        Volatile.Write(ref _durable, at + bytes);
        foreach (var waiting in batch)
        {
            waiting.Kept.SetResult(at);
            at += waiting.Entry.Length;
        }
    }

    /// <summary>
    /// What was not acknowledged must not stand before what will be, and a file whose flush failed once is not trusted again: the next batch begins another, whose
    /// name says where this one ends.
    /// </summary>
    private void GiveUpFile(long at)
    {
        try
        {
            EndFile(at);
        }
        catch (IOException)
        {
            _file!.Dispose(); // readers go by the name of the next
            _file = null;
        }
    }

    private void Begin(long at)
    {
        EndFile(at);
        var next = File.OpenHandle(Path.Combine(_folder, JournalFormat.NameOf(at)), FileMode.Create, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            FileSystem.FlushFolder(_folder);
        }
        catch
        {
            next.Dispose(); // else it could not be begun again
            throw;
        }

        (_file, _fileStart, _reserved) = (next, at, 0);
    }

    /// <summary>
    /// A file grows by zeros, ahead of what is written: then most batches add nothing to its end, and their flush writes nothing but themselves. A busy journal grows by
    /// larger steps.
    /// </summary>
    /// <param name="end">Of what is to be written.</param>
    private void Reserve(long end)
    {
        if (end <= _reserved) return;
        var more = (int)Math.Clamp(end, ReserveMin, ReserveMax);
        RandomAccess.Write(_file!, Zeros.AsSpan(0, more), end);
        _reserved = end + more;
    }

    /// <summary>Gives back what was reserved. Where that is missed, readers go by the name of the next file, and a new start cuts it off.</summary>
    private void EndFile(long at)
    {
        if (_file is null) return;
        RandomAccess.SetLength(_file, at - _fileStart);
        _file.Dispose();
        _file = null;
    }

    private sealed record Waiting(byte[] Entry)
    {
        public TaskCompletionSource<long> Kept { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <param name="BytesMax">Of what is not dropped yet. Beyond it nothing is taken.</param>
/// <param name="FileBytes">After which a new file is begun; files are dropped as a whole.</param>
public sealed record JournalLimits(long BytesMax, long FileBytes)
{
    public static JournalLimits Default { get; } = new(4L << 30, 64 << 20);
}
