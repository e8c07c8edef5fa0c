namespace Agnes.Engine.Query;

/// <summary>
/// On whose behalf workers work, and until when. Whoever decides about access makes it and ends it; every statement needs one, so that
/// none goes uncounted and none outlives what it was allowed by.
/// </summary>
/// <param name="caller">Turns and slots are counted by this key.</param>
/// <param name="ended">Fires when what was allowed is allowed no longer.</param>
public sealed class Lease(string caller, CancellationToken ended)
{
    private readonly Lock _gate = new();
    private readonly List<ScopedTable> _read = []; // under _gate; at most the tables of a scope

    public string Caller { get; } = caller;

    public CancellationToken Ended { get; } = ended;

    /// <summary>The tables that its statements were let at: it lasts as long as each of them may be read.</summary>
    public IReadOnlyList<ScopedTable> Read
    {
        get
        {
            lock (_gate) return [.. _read];
        }
    }

    /// <summary>
    /// For work that nobody asked for, or that is made once for many: it has turns and slots of its own, and ends with <paramref
    /// name="stop"/>.
    /// </summary>
    public static Lease OfSystem(string work, CancellationToken stop) => new($"system:{work}", stop);

    internal void Reads(IEnumerable<ScopedTable> tables)
    {
        lock (_gate)
        {
            foreach (var table in tables)
                if (!_read.Exists(read => ReferenceEquals(read, table) || read.Name == table.Name)) _read.Add(table);
        }
    }
}
