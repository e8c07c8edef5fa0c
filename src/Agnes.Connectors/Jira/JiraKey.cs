using System.Text.RegularExpressions;

namespace Agnes.Connectors.Jira;

/// <summary>Keys of issues, which become names of files: spec/02 §1.</summary>
public static partial class JiraKey
{
    public static bool IsKey(string? text) => text is not null && Pattern.IsMatch(text);

    /// <summary>The number by which an issue is known however often its key changes.</summary>
    public static bool IsId(string? text) => text is { Length: > 0 and <= 18 } && text.All(char.IsAsciiDigit);

    [GeneratedRegex(@"^[A-Z][A-Z0-9]{0,31}-[0-9]{1,12}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern { get; }
}
