using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metrics;

/// <summary>The words of an admin's text, and which of them are tables. Whoever may not read a table is not shown a text that has its name.</summary>
internal static partial class Mentions
{
    /// <summary>As long as ids of tables can be.</summary>
    private const int WordCharsMax = 128;

    /// <summary>
    /// Every word of an answer as it is sent, whatever field it stands in: runs of letters, digits and <c>_</c>, and such runs joined by <c>.</c> and <c>-</c>, as ids of
    /// tables are. JSON inside a text is read as JSON, because its reader does, and Markdown as what it shows.
    /// </summary>
    public static FrozenSet<string> WordsOf(JsonNode answer)
    {
        var words = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        AddNode(words, answer);
        return words.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>The tables, registered or published, that a word is the name or the id of. Costs as much as there are words.</summary>
    public static IEnumerable<NamedTable> TablesOf(Snapshot snapshot, IEnumerable<string> words)
    {
        foreach (var word in words)
        {
            if (NamedTable.ByName(snapshot, word) is { } named) yield return named;
            if ((snapshot.Table(word) ?? snapshot.Table(word.ToLowerInvariant())) is { } row) yield return NamedTable.Of(snapshot, row, word);
        }
    }

    private static void AddNode(HashSet<string> words, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject mapping:
                foreach (var (key, value) in mapping)
                {
                    AddText(words, key);
                    AddNode(words, value);
                }
                break;
            case JsonArray list:
                foreach (var item in list) AddNode(words, item);
                break;
            case JsonValue value when value.TryGetValue<string>(out var text):
                AddText(words, text);
                if (text.AsSpan().TrimStart() is ['{' or '[', ..]) AddNode(words, Parsed(text));
                break;
        }
    }

    private static JsonNode? Parsed(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null; // a text that only looks like it
        }
    }

    /// <summary>As it stands, and as it is shown: a name is written by an admin, who writes Markdown, and read by people and agents, who read what it means.</summary>
    private static void AddText(HashSet<string> words, string text)
    {
        AddRuns(words, text);
        var plain = Plain(text);
        if (plain != text) AddRuns(words, plain);
        var unmarked = Marks().Replace(plain, "");
        if (unmarked != plain) AddRuns(words, unmarked);
        var bare = OuterUnderscores().Replace(unmarked, "");
        if (bare != unmarked) AddRuns(words, bare);
    }

    /// <summary>Without the other ways to write the same letters: entities, escapes, forms of compatibility, what is not seen.</summary>
    private static string Plain(string text)
    {
        if (Ascii.IsValid(text) && text.AsSpan().IndexOfAny('&', '\\') < 0) return text;
        var decoded = Escapes().Replace(WebUtility.HtmlDecode(Entities().Replace(text, static entity => entity switch
        {
            { Groups: [_, { Success: true } letter, ..] } => letter.Value,
            { Value: "&period;" } => ".",
            { Value: "&lowbar;" or "&UnderBar;" } => "_",
            _ => "",
        })), "$1");
        var seen = new StringBuilder(decoded.Length);
        foreach (var rune in decoded.EnumerateRunes()) // half a character becomes one that says so
        {
            if (!IsUnseen(rune)) seen.Append(LetterForms.Plain(rune.Value) ?? rune.ToString());
        }
        return seen.ToString();
    }

    /// <summary>What is shown as nothing: the category of formats, and the other ones that Unicode lets be ignored.</summary>
    private static bool IsUnseen(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format || rune.Value is
        0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or (>= 0x180B and <= 0x180F) or 0x3164 or 0xFFA0 or (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0000 and <= 0xE0FFF);

    private static void AddRuns(HashSet<string> words, string text)
    {
        // Where the words began that the one being read is joined to.
        var starts = new List<int>();
        for (var at = 0; at < text.Length;)
        {
            if (!IsWord(text[at]))
            {
                if (text[at] is not ('.' or '-')) starts.Clear();
                at++;
                continue;
            }
            starts.Add(at);
            while (at < text.Length && IsWord(text[at])) at++;
            starts.RemoveAll(start => at - start > WordCharsMax);
            foreach (var start in starts) words.Add(text[start..at]);
        }
    }

    private static bool IsWord(char c) => char.IsLetterOrDigit(c) || c == '_';

    /// <summary>Those of HTML 5 that can stand in a name, of which the framework does not know: letters in other forms, the underscore, the dot, and what is not seen.</summary>
    [GeneratedRegex("&(?:([A-Za-z])(?:scr|fr|opf)|lowbar|UnderBar|period|ZeroWidthSpace|NoBreak|InvisibleTimes|InvisibleComma|ApplyFunction|it|ic|af);")]
    private static partial Regex Entities();

    /// <summary>A backslash in front of anything that Markdown could take for a mark.</summary>
    [GeneratedRegex("""\\([!-/:-@\[-`{-~])""")]
    private static partial Regex Escapes();

    /// <summary>Of emphasis, code and tags, which may stand within a word. The underscores of emphasis stand around it.</summary>
    [GeneratedRegex("[*`~]+|<[^<>]*>")]
    private static partial Regex Marks();

    [GeneratedRegex("""(?<![\p{L}\p{Nd}_])_+|_+(?![\p{L}\p{Nd}_])""")]
    private static partial Regex OuterUnderscores();
}
