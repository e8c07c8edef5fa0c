using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Agnes.Server.Features.Prompts.Templates;

/// <summary>The filters that a template may use; <c>default</c> is the evaluator's own, as it takes what is undefined.</summary>
internal static class TemplateFilters
{
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static object? Apply(string name, object? input, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named, int line)
    {
        string Text() => TemplateValue.Text(input, line);
        string Argument(int index) => index < arguments.Count ? TemplateValue.Text(arguments[index], line) : throw new TemplateException($"line {line}: '{name}' needs {index + 1} argument(s)");
        switch (name)
        {
            case "length" or "count": return Length(input, line);
            case "upper": return Text().ToUpperInvariant();
            case "lower": return Text().ToLowerInvariant();
            case "trim": return Text().Trim();
            case "replace": return Replace(Text(), Argument(0), Argument(1), line);
            case "first": return End(input, line, first: true);
            case "last": return End(input, line, first: false);
            case "e" or "escape": return Escape(Text());
            case "tojson": return ToJson(input);
            case "join": return JoinAll(input, arguments, named, line);
            case "map": return Map(input, named, line);
            case "sort": return Sort(input, named, line);
            default: throw new TemplateException($"line {line}: the filter '{name}' is not known");
        }
    }

    private static object Length(object? input, int line) => input switch
    {
        string text => (long)text.Length,
        IReadOnlyList<object?> list => (long)list.Count,
        IReadOnlyDictionary<string, object?> mapping => (long)mapping.Count,
        _ => throw new TemplateException($"line {line}: only texts, lists and mappings have a length"),
    };

    private static string Replace(string text, string old, string by, int line)
    {
        if (old.Length == 0) throw new TemplateException($"line {line}: 'replace' needs something to look for");
        var growth = (long)text.AsSpan().Count(old) * (by.Length - old.Length);
        if (text.Length + growth > Template.OutputCharsMax) throw new TemplateException($"line {line}: a text is longer than {Template.OutputCharsMax} characters");
        return text.Replace(old, by, StringComparison.Ordinal);
    }

    private static object? End(object? input, int line, bool first)
    {
        if (input is string text) return text.Length == 0 ? new Undefined("first") : text[first ? 0 : ^1].ToString();
        var items = TemplateValue.Items(input, line);
        return items.Count == 0 ? new Undefined(first ? "first" : "last") : items[first ? 0 : ^1];
    }

    private static string JoinAll(object? input, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named, int line)
    {
        var between = arguments.Count > 0 ? TemplateValue.Text(arguments[0], line) : "";
        var items = named.ContainsKey("attribute") ? Map(input, named, line) : TemplateValue.Items(input, line);
        var joined = new StringBuilder();
        foreach (var (index, item) in items.Index())
        {
            if (index > 0) joined.Append(between);
            joined.Append(TemplateValue.Text(item, line));
            if (joined.Length > Template.OutputCharsMax) throw new TemplateException($"line {line}: a text is longer than {Template.OutputCharsMax} characters");
        }
        return joined.ToString();
    }

    private static List<object?> Map(object? input, IReadOnlyDictionary<string, object?> named, int line)
    {
        if (named.GetValueOrDefault("attribute") is not string attribute) throw new TemplateException($"line {line}: 'map' needs attribute='…'");
        return [.. TemplateValue.Items(input, line).Select(item => Of(item, attribute, line))];
    }

    private static List<object?> Sort(object? input, IReadOnlyDictionary<string, object?> named, int line)
    {
        var items = TemplateValue.Items(input, line).ToList();
        var by = named.GetValueOrDefault("attribute") as string;
        var isReversed = TemplateValue.IsTrue(named.GetValueOrDefault("reverse"));
        object? Key(object? item) => by is null ? item : Of(item, by, line);
        var sorted = items.Order(Comparer<object?>.Create((a, b) => CompareIgnoringCase(Key(a), Key(b), line))).ToList();
        if (isReversed) sorted.Reverse();
        return sorted;
    }

    private static int CompareIgnoringCase(object? left, object? right, int line) => left is string a && right is string b
        ? string.Compare(a, b, StringComparison.OrdinalIgnoreCase)
        : TemplateValue.Compare(left, right, line);

    private static object? Of(object? item, string attribute, int line) =>
        TemplateValue.Member(item, attribute, line) is var value && value is Undefined ? throw new TemplateException($"line {line}: '{attribute}' is undefined") : value;

    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal).Replace("\"", "&#34;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal);

    private static string ToJson(object? value)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, Json)) Write(writer, value);
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private static void Write(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null: writer.WriteNullValue(); break;
            case string text: writer.WriteStringValue(text); break;
            case bool flag: writer.WriteBooleanValue(flag); break;
            case long number: writer.WriteNumberValue(number); break;
            case double number: writer.WriteNumberValue(number); break;
            case IReadOnlyDictionary<string, object?> mapping:
                writer.WriteStartObject();
                foreach (var (key, item) in mapping)
                {
                    writer.WritePropertyName(key);
                    Write(writer, item);
                }
                writer.WriteEndObject();
                break;
            case IReadOnlyList<object?> list:
                writer.WriteStartArray();
                foreach (var item in list) Write(writer, item);
                writer.WriteEndArray();
                break;
        }
    }
}
