using System.Text.RegularExpressions;

namespace Agnes.Cli.Settings;

/// <summary>Takes credentials out of texts that are stored or shown.</summary>
internal static partial class Redactor
{
    public static string Redact(string text)
    {
        text = UserInfo().Replace(text, "://***@");
        text = Bearer().Replace(text, "${scheme} ***");
        text = JsonWebToken().Replace(text, "***");
        return NamedSecret().Replace(text, "${name}***");
    }

    // Each pattern starts with a fixed text and its repetitions end soon, so that a long text does not take the square of its length.
    [GeneratedRegex(@"://[^/\s@]+@")]
    private static partial Regex UserInfo();

    [GeneratedRegex(@"\b(?<scheme>Bearer|Basic)\s+[A-Za-z0-9._~+/=-]+", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Bearer();

    [GeneratedRegex(@"\beyJ[A-Za-z0-9_-]{4,2048}\.[A-Za-z0-9_-]+\.?[A-Za-z0-9_-]*")]
    private static partial Regex JsonWebToken();

    [GeneratedRegex(@"(?<name>(?:token|password|secret|api[_-]?key)[""']?\s*[=:]\s*[""']?)[^\s""',}&]+", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex NamedSecret();
}
