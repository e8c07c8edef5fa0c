using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Connectors.Jira;

/// <summary>How values of Jira become cells: the helpers of spec/02 §7.5. Whatever shape a site sends, none of them throws.</summary>
internal static class JiraText
{
    private const int DepthMax = 100;

    public static JsonNode? At(this JsonNode? node, string name) => (node as JsonObject)?[name];

    public static JsonNode? At(this JsonNode? node, string first, string second) => node.At(first).At(second);

    /// <summary>Text as it is; of anything else its JSON, as where an id is a number.</summary>
    public static string? Text(this JsonNode? node) => node switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        JsonValue value => value.GetValueKind() switch { JsonValueKind.True => "True", JsonValueKind.False => "False", _ => value.ToJsonString() },
        _ => node.ToJsonString(),
    };

    /// <summary>Text, and null of anything else.</summary>
    public static string? TextOnly(this JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    public static long? Number(this JsonNode? node) => node is not JsonValue value ? null
        : value.TryGetValue<long>(out var whole) ? whole
        : value.TryGetValue<double>(out var real) && Math.Abs(real) < long.MaxValue ? (long)real
        : value.TryGetValue<string>(out var text) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed) ? parsed
        : null;

    public static JsonArray Items(this JsonNode? node) => node as JsonArray ?? [];

    /// <summary>An option's <c>value</c>, else its <c>name</c>; a scalar's own text.</summary>
    public static string? Option(JsonNode? node) => node is JsonObject option ? (option["value"] ?? option["name"]).Text() : node.Text();

    public static string Options(JsonNode? node) => PlainJson(node.Items().Where(IsTruthy).Select(Option));

    /// <summary>A JSON array of texts in the layout that existing readers know: spaces after commas, nothing but ASCII.</summary>
    public static string PlainJson(IEnumerable<string?> items)
    {
        var text = new StringBuilder("[");
        foreach (var item in items)
        {
            if (text.Length > 1) text.Append(", ");
            if (item is null) text.Append("null");
            else Quote(text, item);
        }

        return text.Append(']').ToString();
    }

    /// <summary>The plain text of a document of Atlassian's format: the texts of its nodes, joined by spaces.</summary>
    public static string Adf(JsonNode? node, int depth = 0) => depth > DepthMax ? "" : node switch
    {
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        JsonArray items => string.Join(' ', items.Select(item => Adf(item, depth + 1))),
        JsonObject one => string.Join(' ', ((string?[])[one["text"].TextOnly(), one["content"] is { } content ? Adf(content, depth + 1) : null])
            .Where(part => !string.IsNullOrEmpty(part))).Trim(),
        _ => "",
    };

    /// <summary>ISO 8601 with an offset, to the second: fractions are cut as in existing tables.</summary>
    public static DateTime? Moment(JsonNode? node)
    {
        if (node.TextOnly() is not { } text) return null;
        var dot = text.IndexOf('.');
        if (dot >= 0)
        {
            var end = dot + 1;
            while (end < text.Length && char.IsAsciiDigit(text[end])) end++;
            text = text.Remove(dot, end - dot);
        }

        if (text.Length > 5 && text[^5] is '+' or '-' && text.AsSpan(text.Length - 4).IndexOfAnyExceptInRange('0', '9') < 0) text = text.Insert(text.Length - 2, ":");
        return DateTimeOffset.TryParseExact(
            text, (string[])["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd' 'HH:mm:ssK", "yyyy-MM-dd'T'HH:mmK"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)
            ? moment.UtcDateTime : null;
    }

    /// <summary>To the millisecond, for putting events in order; 0 where there is none.</summary>
    public static long Milliseconds(JsonNode? node) => node.TextOnly() is { } text
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) ? moment.ToUnixTimeMilliseconds() : 0;

    /// <summary>As Jira writes moments.</summary>
    public static string Iso(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(milliseconds, 0, 253_402_300_799_999)).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'+0000'", CultureInfo.InvariantCulture);

    private static bool IsTruthy(JsonNode? node) => node switch
    {
        null => false,
        JsonArray items => items.Count > 0,
        JsonObject fields => fields.Count > 0,
        JsonValue value => value.GetValueKind() switch
        {
            JsonValueKind.False => false,
            JsonValueKind.String => value.GetValue<string>().Length > 0,
            JsonValueKind.Number => !value.TryGetValue<double>(out var number) || number != 0,
            _ => true,
        },
        _ => true,
    };

    private static void Quote(StringBuilder text, string item)
    {
        text.Append('"');
        foreach (var character in item)
        {
            switch (character)
            {
                case '"': text.Append("\\\""); break;
                case '\\': text.Append(@"\\"); break;
                case '\n': text.Append("\\n"); break;
                case '\r': text.Append("\\r"); break;
                case '\t': text.Append("\\t"); break;
                case '\b': text.Append("\\b"); break;
                case '\f': text.Append("\\f"); break;
                case < ' ' or > '~': text.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"); break;
                default: text.Append(character); break;
            }
        }

        text.Append('"');
    }
}
