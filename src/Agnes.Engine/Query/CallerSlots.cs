namespace Agnes.Engine.Query;

/// <summary>How many statements each caller has running or waiting. Callers without any take no room.</summary>
internal sealed class CallerSlots
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _taken = new(StringComparer.Ordinal); // under _gate; bounded by statements that run or wait

    public bool TryEnter(string caller, int slotsMax)
    {
        lock (_gate)
        {
            var taken = _taken.GetValueOrDefault(caller);
            if (taken >= slotsMax) return false;
            _taken[caller] = taken + 1;
            return true;
        }
    }

    public void Leave(string caller)
    {
        lock (_gate)
        {
            if (--_taken[caller] == 0) _taken.Remove(caller);
        }
    }
}
