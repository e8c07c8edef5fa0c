using System.Globalization;
using System.Text.RegularExpressions;

namespace Agnes.Connectors.Keboola;

/// <summary>Dates that stand in filters under a name, <c>{{last_week}}</c>, and are put in when a table is pulled.</summary>
public static partial class DatePlaceholders
{
    private static readonly Dictionary<string, Func<DateOnly, DateOnly>> Known = new(StringComparer.Ordinal)
    {
        ["today"] = today => today,
        ["last_week"] = today => today.AddDays(-7),
        ["last_month"] = today => today.AddDays(-30),
        ["last_2_months"] = today => today.AddDays(-60),
        ["last_3_months"] = today => today.AddDays(-90),
        ["last_6_months"] = today => today.AddDays(-180),
        ["last_year"] = today => today.AddDays(-365),
        ["last_2_years"] = today => today.AddDays(-730),
        ["start_of_3_months_ago"] = today => new DateOnly(today.Year, today.Month, 1).AddMonths(-3),
    };

    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <summary>The first name in a text that is none of them, or null.</summary>
    public static string? UnknownIn(string text) =>
        Placeholder().Matches(text).Select(match => match.Groups["name"].Value).FirstOrDefault(name => !Known.ContainsKey(name));

    /// <param name="today">In UTC.</param>
    /// <exception cref="FormatException">A name is none of them.</exception>
    public static string Resolve(string text, DateOnly today) => Placeholder().Replace(text, match =>
        Known.TryGetValue(match.Groups["name"].Value, out var of)
            ? of(today).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
            : throw new FormatException($"unknown placeholder {match.Value}; known: {string.Join(", ", Names)}"));

    [GeneratedRegex(@"\{\{(?<name>[^{}]*)\}\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}
