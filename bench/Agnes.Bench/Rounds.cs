namespace Agnes.Bench;

/// <param name="Ours">Median of our rounds, in <paramref name="Unit"/>.</param>
/// <param name="Peer">Median of the peer's rounds; null where the goal is absolute.</param>
internal sealed record Measurement(string Id, string Path, string Unit, double Ours, double? Peer, string Goal, bool Met)
{
    public double? Ratio => Peer is > 0 ? Ours / Peer : null;
}

/// <summary>Interleaves both sides (A B A B …), so that a slow minute of the machine hits both.</summary>
internal static class Rounds
{
    public const int RoundsMin = 5;

    public static async Task<(double Ours, double Peer)> InterleaveAsync(Func<int, Task<double>> ours, Func<int, Task<double>> peer, int rounds = RoundsMin)
    {
        List<double> a = [], b = [];
        for (var round = 0; round < rounds; round++)
        {
            a.Add(await ours(round));
            b.Add(await peer(round));
        }

        return (Median(a), Median(b));
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        if (sorted.Length == 0) return double.NaN;
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    public static double Percentile(IEnumerable<double> values, double fraction)
    {
        var sorted = values.Order().ToArray();
        return sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * fraction))];
    }
}
