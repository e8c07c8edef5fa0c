using System.Buffers;
using System.Text;

namespace Agnes.Connectors.Files;

internal enum RecordEnd
{
    /// <summary>More bytes are needed to tell.</summary>
    Open,
    Whole,

    /// <summary>A quote that is opened and not closed, or text after one that closes.</summary>
    Quote,
}

/// <param name="Length">With its line end.</param>
/// <param name="LineEnd">Bytes of the line end: 0 at the end of the file.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct Scanned(RecordEnd End, int Length, int LineEnd, int Fields);

/// <summary>Finds where a record of a delimited text ends and how many fields it has, by the rules that the engine's strict reader has.</summary>
internal sealed class RecordScan(string delimiter, string quote, string escape)
{
    private readonly byte[] _delimiter = Encoding.UTF8.GetBytes(delimiter);
    private readonly byte[] _quote = Encoding.UTF8.GetBytes(quote);
    private readonly byte[] _escape = Encoding.UTF8.GetBytes(escape);
    private readonly SearchValues<byte> _plainEnds = SearchValues.Create([(byte)'\n', (byte)'\r', Encoding.UTF8.GetBytes(delimiter)[0]]);

    /// <param name="text">From the start of a record.</param>
    /// <param name="isAll">Nothing comes after it.</param>
    public Scanned Next(ReadOnlySpan<byte> text, bool isAll)
    {
        var (at, fields) = (0, 1);
        while (true)
        {
            if (QuotedFrom(text, at) is >= 0 and var opened)
            {
                at = AfterQuoted(text, opened, isAll);
                if (at < 0) return new Scanned(isAll ? RecordEnd.Quote : RecordEnd.Open, 0, 0, fields);
                while (at < text.Length && text[at] == (byte)' ' && !IsDelimiter(text, at)) at++;
                if (at < text.Length && text[at] is not ((byte)'\n' or (byte)'\r') && !IsDelimiter(text, at)) return new Scanned(RecordEnd.Quote, 0, 0, fields);
            }
            else
            {
                at = PlainEnd(text, at);
            }
            if (at >= text.Length) return new Scanned(isAll ? RecordEnd.Whole : RecordEnd.Open, text.Length, 0, fields);
            if (IsDelimiter(text, at))
            {
                (at, fields) = (at + _delimiter.Length, fields + 1);
                continue;
            }
            if (text[at] == (byte)'\r' && at + 1 >= text.Length && !isAll) return new Scanned(RecordEnd.Open, 0, 0, fields);
            var end = text[at] == (byte)'\r' && at + 1 < text.Length && text[at + 1] == (byte)'\n' ? 2 : 1;
            return new Scanned(RecordEnd.Whole, at + end, end, fields);
        }
    }

    /// <summary>Spaces before a quote do not count.</summary>
    private int QuotedFrom(ReadOnlySpan<byte> text, int at)
    {
        if (_quote.Length == 0) return -1;
        while (at < text.Length && text[at] == (byte)' ' && !IsDelimiter(text, at)) at++;
        return text[at..].StartsWith(_quote) ? at + _quote.Length : -1;
    }

    /// <returns>-1 where it does not end.</returns>
    private int AfterQuoted(ReadOnlySpan<byte> text, int at, bool isAll)
    {
        var isDoubled = _escape.AsSpan().SequenceEqual(_quote);
        while (at < text.Length)
        {
            var next = isDoubled || _escape.Length == 0 ? text[at..].IndexOf(_quote[0]) : text[at..].IndexOfAny(_quote[0], _escape[0]);
            if (next < 0) return -1;
            at += next;
            if (!isDoubled && _escape.Length > 0 && text[at..].StartsWith(_escape))
            {
                at += _escape.Length + 1;
                continue;
            }
            if (!text[at..].StartsWith(_quote))
            {
                at++;
                continue;
            }
            at += _quote.Length;
            if (!isDoubled) return at;
            if (at >= text.Length) return isAll ? at : -1;
            if (!text[at..].StartsWith(_quote)) return at;
            at += _quote.Length;
        }
        return -1;
    }

    private int PlainEnd(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length)
        {
            var next = text[at..].IndexOfAny(_plainEnds);
            if (next < 0) return text.Length;
            at += next;
            if (text[at] is (byte)'\n' or (byte)'\r' || IsDelimiter(text, at)) return at;
            at++;
        }
        return at;
    }

    private bool IsDelimiter(ReadOnlySpan<byte> text, int at) => text[at..].StartsWith(_delimiter);
}
