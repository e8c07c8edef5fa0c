using System.Text;
using System.Text.Json.Nodes;

namespace Agnes.Server.Platform.Config;

/// <summary>
/// References to variables in the texts of a configuration: <c>${NAME}</c>, <c>${NAME:-otherwise}</c>, and <c>$${</c> for the characters themselves. Keys and everything that is no
/// text stay as they are.
/// </summary>
internal static class References
{
    private const string Open = "${";

    public static bool Has(string text) => text.Contains(Open, StringComparison.Ordinal);

    /// <summary>The variables that a text refers to, in order.</summary>
    public static IReadOnlyList<string> Names(string text)
    {
        var names = new List<string>();
        Resolve(text, name =>
        {
            names.Add(name);
            return null;
        }, static _ => { });
        return names;
    }

    public static JsonNode? Resolve(JsonNode? node, Func<string, string?> environment, Action<string> missing, string path = "") => Resolve(node, (_, name) => environment(name), missing, path);

    /// <param name="value">Of a variable, where a text at a dotted path names it.</param>
    /// <param name="missing">Told of each variable that is not set, with where.</param>
    public static JsonNode? Resolve(JsonNode? node, Func<string, string, string?> value, Action<string> missing, string path = "") => node switch
    {
        JsonObject item => new JsonObject(item.Select(pair => KeyValuePair.Create(pair.Key, Resolve(pair.Value, value, missing, path.Length == 0 ? pair.Key : $"{path}.{pair.Key}")))),
        JsonArray list => new JsonArray([.. list.Select(inner => Resolve(inner, value, missing, path))]),
        JsonValue leaf when leaf.TryGetValue<string>(out var text) && Has(text) => JsonValue.Create(Resolve(text, name => value(path, name), name => missing($"{path} names the variable {name}, which is not set."))),
        _ => node?.DeepClone(),
    };

    private static string Resolve(string text, Func<string, string?> environment, Action<string> missing)
    {
        var resolved = new StringBuilder(text.Length);
        var at = 0;
        while (at < text.Length)
        {
            var open = text.IndexOf(Open, at, StringComparison.Ordinal);
            var close = open < 0 ? -1 : text.IndexOf('}', open);
            if (close < 0) break;
            if (open > at && text[open - 1] == '$')
            {
                resolved.Append(text, at, open - 1 - at).Append(Open);
                at = open + Open.Length;
                continue;
            }

            resolved.Append(text, at, open - at).Append(Value(text[(open + Open.Length)..close], environment, missing));
            at = close + 1;
        }

        return resolved.Append(text, at, text.Length - at).ToString();
    }

    private static string Value(string reference, Func<string, string?> environment, Action<string> missing)
    {
        var (name, otherwise) = reference.Split(":-", 2) is [var left, var right] ? (left, right) : (reference, null);
        if (environment(name) is { Length: > 0 } value) return value;
        if (otherwise is not null) return otherwise;
        missing(name);
        return "";
    }
}
