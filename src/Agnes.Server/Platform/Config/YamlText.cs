using System.Globalization;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Agnes.Server.Platform.Config;

/// <summary>
/// YAML from outside, as the JSON it means. One document of mappings, lists and plain values; anchors and aliases are refused, because a few lines of them can stand for
/// gigabytes.
/// </summary>
internal static class YamlText
{
    private const int DepthMax = 20;
    private const int NodesMax = 50_000;

    /// <returns>Null for a text without a document.</returns>
    /// <exception cref="FormatException">It is no such YAML; the message says where.</exception>
    public static JsonNode? Read(string text)
    {
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _)) return null;
            parser.Consume<DocumentStart>();
            var nodes = 0;
            var root = Node(parser, 0, ref nodes);
            parser.Consume<DocumentEnd>();
            if (!parser.Accept<StreamEnd>(out _)) throw new FormatException("there is more than one document in it");
            return root;
        }
        catch (YamlException fault)
        {
            throw new FormatException($"line {fault.Start.Line}, column {fault.Start.Column}: {fault.Message}", fault);
        }
    }

    private static JsonNode? Node(Parser parser, int depth, ref int nodes)
    {
        if (depth > DepthMax) throw new FormatException($"it is nested deeper than {DepthMax} levels");
        if (++nodes > NodesMax) throw new FormatException($"it has more than {NodesMax} values");
        if (parser.TryConsume<AnchorAlias>(out var alias)) throw new FormatException($"line {alias.Start.Line}: aliases ('*{alias.Value}') are not accepted");
        if (parser.TryConsume<Scalar>(out var scalar)) return Value(scalar);
        if (parser.TryConsume<SequenceStart>(out _))
        {
            var list = new JsonArray();
            while (!parser.TryConsume<SequenceEnd>(out _)) list.Add(Node(parser, depth + 1, ref nodes));
            return list;
        }

        parser.Consume<MappingStart>();
        var mapping = new JsonObject();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var key)) throw new FormatException("a key is not a plain text");
            var value = Node(parser, depth + 1, ref nodes);
            if (!mapping.TryAdd(key.Value, value)) throw new FormatException($"line {key.Start.Line}: the key '{key.Value}' is there twice");
        }
        return mapping;
    }

    private static JsonValue? Value(Scalar scalar)
    {
        if (scalar.Style != ScalarStyle.Plain) return JsonValue.Create(scalar.Value);
        return scalar.Value switch
        {
            "" or "~" or "null" or "Null" or "NULL" => null,
            "true" or "True" or "TRUE" => JsonValue.Create(true),
            "false" or "False" or "FALSE" => JsonValue.Create(false),
            var text when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) && text == whole.ToString(CultureInfo.InvariantCulture) => JsonValue.Create(whole),
            var text when IsNumber(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => JsonValue.Create(number),
            var text => JsonValue.Create(text),
        };
    }

    /// <summary>Digits with a point: what people mean as a number. <c>1e5</c> and <c>1_000</c> stay text.</summary>
    private static bool IsNumber(string text) => text.Contains('.') && text.AsSpan().TrimStart('-').IndexOfAnyExcept("0123456789.") < 0 && char.IsAsciiDigit(text[^1]);
}
