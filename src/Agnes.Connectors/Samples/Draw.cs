using System.Text;

namespace Agnes.Connectors.Samples;

/// <summary>Chances of one table, reproducible from the seed and the table's name alone, so that the order in which tables are made does not matter.</summary>
internal sealed class Draw
{
    private readonly Random _random;

    public Draw(int seed, string table)
    {
        var hash = 2166136261u; // FNV-1a: stable between processes, unlike string.GetHashCode
        foreach (var octet in Encoding.UTF8.GetBytes(table)) hash = (hash ^ octet) * 16777619u;
        _random = new Random(unchecked((int)hash ^ (seed * 486187739)));
    }

    public double Unit() => _random.NextDouble();

    public bool Chance(double probability) => _random.NextDouble() < probability;

    /// <summary>Both ends included.</summary>
    public int Whole(int from, int to) => _random.Next(from, to + 1);

    public double Between(double from, double to) => from + (to - from) * _random.NextDouble();

    /// <summary>To the cent.</summary>
    public double Money(double from, double to) => Math.Round(Between(from, to), 2);

    public T Of<T>(IReadOnlyList<T> items) => items[_random.Next(items.Count)];

    public T Of<T>(Weighted<T> items) => items.At(_random.NextDouble());

    /// <summary>Heavy-tailed: few indexes are drawn often. Shape 1.2.</summary>
    public int Pareto(int count) => Math.Min(count - 1, (int)(count * (1 - Math.Pow(1 - _random.NextDouble(), 1 / 1.2))) * 2 % count);
}

/// <summary>Items with weights; drawing costs a binary search.</summary>
internal sealed class Weighted<T>
{
    private readonly T[] _items;
    private readonly double[] _upTo;

    public Weighted(params (T Item, double Weight)[] items)
        : this(items.AsEnumerable())
    {
    }

    public Weighted(IEnumerable<(T Item, double Weight)> items)
    {
        List<T> all = [];
        List<double> sums = [];
        var sum = 0.0;
        foreach (var (item, weight) in items)
        {
            sum += weight;
            all.Add(item);
            sums.Add(sum);
        }

        (_items, _upTo) = ([.. all], [.. sums]);
    }

    public IReadOnlyList<T> Items => _items;

    public T At(double unit)
    {
        var at = Array.BinarySearch(_upTo, unit * _upTo[^1]);
        return _items[Math.Min(_items.Length - 1, at < 0 ? ~at : at + 1)];
    }
}
