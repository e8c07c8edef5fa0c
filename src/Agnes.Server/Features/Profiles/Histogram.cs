using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Server.Features.Profiles;

/// <summary>Counts by bin, with a label for each.</summary>
internal static class Histogram
{
    private const int QuartersPerYear = 4;
    private static readonly (double Size, string Suffix)[] Sizes = [(1e9, "B"), (1e6, "M"), (1e3, "K")];

    /// <param name="counts">By the number of the bin; those without a value are missing.</param>
    public static JsonNode OfNumbers(JsonElement counts, double min, double width)
    {
        var bins = new long[ProfileSql.Bins];
        foreach (var entry in counts.EnumerateObject())
        {
            var bin = (int)double.Parse(entry.Name, CultureInfo.InvariantCulture);
            bins[Math.Clamp(bin, 0, ProfileSql.Bins - 1)] += entry.Value.GetInt64();
        }

        return Of(bins.Select((count, bin) => ($"{Label(min + (bin * width))}-{Label(min + ((bin + 1) * width))}", count)));
    }

    /// <param name="counts">By the year, or by the quarter counted from year 0.</param>
    public static JsonNode OfPeriods(JsonElement counts, bool isYear) => Of(counts.EnumerateObject()
        .Select(entry => (Period: long.Parse(entry.Name, CultureInfo.InvariantCulture), Count: entry.Value.GetInt64()))
        .OrderBy(entry => entry.Period)
        .Select(entry => (isYear ? Text(entry.Period) : $"{Text((long)Math.Floor(entry.Period / (double)QuartersPerYear))}-Q{Text(Quarter(entry.Period))}", entry.Count)));

    /// <summary>Short enough for an axis: <c>1.2M</c>, <c>7.60</c>, <c>12</c>.</summary>
    public static string Label(double number)
    {
        foreach (var (size, suffix) in Sizes)
        {
            if (Math.Abs(number) >= size) return (number / size).ToString("0.0", CultureInfo.InvariantCulture) + suffix;
        }

        return number.ToString(Math.Abs(number - Math.Round(number)) < 1e-9 ? "0" : "0.00", CultureInfo.InvariantCulture);
    }

    private static long Quarter(long period) => ((period % QuartersPerYear) + QuartersPerYear) % QuartersPerYear + 1;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static JsonObject Of(IEnumerable<(string Label, long Count)> bins)
    {
        var all = bins.ToList();
        return new JsonObject { ["bins"] = new JsonArray([.. all.Select(bin => (JsonNode)bin.Label)]), ["counts"] = new JsonArray([.. all.Select(bin => (JsonNode)bin.Count)]) };
    }
}
