using System.Text.RegularExpressions;

namespace Agnes.Sql;

/// <summary>
/// The engine tells whoever runs it which of its settings to change and which page to read. Nobody who meets our errors can do that: the settings are ours and
/// locked, so that what is left of an error is what happened.
/// </summary>
public static partial class EngineAdvice
{
    /// <summary>The message without advice about settings, extensions and pages of the engine. Lines that show the statement stay as they are.</summary>
    public static string Without(string message)
    {
        var shown = Context().Match(message) is { Success: true } context ? message[context.Index..] : "";
        var said = List().Replace(message[..(message.Length - shown.Length)], "");
        var kept = string.Join('\n', said.Split('\n').Select(WithoutInLine).OfType<string>()).TrimEnd();
        return kept.Length > 0 ? kept + shown : FirstSentence(said) + shown;
    }

    /// <summary>The same, without lines that show another statement than the asker's, such as the one that theirs was put into.</summary>
    public static string Without(string message, string? asked)
    {
        var text = Without(message);
        if (Context().Match(text) is not { Success: true } context) return text;
        var shown = context.Groups[1].Value.Trim();
        if (shown.StartsWith("...", StringComparison.Ordinal)) shown = shown[3..];
        if (shown.EndsWith("...", StringComparison.Ordinal)) shown = shown[..^3];
        return asked is not null && asked.Contains(shown, StringComparison.Ordinal) ? text : text[..context.Index];
    }

    /// <returns>Null for a line that is advice altogether.</returns>
    private static string? WithoutInLine(string line)
    {
        if (!Advice().IsMatch(line)) return line;
        var kept = string.Join(' ', Sentences().Split(line).Where(sentence => !Advice().IsMatch(sentence))).Trim();
        return kept.Length > 0 ? kept : null;
    }

    /// <summary>A message that is nothing but advice still says what happened in front of it.</summary>
    private static string FirstSentence(string said) => Advice().Match(said) is { Success: true, Index: > 0 } advice
        ? said[..advice.Index].TrimEnd(' ', '(', '\n', ',', ':')
        : said.Trim();

    [GeneratedRegex(@"\n\s*LINE \d+: ?([^\n]*)")]
    private static partial Regex Context();

    [GeneratedRegex(@"\n\s*Possible (?:solutions?|fix(?:es)?):[\s\S]*\z", RegexOptions.IgnoreCase)]
    private static partial Regex List();

    [GeneratedRegex(@"https?://|\bSET (?:[A-Z]+ )?[a-z]+(?:_[a-z]+|\s*=)|\bRESET [a-z]+_[a-z]+|\bPRAGMA [a-z_]+|\b(?:INSTALL|LOAD) [a-z_]+;|'[a-z]+(?:_[a-z]+)+' setting|\bsetting '[a-z_]+'")]
    private static partial Regex Advice();

    [GeneratedRegex(@"(?<=[.!?])\s+(?=\p{Lu})")]
    private static partial Regex Sentences();
}
