using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Agnes.Server.Platform.Access;

/// <summary>
/// A cache of at most twice <paramref name="entriesMax"/> entries: when the young half is full it becomes the old half, and what nobody asked for since goes.
/// </summary>
internal sealed class RecentCache<TKey, TValue>(int entriesMax)
    where TKey : notnull
    where TValue : class
{
    private readonly Lock _turn = new();
    private ConcurrentDictionary<TKey, TValue> _young = new();
    private ConcurrentDictionary<TKey, TValue> _old = new();

    public bool TryGet(TKey key, [NotNullWhen(true)] out TValue? value)
    {
        if (_young.TryGetValue(key, out value)) return true;
        if (!_old.TryGetValue(key, out value)) return false;
        Set(key, value);
        return true;
    }

    public void Set(TKey key, TValue value)
    {
        _young[key] = value;
        if (_young.Count < entriesMax) return;
        lock (_turn)
        {
            if (_young.Count < entriesMax) return;
            _old = _young;
            _young = new ConcurrentDictionary<TKey, TValue>();
        }
    }
}
