using Agnes.Engine.Limits;

namespace Agnes.Engine.Query.Workers;

/// <summary>Room on the scratch disk for results that wait to be read: so much altogether, and half of it for one caller at most.</summary>
internal sealed class ResultSpace(Scratch scratch, long bytesMax)
{
    private const string Purpose = "result";
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _taken = new(StringComparer.Ordinal); // under _gate; bounded by the results that wait
    private long _all; // under _gate

    public long PerCallerBytesMax => bytesMax / 2;

    /// <summary>What is taken now.</summary>
    public long Taken
    {
        get
        {
            lock (_gate) return _all;
        }
    }

    public bool TryTake(string caller, long bytes)
    {
        if (FileSystem.FreeBytes(scratch.Root) - Scratch.ReserveBytes < bytes) return false;
        lock (_gate)
        {
            var taken = _taken.GetValueOrDefault(caller) + bytes;
            if (taken > PerCallerBytesMax || _all + bytes > bytesMax) return false;
            _taken[caller] = taken;
            _all += bytes;
            return true;
        }
    }

    public void Give(string caller, long bytes)
    {
        lock (_gate)
        {
            _all -= bytes;
            if ((_taken[caller] -= bytes) == 0) _taken.Remove(caller);
        }
    }

    /// <summary>A file that is gone when it is closed; one that a killed process left goes with the next sweep.</summary>
    public FileStream NewFile() => new(scratch.NewFile(Purpose, ".json"), new FileStreamOptions
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.ReadWrite,
        Share = FileShare.None,
        BufferSize = 0,
        Options = FileOptions.DeleteOnClose,
    });
}
