namespace Agnes.Engine.Query.Workers;

/// <summary>Sandboxes by footprint, least recently used first to go. The server mirrors this order to know which worker is warm for what.</summary>
internal sealed class SandboxCache(WorkerShare share, long memoryBytes) : IDisposable
{
    /// <summary>Each takes some megabytes even when idle.</summary>
    public const int SandboxesMax = 8;

    private readonly LinkedList<(string Key, Sandbox Sandbox)> _recent = new();
    private int _made;

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
    public Sandbox Make(IReadOnlyList<WorkerTable> tables) =>
        Sandbox.Create(share, memoryBytes, Path.Combine(share.TempFolder, $"sandbox-{_made++}"), tables);

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

    public void Dispose() => Clear();

    private void RemoveLast()
    {
        var last = _recent.Last!.Value.Sandbox;
        _recent.RemoveLast();
        last.Dispose();
    }
}
