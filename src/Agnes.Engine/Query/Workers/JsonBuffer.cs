using System.Buffers;
using System.Buffers.Text;

namespace Agnes.Engine.Query.Workers;

/// <summary>The response would be longer than allowed.</summary>
internal sealed class ResultTooLargeException() : Exception("The result is larger than allowed.");

/// <summary>A growing buffer of JSON in UTF-8 with the few things that rows are made of. It writes no commas by itself and checks no nesting.</summary>
internal sealed class JsonBuffer
{
    private const int NumberBytesMax = 64;

    private static readonly SearchValues<byte> Escaped = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(code => (byte)code), (byte)'"', (byte)'\\']);

    private byte[] _bytes;
    private int _length;

    public JsonBuffer(int capacity = 4096) => _bytes = new byte[capacity];

    public int Length => _length;

    /// <summary>It may not grow beyond; see <see cref="ResultTooLargeException"/>.</summary>
    public long LengthMax { get; set; } = Array.MaxLength;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    public void Clear() => _length = 0;

    /// <summary>Gives memory back after an unusually large result.</summary>
    public void Shrink(int capacityMax)
    {
        _length = 0;
        if (_bytes.Length > capacityMax) _bytes = new byte[capacityMax];
    }

    public void Raw(ReadOnlySpan<byte> bytes)
    {
        Ensure(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    public void Raw(byte value)
    {
        Ensure(1);
        _bytes[_length++] = value;
    }

    public void Null() => Raw("null"u8);

    public void Bool(bool value) => Raw(value ? "true"u8 : "false"u8);

    public void Number(long value)
    {
        Ensure(NumberBytesMax);
        Utf8Formatter.TryFormat(value, _bytes.AsSpan(_length), out var written);
        _length += written;
    }

    public void Number(ulong value)
    {
        Ensure(NumberBytesMax);
        Utf8Formatter.TryFormat(value, _bytes.AsSpan(_length), out var written);
        _length += written;
    }

    /// <summary>The shortest text that reads back as the same number; NaN and infinities, which JSON lacks, are null.</summary>
    public void Number(double value)
    {
        if (!double.IsFinite(value))
        {
            Null();
            return;
        }
        Ensure(NumberBytesMax);
        value.TryFormat(_bytes.AsSpan(_length), out var written);
        FinishFraction(written);
    }

    /// <inheritdoc cref="Number(double)"/>
    public void Number(float value)
    {
        if (!float.IsFinite(value))
        {
            Null();
            return;
        }
        Ensure(NumberBytesMax);
        value.TryFormat(_bytes.AsSpan(_length), out var written);
        FinishFraction(written);
    }

    /// <summary>Digits of fixed width, filled up with zeros.</summary>
    public void Digits(ulong value, int width)
    {
        Ensure(NumberBytesMax);
        var span = _bytes.AsSpan(_length, width);
        for (var i = width - 1; i >= 0; i--)
        {
            span[i] = (byte)('0' + (value % 10));
            value /= 10;
        }
        _length += width;
    }

    /// <summary>Text that holds nothing to escape.</summary>
    public void Ascii(ReadOnlySpan<char> text)
    {
        Ensure(text.Length);
        foreach (var character in text) _bytes[_length++] = (byte)character;
    }

    /// <summary>A text with its quotes.</summary>
    public void Text(ReadOnlySpan<byte> utf8)
    {
        Ensure(utf8.Length + 2);
        _bytes[_length++] = (byte)'"';
        Escape(utf8);
        Raw((byte)'"');
    }

    /// <summary>A text without its quotes.</summary>
    public void Escape(ReadOnlySpan<byte> utf8)
    {
        int stop;
        while ((stop = utf8.IndexOfAny(Escaped)) >= 0)
        {
            Raw(utf8[..stop]);
            EscapeOne(utf8[stop]);
            utf8 = utf8[(stop + 1)..];
        }
        Raw(utf8);
    }

    private void EscapeOne(byte code)
    {
        var shorthand = code switch
        {
            (byte)'"' => (byte)'"',
            (byte)'\\' => (byte)'\\',
            (byte)'\n' => (byte)'n',
            (byte)'\r' => (byte)'r',
            (byte)'\t' => (byte)'t',
            _ => (byte)0,
        };
        Ensure(6);
        _bytes[_length++] = (byte)'\\';
        if (shorthand != 0)
        {
            _bytes[_length++] = shorthand;
            return;
        }
        Raw("u00"u8);
        _bytes[_length++] = (byte)(code >> 4 == 0 ? '0' : '1');
        _bytes[_length++] = "0123456789abcdef"u8[code & 15];
    }

    /// <summary>A floating-point number stays recognizable as one: <c>1.0</c>, not <c>1</c>.</summary>
    private void FinishFraction(int written)
    {
        var digits = _bytes.AsSpan(_length, written);
        _length += written;
        if (digits.IndexOfAny((byte)'.', (byte)'E') < 0) Raw(".0"u8);
    }

    private void Ensure(int more)
    {
        if (_length + more <= _bytes.Length) return;
        if ((long)_length + more > LengthMax) throw new ResultTooLargeException();
        Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max((long)_bytes.Length * 2, (long)_length + more)));
    }
}
