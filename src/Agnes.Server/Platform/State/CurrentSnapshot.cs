namespace Agnes.Server.Platform.State;

/// <summary>Holds the current snapshot; an older one never takes the place of a newer.</summary>
internal sealed class CurrentSnapshot(Snapshot first, ILogger logger)
{
    private readonly Lock _swap = new();
    private Snapshot _value = first;

    public event Action<Snapshot, Snapshot>? Changed;

    public Snapshot Value => Volatile.Read(ref _value);

    /// <param name="force">Also when the version is not newer: after the state itself went back (a reopened engine).</param>
    public void Swap(Snapshot next, bool force = false)
    {
        Snapshot before;
        lock (_swap)
        {
            before = _value;
            if (next.Version <= before.Version && !force) return;
            Volatile.Write(ref _value, next);
        }
        foreach (var handler in Changed?.GetInvocationList() ?? [])
        {
            try
            {
                ((Action<Snapshot, Snapshot>)handler)(before, next);
            }
            catch (Exception error)
            {
                StateLog.ListenerFailed(logger, error);
            }
        }
    }
}
