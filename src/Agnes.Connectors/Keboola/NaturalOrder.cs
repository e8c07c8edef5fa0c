namespace Agnes.Connectors.Keboola;

/// <summary>The order in which a person would put numbered names: <c>part_2</c> before <c>part_10</c>.</summary>
internal sealed class NaturalOrder : IComparer<string>
{
    /// <summary>Of addresses, by what comes before their parameters.</summary>
    public static readonly NaturalOrder OfUrls = new();

    public static string PathOf(string url) => url.IndexOf('?', StringComparison.Ordinal) is >= 0 and var cut ? url[..cut] : url;

    public int Compare(string? x, string? y)
    {
        var (one, other) = (PathOf(x ?? ""), PathOf(y ?? ""));
        int i = 0, j = 0;
        while (i < one.Length && j < other.Length)
        {
            if (char.IsAsciiDigit(one[i]) && char.IsAsciiDigit(other[j]))
            {
                var (left, right) = (NumberAt(one, ref i), NumberAt(other, ref j));
                var order = left.Length != right.Length ? left.Length.CompareTo(right.Length) : string.CompareOrdinal(left, right);
                if (order != 0) return order;
                continue;
            }

            if (one[i] != other[j]) return one[i].CompareTo(other[j]);
            i++;
            j++;
        }

        return (one.Length - i).CompareTo(other.Length - j);
    }

    /// <summary>Without leading zeros, so that the longer one is the larger.</summary>
    private static string NumberAt(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
        return text[start..at].TrimStart('0');
    }
}
