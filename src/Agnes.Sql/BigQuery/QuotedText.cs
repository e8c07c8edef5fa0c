using System.Globalization;
using System.Text;

namespace Agnes.Sql.BigQuery;

/// <summary>Reads what stands in quotes: texts and bytes, raw or not, in one quote or three, and names in backticks.</summary>
internal static class QuotedText
{
    public static bool Begins(string text, int at) => PrefixLength(text, at) is var prefix
        && at + prefix < text.Length && (text[at + prefix] is '\'' or '"' || (prefix == 0 && text[at] == '`'));

    /// <exception cref="SyntaxFault">It is not closed, or an escape means nothing.</exception>
    public static (TokenKind Kind, string Text, int End) Read(string text, int at)
    {
        var start = at + PrefixLength(text, at);
        var prefix = text.AsSpan(at, start - at);
        var isRaw = prefix.ContainsAny('r', 'R');
        var kind = text[start] == '`' ? TokenKind.Quoted : prefix.ContainsAny('b', 'B') ? TokenKind.Bytes : TokenKind.String;
        var isTriple = kind != TokenKind.Quoted && IsRun(text, start, 3);
        var from = start + (isTriple ? 3 : 1);
        var end = EndOf(text, from, text[start], isTriple, at);
        var value = Decode(text[from..end], isRaw, kind, from);
        if (kind == TokenKind.Quoted && value.Length == 0) throw Fault("A name in backticks is empty", at);
        return (kind, value, end + (isTriple ? 3 : 1));
    }

    private static int PrefixLength(string text, int at)
    {
        var length = 0;
        while (length < 2 && at + length < text.Length && text[at + length] is 'r' or 'R' or 'b' or 'B') length++;
        return length == 2 && (text[at] | 0x20) == (text[at + 1] | 0x20) ? 0 : length;
    }

    private static bool IsRun(string text, int at, int length)
    {
        if (at + length > text.Length) return false;
        for (var i = 1; i < length; i++)
            if (text[at + i] != text[at]) return false;
        return true;
    }

    /// <summary>A backslash takes the next character with it, in raw texts too.</summary>
    private static int EndOf(string text, int from, char quote, bool isTriple, int start)
    {
        for (var i = from; i < text.Length; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == quote && (!isTriple || IsRun(text, i, 3))) return i;
            if (!isTriple && i < text.Length && text[i] is '\n' or '\r') break;
        }

        throw Fault($"{(quote == '`' ? "A name in backticks" : "A text in quotes")} is not closed", start);
    }

    private static string Decode(string raw, bool isRaw, TokenKind kind, int at)
    {
        var value = new StringBuilder(raw.Length);
        for (var i = 0; i < raw.Length; i++)
        {
            var c = raw[i];
            if (c == '\\' && !isRaw) i = Escape(raw, i + 1, kind, value, at + i);
            else if (c == '\r')
            {
                // Every end of a line in three quotes is one line feed.
                value.Append('\n');
                if (i + 1 < raw.Length && raw[i + 1] == '\n') i++;
            }
            else if (kind == TokenKind.Bytes && c > '\u007f')
            {
                foreach (var one in Encoding.UTF8.GetBytes(Rune(raw, ref i, at).ToString())) value.Append((char)one);
            }
            else if (char.IsSurrogate(c)) value.Append(Rune(raw, ref i, at).ToString());
            else value.Append(c);
        }

        return value.ToString();
    }

    private static Rune Rune(string raw, ref int i, int at)
    {
        if (!System.Text.Rune.TryGetRuneAt(raw, i, out var rune)) throw Fault("Half of a character", at + i);
        i += rune.Utf16SequenceLength - 1;
        return rune;
    }

    /// <returns>Where the last character of the escape stands.</returns>
    private static int Escape(string raw, int i, TokenKind kind, StringBuilder value, int at)
    {
        var c = i < raw.Length ? raw[i] : '\0';
        var known = "abfnrtv\\?\"'`".IndexOf(c, StringComparison.Ordinal);
        if (known >= 0)
        {
            value.Append("\a\b\f\n\r\t\v\\?\"'`"[known]);
            return i;
        }

        if (c is 'x' or 'X') return Number(raw, i + 1, 2, 16, value, at);
        if (c is >= '0' and <= '3') return Number(raw, i, 3, 8, value, at);
        if (c is 'u' && kind != TokenKind.Bytes) return Number(raw, i + 1, 4, 16, value, at);
        if (c is 'U' && kind != TokenKind.Bytes) return Number(raw, i + 1, 8, 16, value, at);
        throw Fault("An escape that means nothing; a backslash is written as two", at);
    }

    private static int Number(string raw, int from, int digits, int radix, StringBuilder value, int at)
    {
        var code = 0L;
        for (var i = from; i < from + digits; i++)
        {
            var digit = i < raw.Length && char.IsAsciiHexDigit(raw[i])
                ? int.Parse(raw.AsSpan(i, 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture) : radix;
            if (digit >= radix) throw Fault($"An escape has {digits} digits", at);
            code = (code * radix) + digit;
        }

        if (code > int.MaxValue || !System.Text.Rune.IsValid((int)code)) throw Fault("An escape names no character", at);
        value.Append(new Rune((int)code).ToString());
        return from + digits - 1;
    }

    private static SyntaxFault Fault(string message, int at) => new(SyntaxFaultKind.Unparseable, message, at);
}
