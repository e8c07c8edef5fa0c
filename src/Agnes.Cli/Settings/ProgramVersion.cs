using System.Globalization;

namespace Agnes.Cli.Settings;

/// <summary>This program's version, and the order of versions: dotted numbers, a pre-release before its release.</summary>
internal static class ProgramVersion
{
    public static string Text { get; } = typeof(ProgramVersion).Assembly.GetName().Version!.ToString(3);

    /// <summary>Whether the first is strictly older. What cannot be read counts as not older, so that it never blocks.</summary>
    public static bool IsOlder(string version, string than) =>
        Parse(version) is { } left && Parse(than) is { } right && Compare(left, right) < 0;

    private static int Compare(Parts left, Parts right)
    {
        for (var index = 0; index < Math.Max(left.Numbers.Length, right.Numbers.Length); index++)
        {
            var order = left.Numbers.ElementAtOrDefault(index).CompareTo(right.Numbers.ElementAtOrDefault(index));
            if (order != 0) return order;
        }

        return right.IsPreRelease.CompareTo(left.IsPreRelease);
    }

    private static Parts? Parse(string text)
    {
        text = text.Trim().TrimStart('v');
        var local = text.IndexOf('+', StringComparison.Ordinal);
        if (local >= 0) text = text[..local];
        var end = 0;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || (text[end] == '.' && end + 1 < text.Length && char.IsAsciiDigit(text[end + 1])))) end++;
        if (end == 0) return null;
        var numbers = new List<long>();
        foreach (var number in text[..end].Split('.'))
        {
            if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return null;
            numbers.Add(value);
        }

        var suffix = text[end..].TrimStart('.', '-', '_');
        return new Parts([.. numbers], suffix.Length > 0 && !suffix.StartsWith("post", StringComparison.OrdinalIgnoreCase));
    }

    private sealed record Parts(long[] Numbers, bool IsPreRelease);
}
