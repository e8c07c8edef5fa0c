namespace Agnes.Cli;

/// <summary>What somebody may have meant.</summary>
internal static class Suggestions
{
    private const int WordCharactersMax = 64;

    public static string? Nearest(string word, IEnumerable<string> known) => Near(word, known, 1).FirstOrDefault();

    /// <summary>The nearest first; only those that differ little, or contain the word.</summary>
    public static IReadOnlyList<string> Near(string word, IEnumerable<string> known, int max)
    {
        if (word.Length is 0 or > WordCharactersMax) return [];
        var limit = Math.Max(1, word.Length / 3);
        return
        [
            .. known.Select(name => (name, distance: Distance(word, name)))
                .Where(pair => pair.distance <= limit || (word.Length >= 3 && pair.name.Contains(word, StringComparison.OrdinalIgnoreCase)))
                .OrderBy(pair => pair.distance).ThenBy(pair => pair.name, StringComparer.Ordinal)
                .Select(pair => pair.name).Take(max),
        ];
    }

    private static int Distance(string left, string right)
    {
        if (Math.Abs(left.Length - right.Length) > WordCharactersMax) return int.MaxValue;
        var previous = new int[right.Length + 1];
        var current = new int[right.Length + 1];
        for (var column = 0; column <= right.Length; column++) previous[column] = column;
        for (var row = 1; row <= left.Length; row++)
        {
            current[0] = row;
            for (var column = 1; column <= right.Length; column++)
            {
                var same = char.ToUpperInvariant(left[row - 1]) == char.ToUpperInvariant(right[column - 1]);
                current[column] = Math.Min(Math.Min(previous[column] + 1, current[column - 1] + 1), previous[column - 1] + (same ? 0 : 1));
            }

            (previous, current) = (current, previous);
        }

        return previous[right.Length];
    }
}
