using System.Text.RegularExpressions;

namespace Agnes.Engine.Publishing;

/// <summary>Engine errors in words that may leave the worker: one line, no paths of this machine.</summary>
public static partial class Wording
{
    private const int CharactersMax = 500;

    /// <param name="root">Paths below it are shown relative to it.</param>
    public static string Of(Exception error, string root)
    {
        var text = error.Message.Replace(root.TrimEnd('/') + "/", "", StringComparison.Ordinal);
        text = Context().Replace(text, "");
        text = Spaces().Replace(AbsolutePath().Replace(text, "…"), " ").Trim();
        return text.Length > CharactersMax ? text[..CharactersMax] + "…" : text;
    }

    // The engine repeats the statement and points into it.
    [GeneratedRegex(@"\n\s*LINE \d+:[\s\S]*\z")]
    private static partial Regex Context();

    [GeneratedRegex(@"(?<![\w.])/(?:[^\s""'/]+/)+[^\s""']*")]
    private static partial Regex AbsolutePath();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
