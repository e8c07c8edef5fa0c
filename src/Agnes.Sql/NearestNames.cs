namespace Agnes.Sql;

/// <summary>Names that look like a mistyped one. Looks at every name given: for the path of an error only.</summary>
public static class NearestNames
{
    private const int AnswersMax = 3;
    private const int CharactersMax = 64;
    private const int ShortCharactersMax = 3;

    public static IReadOnlyList<string> Of(string typed, IEnumerable<string> names)
    {
        if (typed.Length is 0 or > CharactersMax) return [];
        var lower = typed.ToLowerInvariant();
        var distanceMax = typed.Length <= ShortCharactersMax ? 1 : Math.Max(2, typed.Length / 4);
        return
        [
            .. names.Where(name => name.Length <= CharactersMax)
                .Select(name => (Name: name, Distance: Distance(lower, name.ToLowerInvariant())))
                .Where(candidate => candidate.Distance <= distanceMax || (typed.Length > ShortCharactersMax && candidate.Name.Contains(typed, StringComparison.OrdinalIgnoreCase)))
                .OrderBy(candidate => candidate.Distance).ThenBy(candidate => candidate.Name, StringComparer.Ordinal)
                .Take(AnswersMax).Select(candidate => candidate.Name),
        ];
    }

    /// <summary>Levenshtein's, over one row.</summary>
    private static int Distance(string a, string b)
    {
        Span<int> row = stackalloc int[CharactersMax + 1];
        for (var j = 0; j <= b.Length; j++) row[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
