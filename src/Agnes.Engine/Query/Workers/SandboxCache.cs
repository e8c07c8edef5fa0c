using DuckDB.NET.Data;

namespace Agnes.Engine.Query.Workers;

/// <summary>Sandboxes by footprint, least recently used first to go. The server mirrors this order to know which worker is warm for what.</summary>
internal sealed class SandboxCache(WorkerShare share, long memoryBytes) : IDisposable
{
    /// <summary>Each takes some megabytes even when idle.</summary>
    public const int SandboxesMax = 8;

    private readonly LinkedList<(string Key, Sandbox Sandbox)> _recent = new();
    private Sandbox? _spare; // exchanged atomically; opened ahead, since that is the slow half
    private int _opened;
    private volatile bool _disposed;

    public Sandbox Take(string key, IReadOnlyList<WorkerTable> tables)
    {
        // Eight entries: a walk is quicker than a dictionary.
        for (var entry = _recent.First; entry is not null; entry = entry.Next)
        {
            if (entry.Value.Key != key) continue;
            _recent.Remove(entry);
            _recent.AddFirst(entry);
            return entry.Value.Sandbox;
        }
        var sandbox = Make(tables);
        _recent.AddFirst((key, sandbox));
        return sandbox;
    }

    /// <summary>An engine of its own that is not kept, e.g. for parsing.</summary>
    /// <param name="file">The one file that it may write; empty for none.</param>
    public Sandbox Make(IReadOnlyList<WorkerTable> tables, string file = "")
    {
        var sandbox = Interlocked.Exchange(ref _spare, null) ?? Open();
        try
        {
            sandbox.Furnish(tables, file);
        }
        catch
        {
            sandbox.Dispose();
            throw;
        }
        _ = Task.Run(OpenSpare, CancellationToken.None);
        return sandbox;
    }

    /// <summary>Drops one that has failed in a way that may have left it unusable.</summary>
    public void Drop(string key)
    {
        for (var entry = _recent.First; entry is not null; entry = entry.Next)
        {
            if (entry.Value.Key != key) continue;
            _recent.Remove(entry);
            entry.Value.Sandbox.Dispose();
            return;
        }
    }

    /// <summary>Closes what has become one too many; after the answer, since closing takes a while.</summary>
    public void Trim()
    {
        while (_recent.Count > SandboxesMax) RemoveLast();
    }

    /// <summary>Gives memory back.</summary>
    public void Clear()
    {
        while (_recent.Count > 0) RemoveLast();
    }

    public void Dispose()
    {
        _disposed = true;
        Clear();
        Interlocked.Exchange(ref _spare, null)?.Dispose();
    }

    private Sandbox Open() => Sandbox.Open(share, memoryBytes, Path.Combine(share.TempFolder, $"sandbox-{Interlocked.Increment(ref _opened)}"));

    private void OpenSpare()
    {
        if (_disposed || Volatile.Read(ref _spare) is not null) return;
        Sandbox sandbox;
        try
        {
            sandbox = Open();
        }
        catch (Exception e) when (e is DuckDBException or IOException)
        {
            return; // no harm: the next one is opened when it is needed, and says then what is wrong
        }
        if (Interlocked.CompareExchange(ref _spare, sandbox, null) is not null) sandbox.Dispose();
        if (_disposed) Interlocked.Exchange(ref _spare, null)?.Dispose();
    }

    private void RemoveLast()
    {
        var last = _recent.Last!.Value.Sandbox;
        _recent.RemoveLast();
        last.Dispose();
    }
}
