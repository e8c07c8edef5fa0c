using System.Text.RegularExpressions;
using Agnes.Sql;

namespace Agnes.Engine.Publishing;

/// <summary>Engine errors in words that may leave the worker: one line, no paths of this machine.</summary>
public static partial class Wording
{
    private const int CharactersMax = 500;

    /// <param name="root">Paths below it are shown relative to it.</param>
    public static string Of(Exception error, string root) => Of(error.Message.Replace(root.TrimEnd('/') + "/", "", StringComparison.Ordinal));

    public static string Of(string message)
    {
        var text = Context().Replace(EngineAdvice.Without(message), "");
        text = Spaces().Replace(AbsolutePath().Replace(text, "…"), " ").Trim();
        return text.Length > CharactersMax ? text[..CharactersMax] + "…" : text;
    }

    // The engine repeats the statement and points into it.
    [GeneratedRegex(@"\n\s*LINE \d+:[\s\S]*\z")]
    private static partial Regex Context();

    [GeneratedRegex(@"(?<![\w.])(?<!https?:/?)/(?:[^\s""'/]+/)+[^\s""']*")]
    private static partial Regex AbsolutePath();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
