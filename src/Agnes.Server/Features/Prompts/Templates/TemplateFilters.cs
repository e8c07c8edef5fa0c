using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Agnes.Server.Features.Prompts.Templates;

/// <summary>The filters that a template may use; <c>default</c> is the evaluator's own, as it takes what is undefined.</summary>
internal static class TemplateFilters
{
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static object? Apply(string name, object? input, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named, TemplateCost cost, int line)
    {
        string Text()
        {
            var text = TemplateValue.Text(input, line);
            cost.Char(text.Length, line);
            return text;
        }


        string Argument(int index) => index < arguments.Count ? TemplateValue.Text(arguments[index], line) : throw new TemplateException($"line {line}: '{name}' needs {index + 1} argument(s)");
        switch (name)
        {
            case "length" or "count": return Length(input, line);
            case "upper": return Text().ToUpperInvariant();
            case "lower": return Text().ToLowerInvariant();
            case "trim": return Text().Trim();
            case "replace": return Replace(Text(), Argument(0), Argument(1), cost, line);
            case "first": return End(input, cost, line, first: true);
            case "last": return End(input, cost, line, first: false);
            case "e" or "escape": return Escape(Text(), cost, line);
            case "tojson": return ToJson(input, cost, line);
            case "join": return JoinAll(input, arguments, named, cost, line);
            case "map": return Map(input, named, cost, line);
            case "sort": return Sort(input, named, cost, line);
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

    private static string Replace(string text, string old, string by, TemplateCost cost, int line)
    {
        if (old.Length == 0) throw new TemplateException($"line {line}: 'replace' needs something to look for");
        cost.Search(text, old, line);
        var growth = (long)text.AsSpan().Count(old) * (by.Length - old.Length);
        cost.Text(text.Length + growth, line);
        return text.Replace(old, by, StringComparison.Ordinal);
    }

    private static object? End(object? input, TemplateCost cost, int line, bool first)
    {
        if (input is string text) return text.Length == 0 ? new Undefined("first") : text[first ? 0 : ^1].ToString();
        var items = TemplateValue.Items(input, cost, line);
        return items.Count == 0 ? new Undefined(first ? "first" : "last") : items[first ? 0 : ^1];
    }

    private static string JoinAll(object? input, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named, TemplateCost cost, int line)
    {
        var between = arguments.Count > 0 ? TemplateValue.Text(arguments[0], line) : "";
        var items = named.ContainsKey("attribute") ? Map(input, named, cost, line) : TemplateValue.Items(input, cost, line);
        var joined = new StringBuilder();
        foreach (var (index, item) in items.Index())
        {
            var text = TemplateValue.Text(item, line);
            cost.Step(line);
            cost.Char(text.Length + between.Length, line);
            if (joined.Length + text.Length + between.Length > TemplateCost.OutputCharsMax) throw new TemplateException($"line {line}: a text is longer than {TemplateCost.OutputCharsMax} characters");
            if (index > 0) joined.Append(between);
            joined.Append(text);
        }
        return joined.ToString();
    }

    private static List<object?> Map(object? input, IReadOnlyDictionary<string, object?> named, TemplateCost cost, int line)
    {
        if (named.GetValueOrDefault("attribute") is not string attribute) throw new TemplateException($"line {line}: 'map' needs attribute='…'");
        return [.. TemplateValue.Items(input, cost, line).Select(item => Of(item, attribute, cost, line))];
    }

    private static List<object?> Sort(object? input, IReadOnlyDictionary<string, object?> named, TemplateCost cost, int line)
    {
        var items = TemplateValue.Items(input, cost, line).ToList();
        var by = named.GetValueOrDefault("attribute") as string;
        var isReversed = TemplateValue.IsTrue(named.GetValueOrDefault("reverse"));
        var comparer = Comparer<object?>.Create((a, b) => TemplateValue.Compare(a, b, cost, line, StringComparison.OrdinalIgnoreCase));
        try
        {
            var sorted = items.OrderBy(item => by is null ? item : Of(item, by, cost, line), comparer).ToList();
            if (isReversed) sorted.Reverse();
            return sorted;
        }
        catch (InvalidOperationException fault) when (fault.InnerException is TemplateException)
        {
            throw fault.InnerException; // sorting wraps what comparing throws
        }
    }

    private static object? Of(object? item, string attribute, TemplateCost cost, int line)
    {
        cost.Step(line);
        return TemplateValue.Member(item, attribute, line) is var value && value is Undefined ? throw new TemplateException($"line {line}: '{attribute}' is undefined") : value;
    }

    /// <summary>One character becomes five at most.</summary>
    private static string Escape(string text, TemplateCost cost, int line)
    {
        cost.Text(5L * text.Length, line);
        return Escaped(text);
    }

    private static string Escaped(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal).Replace("\"", "&#34;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal);

    private static string ToJson(object? value, TemplateCost cost, int line)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, Json)) Write(writer, value, cost, line);
        cost.Text(bytes.Length, line);
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private static void Write(Utf8JsonWriter writer, object? value, TemplateCost cost, int line)
    {
        cost.Step(line);
        switch (value)
        {
            case null: writer.WriteNullValue(); break;
            case string text:
                cost.Char(text.Length, line);
                writer.WriteStringValue(text);
                break;
            case bool flag: writer.WriteBooleanValue(flag); break;
            case long number: writer.WriteNumberValue(number); break;
            case double number: writer.WriteNumberValue(number); break;
            case IReadOnlyDictionary<string, object?> mapping:
                writer.WriteStartObject();
                foreach (var (key, item) in mapping)
                {
                    writer.WritePropertyName(key);
                    Write(writer, item, cost, line);
                }
                writer.WriteEndObject();
                break;
            case IReadOnlyList<object?> list:
                writer.WriteStartArray();
                foreach (var item in list) Write(writer, item, cost, line);
                writer.WriteEndArray();
                break;
        }
    }
}
