namespace Agnes.Engine.Query.Workers;

/// <summary>One that waits for a worker.</summary>
internal sealed record Waiter(string Caller, bool IsShort, string Footprint)
{
    /// <summary>Null: there will be none.</summary>
    public TaskCompletionSource<QueryWorker?> Given { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>
/// Those who wait, in turns: each caller's first before anybody's second, so that how much one asks for is nothing that another waits
/// for. Whoever was just served goes to the end. Not safe for threads: the pool's gate protects it.
/// </summary>
internal sealed class WaitingLine
{
    private readonly LinkedList<(string Caller, LinkedList<Waiter> Waiters)> _callers = new(); // in the order of their turns; none without waiters

    public int Count { get; private set; }

    public int CountOf(string caller) => Find(caller)?.Value.Waiters.Count ?? 0;

    public void Add(Waiter waiter)
    {
        var turn = Find(waiter.Caller) ?? _callers.AddLast((waiter.Caller, new LinkedList<Waiter>()));
        turn.Value.Waiters.AddLast(waiter);
        Count++;
    }

    /// <summary>It does not wait any more, if it still did.</summary>
    public void Remove(Waiter waiter)
    {
        if (Find(waiter.Caller) is not { } turn || !turn.Value.Waiters.Remove(waiter)) return;
        Count--;
        if (turn.Value.Waiters.Count == 0) _callers.Remove(turn);
    }

    /// <summary>
    /// The next in turn for which the given function finds a worker; it waits no longer, and its caller's next turn is after all others'.
    /// </summary>
    public (Waiter Waiter, QueryWorker Worker)? TakeNext(Func<Waiter, QueryWorker?> workerFor)
    {
        for (var turn = _callers.First; turn is not null; turn = turn.Next)
        {
            var waiter = turn.Value.Waiters.First!.Value;
            if (workerFor(waiter) is not { } worker) continue;
            _callers.Remove(turn);
            turn.Value.Waiters.RemoveFirst();
            if (turn.Value.Waiters.Count > 0) _callers.AddLast(turn);
            Count--;
            return (waiter, worker);
        }
        return null;
    }

    /// <summary>Tells everybody that there will be no worker.</summary>
    public void Clear()
    {
        foreach (var (_, waiters) in _callers)
            foreach (var waiter in waiters) waiter.Given.TrySetResult(null);
        _callers.Clear();
        Count = 0;
    }

    private LinkedListNode<(string Caller, LinkedList<Waiter> Waiters)>? Find(string caller)
    {
        for (var turn = _callers.First; turn is not null; turn = turn.Next)
            if (turn.Value.Caller == caller) return turn; // as many as wait at most
        return null;
    }
}
