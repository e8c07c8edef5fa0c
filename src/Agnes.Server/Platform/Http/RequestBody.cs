using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Protocol;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Platform.Http;

/// <summary>
/// Reads a JSON object field by field and collects every fault, so that a caller learns all of them at once.
/// Call <see cref="ThrowIfInvalid"/> before any value is used: a faulty field reads as a default.
/// </summary>
public sealed class RequestBody
{
    private static readonly JsonDocumentOptions Parsing = new() { MaxDepth = 32 };
    private readonly JsonElement _root;
    private readonly Invalid _invalid = new();

    private RequestBody(JsonElement root) => _root = root;

    /// <summary>Answers 422 when the body is not a JSON object.</summary>
    public static async Task<RequestBody> ReadAsync(HttpContext context)
    {
        var invalid = new Invalid();
        JsonElement root = default;
        try
        {
            if (!IsJson(context.Request.ContentType))
            {
                invalid.Add("model_attributes_type", ["body"], "Input should be a valid dictionary or object to extract fields from", null);
                throw invalid.Exception();
            }

            using var document = await JsonDocument.ParseAsync(context.Request.Body, Parsing, context.RequestAborted);
            root = document.RootElement.Clone();
        }
        catch (JsonException fault)
        {
            if (context.Request.ContentLength is 0 or null && fault.BytePositionInLine is 0 or null && fault.LineNumber is 0 or null)
            {
                invalid.Add("missing", ["body"], "Field required", null);
            }
            else
            {
                invalid.Add("json_invalid", ["body", fault.BytePositionInLine ?? 0], "JSON decode error", new JsonObject(), new JsonObject { ["error"] = "Expecting value" });
            }

            throw invalid.Exception();
        }

        if (root.ValueKind == JsonValueKind.Object) return new RequestBody(root);
        invalid.Add("model_attributes_type", ["body"], "Input should be a valid dictionary or object to extract fields from", Node(root));
        throw invalid.Exception();
    }

    /// <summary>An object out of a list in another body.</summary>
    public static RequestBody Of(JsonElement item, int index)
    {
        if (item.ValueKind == JsonValueKind.Object) return new RequestBody(item);
        var invalid = new Invalid();
        invalid.Add("model_attributes_type", ["body", index], "Input should be a valid dictionary or object to extract fields from", Node(item));
        throw invalid.Exception();
    }

    /// <summary>For endpoints whose body may be absent altogether.</summary>
    public static Task<RequestBody> ReadOptionalAsync(HttpContext context) => context.Request.ContentLength is 0 || context.Request.Headers.ContentType.Count == 0
        ? Task.FromResult(new RequestBody(JsonDocument.Parse("{}").RootElement))
        : ReadAsync(context);

    public bool Has(string name) => _root.TryGetProperty(name, out _);

    public string String(string name)
    {
        if (_root.TryGetProperty(name, out var value)) return Text(name, value) ?? "";
        _invalid.Add("missing", ["body", name], "Field required", Node(_root));
        return "";
    }

    public string String(string name, string absent) => _root.TryGetProperty(name, out var value) ? Text(name, value) ?? absent : absent;

    /// <summary>Null when absent or null.</summary>
    public string? OptionalString(string name) =>
        _root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? Text(name, value) : null;

    public bool? OptionalBoolean(string name)
    {
        if (!_root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        switch (value.ValueKind)
        {
            case JsonValueKind.True:
                return true;
            case JsonValueKind.False:
                return false;
            case JsonValueKind.String when value.GetString()?.ToLowerInvariant() is "true" or "1" or "yes" or "on":
                return true;
            case JsonValueKind.String when value.GetString()?.ToLowerInvariant() is "false" or "0" or "no" or "off":
                return false;
            default:
                _invalid.Add("bool_type", ["body", name], "Input should be a valid boolean", Node(value));
                return null;
        }
    }

    public bool Boolean(string name, bool absent) => OptionalBoolean(name) ?? absent;

    public int? OptionalInteger(string name)
    {
        if (!_root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)) return number;
        if (value.ValueKind == JsonValueKind.String && int.TryParse(value.GetString(), out var parsed)) return parsed;
        var (type, message) = value.ValueKind switch
        {
            JsonValueKind.Number => ("int_from_float", "Input should be a valid integer, got a number with a fractional part or out of range"),
            JsonValueKind.String => ("int_parsing", "Input should be a valid integer, unable to parse string as an integer"),
            _ => ("int_type", "Input should be a valid integer"),
        };
        _invalid.Add(type, ["body", name], message, Node(value));
        return null;
    }

    /// <summary>Empty when absent or null.</summary>
    public IReadOnlyList<string> Strings(string name)
    {
        if (!_root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return [];
        if (value.ValueKind != JsonValueKind.Array)
        {
            _invalid.Add("list_type", ["body", name], "Input should be a valid list", Node(value));
            return [];
        }

        var texts = new List<string>(value.GetArrayLength());
        foreach (var item in value.EnumerateArray()) texts.Add(Text(name, item) ?? "");
        return texts;
    }

    /// <summary>A field as it came; undefined when absent.</summary>
    public JsonElement Element(string name) => _root.TryGetProperty(name, out var value) ? value : default;

    /// <summary>Adds a fault of the caller's own rule.</summary>
    public void Refuse(string name, string message) => _invalid.AddValue("body", name, message, Node(Element(name)));

    /// <summary>Adds a fault: the field is none of the words it may be.</summary>
    public string OneOf(string name, string absent, params string[] words)
    {
        var value = String(name, absent);
        if (Array.IndexOf(words, value) >= 0) return value;
        var expected = words.Length == 1 ? $"'{words[0]}'" : $"{string.Join(", ", words[..^1].Select(word => $"'{word}'"))} or '{words[^1]}'";
        _invalid.Add("literal_error", ["body", name], $"Input should be {expected}", value, new JsonObject { ["expected"] = expected });
        return absent;
    }

    public void ThrowIfInvalid() => _invalid.ThrowIfAny();

    private string? Text(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            _invalid.Add("string_type", ["body", name], "Input should be a valid string", Redactor.IsSecretKey(name) ? Redactor.Mask : Node(value));
            return null;
        }

        try
        {
            var text = value.GetString()!;
            if (!text.Contains('\0', StringComparison.Ordinal)) return text;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: no text that could be stored or compared.
        }

        _invalid.AddValue("body", name, "text must be valid Unicode without NUL", null);
        return null;
    }

    private static JsonNode? Node(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => JsonObject.Create(value),
        JsonValueKind.Array => JsonArray.Create(value),
        JsonValueKind.Undefined or JsonValueKind.Null => null,
        _ => JsonValue.Create(value),
    };

    private static bool IsJson(string? contentType)
    {
        if (string.IsNullOrEmpty(contentType)) return true;
        var semicolon = contentType.IndexOf(';', StringComparison.Ordinal);
        var media = (semicolon < 0 ? contentType : contentType[..semicolon]).Trim();
        return media.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (media.StartsWith("application/", StringComparison.OrdinalIgnoreCase) && media.EndsWith("+json", StringComparison.OrdinalIgnoreCase));
    }
}
