using System.Collections;
using System.Runtime.CompilerServices;

namespace Agnes.Sql.BigQuery;

/// <summary>A list that equals another of equal items, so that records that hold one compare by what they say.</summary>
[CollectionBuilder(typeof(NodeList), nameof(NodeList.Of))]
public sealed class NodeList<T>(IReadOnlyList<T> items) : IReadOnlyList<T>, IEquatable<NodeList<T>>
{
    public int Count => items.Count;

    public T this[int index] => items[index];

    public bool Equals(NodeList<T>? other) => other is not null && this.SequenceEqual(other);

    public override bool Equals(object? obj) => Equals(obj as NodeList<T>);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var item in items) hash.Add(item);
        return hash.ToHashCode();
    }

    public override string ToString() => $"[{string.Join(", ", items)}]";

    public IEnumerator<T> GetEnumerator() => items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public NodeList<TOther> Map<TOther>(Func<T, TOther> map) => new([.. items.Select(map)]);
}

public static class NodeList
{
    public static NodeList<T> Of<T>(ReadOnlySpan<T> items) => new(items.ToArray());
}
