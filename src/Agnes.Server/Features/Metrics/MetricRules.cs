using System.Text.RegularExpressions;

namespace Agnes.Server.Features.Metrics;

/// <summary>What a definition must be before it is looked at any closer. Bounds keep one definition from filling an agent's context.</summary>
internal static partial class MetricRules
{
    public const int TextCharsMax = 4_000;
    public const int SqlCharsMax = 32_000;
    public const int ItemsMax = 100;
    public const int ItemCharsMax = 1_000;
    public const int VariantsMax = 30;

    /// <summary>Lower-case words with a slash between: it becomes a path of a file when exported.</summary>
    public static bool IsId(string id) => Id().IsMatch(id);

    public static bool IsVariant(string key) => Variant().IsMatch(key);

    /// <returns>Every fault of the row, in words; none when it may be stored.</returns>
    public static IEnumerable<string> Faults(MetricRow metric)
    {
        if (!IsId(metric.Id)) yield return $"the id '{Short(metric.Id)}' is not of the form category/name in lower-case letters, digits and '_'";
        else if (metric.Id != $"{metric.Category}/{metric.Name}") yield return $"the id '{metric.Id}' is not its category and name, '{Short(metric.Category)}/{Short(metric.Name)}': a file could not hold it";
        foreach (var (key, sql) in metric.Statements())
        {
            if (string.IsNullOrWhiteSpace(sql)) yield return $"{key} is missing or empty";
            else if (sql.Length > SqlCharsMax) yield return $"{key} is longer than {SqlCharsMax} characters";
        }
        foreach (var (name, text) in Texts(metric))
        {
            if (text is { Length: > TextCharsMax }) yield return $"{name} is longer than {TextCharsMax} characters";
        }
        foreach (var (name, list) in Lists(metric))
        {
            var items = MetricJson.Strings(list);
            if (items.Count > ItemsMax || items.Any(item => item.Length > ItemCharsMax)) yield return $"{name} has more than {ItemsMax} entries, or one longer than {ItemCharsMax} characters";
        }
        if (MetricJson.Texts(metric.SqlVariants).Count() > VariantsMax) yield return $"there are more than {VariantsMax} variants";
        if (metric.Validation is { Length: > TextCharsMax }) yield return $"validation is longer than {TextCharsMax} characters";
    }

    public static string Short(string text) => text.Length <= 100 ? text : string.Concat(text.AsSpan(0, 100), "…");

    private static IEnumerable<(string Name, string? Text)> Texts(MetricRow metric) =>
    [
        ("name", metric.Name), ("display_name", metric.DisplayName), ("description", metric.Description), ("type", metric.Type), ("unit", metric.Unit), ("grain", metric.Grain),
        ("table", metric.TableName), ("expression", metric.Expression), ("time_column", metric.TimeColumn), ("source", metric.Source),
    ];

    private static IEnumerable<(string Name, string? Json)> Lists(MetricRow metric) =>
        [("tables", metric.Tables), ("dimensions", metric.Dimensions), ("filters", metric.Filters), ("synonyms", metric.Synonyms), ("notes", metric.Notes)];

    [GeneratedRegex(@"\A[a-z0-9_]{1,64}/[a-z0-9_]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Id();

    [GeneratedRegex(@"\Aby_[a-z0-9_]{1,60}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Variant();
}
