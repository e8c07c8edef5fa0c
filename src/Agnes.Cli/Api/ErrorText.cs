using System.Text;
using System.Text.Json;
using Agnes.Cli.Output;

namespace Agnes.Cli.Api;

/// <summary>An error answer as text: a block for typed errors, one line for plain ones and for those with a code and a message.</summary>
internal static class ErrorText
{
    private const int BodyCharactersMax = 500;
    private const int WrapColumns = 80;

    private static readonly string[] Priority =
    [
        "kind", "reason", "path", "registered_as", "billing_project", "data_project", "scan_bytes", "limit_bytes", "tables", "current", "limit", "retry_after_seconds",
    ];

    public static string Render(int status, ReadOnlySpan<byte> body)
    {
        var text = Encoding.UTF8.GetString(body);
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("detail", out var detail))
            {
                if (Block(status, detail) is { } block) return block;
                if (detail.ValueKind == JsonValueKind.String) return Line(status, detail.GetString()!);
                if (Validation(detail) is { } fields) return $"{Line(status, "the request is not valid")}{fields}";
            }
        }
        catch (JsonException)
        {
            // Not JSON (a proxy's page, say): shown as it is.
        }

        return Line(status, text.Length > BodyCharactersMax ? text[..(BodyCharactersMax - 3)] + "..." : text.Trim());
    }

    /// <summary>The same block for failures that this program finds itself.</summary>
    public static string Local(string kind, int status, string message, string? hint = null)
    {
        var block = new StringBuilder($"Error: {kind} (HTTP {status})\n  message: {message}");
        if (hint is not null) Wrap(block, "hint: " + hint);
        return block.ToString();
    }

    /// <summary>The short form of an error answer, for a line of a list.</summary>
    public static string Brief(int status, ReadOnlySpan<byte> body)
    {
        var text = Render(status, body);
        return text.Replace("\n  ", "; ", StringComparison.Ordinal).ReplaceLineEndings(" ");
    }

    private static string Line(int status, string text) => $"HTTP {status}: {text}";

    private static string? Block(int status, JsonElement detail)
    {
        if (detail.ValueKind != JsonValueKind.Object) return null;
        if (Text(detail, "kind").Length == 0 && Text(detail, "reason").Length == 0 && Text(detail, "message") is { Length: > 0 } message) return Said(status, message, detail);
        var label = new[] { "kind", "reason", "error", "code" }.FirstOrDefault(key => Text(detail, key).Length > 0);
        if (label is null) return null;
        var block = new StringBuilder($"Error: {Text(detail, label)} (HTTP {status})");
        Fields(block, detail, label);
        return block.ToString();
    }

    /// <summary>The message is for the person, the code behind it for who looks it up.</summary>
    private static string Said(int status, string message, JsonElement detail)
    {
        var label = new[] { "code", "error" }.FirstOrDefault(key => Text(detail, key).Length > 0);
        var block = new StringBuilder(Line(status, label is null ? message : $"{message} ({Text(detail, label)})"));
        Fields(block, detail, label, "message");
        return block.ToString();
    }

    /// <summary>What else there is, a line each.</summary>
    private static void Fields(StringBuilder block, JsonElement detail, params ReadOnlySpan<string?> said)
    {
        foreach (var key in Priority)
        {
            if (!said.Contains(key) && detail.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null) block.Append($"\n  {key}: {Value(value)}");
        }

        foreach (var property in detail.EnumerateObject())
        {
            if (said.Contains(property.Name) || Priority.Contains(property.Name) || property.Name is "hint" or "suggestion" || property.Value.ValueKind == JsonValueKind.Null) continue;
            if (property.Value.ValueKind == JsonValueKind.Object && !property.Value.EnumerateObject().Any()) continue;
            block.Append($"\n  {property.Name}: {Value(property.Value)}");
        }

        foreach (var key in (string[])["hint", "suggestion"])
        {
            if (Text(detail, key) is { Length: > 0 } text) Wrap(block, $"{key}: {text}");
        }
    }

    /// <summary>The list of field errors that request models answer with.</summary>
    private static string? Validation(JsonElement detail)
    {
        if (detail.ValueKind != JsonValueKind.Array) return null;
        var lines = new StringBuilder();
        foreach (var item in detail.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("msg", out var message)) continue;
            var place = item.TryGetProperty("loc", out var loc) && loc.ValueKind == JsonValueKind.Array
                ? string.Join('.', loc.EnumerateArray().Select(part => part.ToString()).Where(part => part != "body"))
                : "";
            lines.Append($"\n  {(place.Length > 0 ? place : "body")}: {message}");
        }

        return lines.Length > 0 ? lines.ToString() : null;
    }

    private static string Text(JsonElement detail, string key) =>
        detail.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static string Value(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString() is { Length: > 0 } text ? text : "(empty)",
        JsonValueKind.Array => value.GetArrayLength() == 0 ? "(empty)" : string.Join(", ", value.EnumerateArray().Select(Value)),
        JsonValueKind.Object => JsonText.Compact(value),
        _ => value.GetRawText(),
    };

    private static void Wrap(StringBuilder block, string text)
    {
        var column = 0;
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (column > 0 && column + 1 + word.Length <= WrapColumns)
            {
                block.Append(' ').Append(word);
                column += 1 + word.Length;
                continue;
            }

            var indent = column == 0 ? 2 : 4;
            block.Append('\n').Append(' ', indent).Append(word);
            column = indent + word.Length;
        }
    }
}
