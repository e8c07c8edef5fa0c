using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Connectors.Events;

/// <summary>JSON of strangers, made such that every text in it can be read.</summary>
internal static class JsonText
{
    private const int EscapeBytes = 6; // \uXXXX
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 128 };

    /// <exception cref="JsonException">It is no JSON, or has a name twice in one object, of which nobody could say which counts.</exception>
    public static JsonNode? Parse(ReadOnlyMemory<byte> body) => JsonNode.Parse(Mended(body.Span), documentOptions: Options);

    /// <summary>Half of a pair of UTF-16, which some senders cut texts to, is no character; where one is escaped, U+FFFD takes its place.</summary>
    private static ReadOnlySpan<byte> Mended(ReadOnlySpan<byte> body)
    {
        if (body.IndexOf(@"\ud"u8) < 0 && body.IndexOf(@"\uD"u8) < 0) return body;
        var mended = body.ToArray();
        for (var i = 0; i < mended.Length - 1; i++)
        {
            if (mended[i] != (byte)'\\') continue;
            if (CodeAt(mended, i) is not { } code)
            {
                i++; // another escape: what it escapes begins none
                continue;
            }

            var isPair = char.IsHighSurrogate(code) && CodeAt(mended, i + EscapeBytes) is { } low && char.IsLowSurrogate(low);
            if (!isPair && char.IsSurrogate(code)) @"\ufffd"u8.CopyTo(mended.AsSpan(i));
            i += (isPair ? 2 * EscapeBytes : EscapeBytes) - 1;
        }

        return mended;
    }

    private static char? CodeAt(ReadOnlySpan<byte> text, int at) =>
        at + EscapeBytes <= text.Length && text[at] == (byte)'\\' && text[at + 1] == (byte)'u'
            && Utf8Parser.TryParse(text.Slice(at + 2, 4), out ushort code, out var read, 'x') && read == 4 ? (char)code : null;
}
