using System.IO.Pipelines;

namespace Agnes.Engine.Query.Workers;

/// <summary>
/// What a slow reader has not taken yet of a result: it goes into a scratch file, so that the worker is free for others once the
/// statement is done, and is sent from there at the reader's pace.
/// </summary>
internal sealed class ResultSpill(ResultSpace space, string caller) : IAsyncDisposable
{
    private const long RoomStepBytes = 4L << 20;
    private const int PieceBytes = 64 << 10;

    private readonly CancellationTokenSource _full = new();
    private FileStream? _file;
    private long _room;
    private long _written;

    /// <summary>The reader still takes what was flushed before; the rest comes after it.</summary>
    public Task<FlushResult>? Pending { get; set; }

    public bool IsEmpty => Pending is null && _written == 0;

    /// <summary>Fires when there is no room for more: the statement is not worth going on with.</summary>
    public CancellationToken Full => _full.Token;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (_full.IsCancellationRequested) return;
        if (!TryMakeRoom(bytes.Length))
        {
            _full.Cancel();
            return;
        }
        try
        {
            _file ??= space.NewFile();
            _file.Write(bytes); // inline: into the page cache, which is faster than a hop to another thread
            _written += bytes.Length;
        }
        catch (IOException)
        {
            _full.Cancel(); // the disk, that is
        }
    }

    /// <returns>False where the reader has gone.</returns>
    public async Task<bool> SendAsync(PipeWriter output, BodyProgress progress, CancellationToken stop)
    {
        if (Pending is not null && IsGone(await Pending.WaitAsync(stop))) return false;
        Pending = null;
        if (_file is null) return true;
        for (var at = 0L; at < _written;)
        {
            var read = RandomAccess.Read(_file.SafeFileHandle, output.GetSpan(PieceBytes)[..(int)Math.Min(PieceBytes, _written - at)], at);
            if (read == 0) throw new EndOfStreamException("A kept result ended before its end.");
            output.Advance(read);
            at += read;
            progress.Bytes += read;
            if (IsGone(await output.FlushAsync(stop))) return false;
        }
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        if (_file is not null) await _file.DisposeAsync();
        if (_room > 0) space.Give(caller, _room);
        _full.Dispose();
    }

    private static bool IsGone(FlushResult flushed) => flushed.IsCompleted || flushed.IsCanceled;

    private bool TryMakeRoom(int bytes)
    {
        while (_written + bytes > _room)
        {
            if (!space.TryTake(caller, RoomStepBytes)) return false;
            _room += RoomStepBytes;
        }
        return true;
    }
}
