using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metrics;

/// <summary>The words of an admin's text, and which of them are tables. Whoever may not read a table is not shown a text that has its name.</summary>
internal static class Mentions
{
    /// <summary>As long as ids of tables can be.</summary>
    private const int WordCharsMax = 128;

    /// <summary>
    /// Every word of an answer as it is sent, whatever field it stands in: runs of letters, digits and <c>_</c>, and such runs joined by <c>.</c> and <c>-</c>, as ids of
    /// tables are. JSON inside a text is read as JSON, because its reader does.
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

    private static void AddText(HashSet<string> words, string text)
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
}
