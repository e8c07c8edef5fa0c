using System.Buffers.Text;

namespace Agnes.Engine.Query.Remote;

/// <summary>Decimals in their plainest form, digits with a point among them, and as the integers that they are without the point.</summary>
internal static class DecimalText
{
    private const int DigitsMax = 38; // what an Int128 holds for sure
    private const int QuickDigitsMax = 18; // the same of 64 bits

    /// <summary>Rounded as the engine rounds: half of the last digit goes away from zero.</summary>
    /// <param name="scale">Digits after the point that count.</param>
    /// <returns>Null: it has another form, or more digits than any decimal.</returns>
    public static Int128? TryRead(ReadOnlySpan<byte> text, int scale)
    {
        var isNegative = text is [(byte)'-', ..];
        if (isNegative) text = text[1..];
        var point = text.IndexOf((byte)'.');
        var whole = (point < 0 ? text : text[..point]).TrimStart((byte)'0');
        var fraction = point < 0 ? [] : text[(point + 1)..];
        if (text.Length == (point < 0 ? 0 : 1) || whole.Length + scale > DigitsMax) return null;
        var taken = fraction[..Math.Min(scale, fraction.Length)];
        var rest = fraction[taken.Length..];
        if (whole.ContainsAnyExceptInRange((byte)'0', (byte)'9') || fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return null;
        var value = whole.Length + scale <= QuickDigitsMax ? Quick(whole, taken, scale) : Long(whole, taken, scale);
        if (rest is [>= (byte)'5', ..]) value++;
        return isNegative ? -value : value;
    }

    /// <returns>How many bytes of <paramref name="text"/> it took; 24 and the scale are enough.</returns>
    public static int Write(long unscaled, int scale, Span<byte> text)
    {
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(unscaled < 0 ? 0 - (ulong)unscaled : (ulong)unscaled, digits, out var count);
        var length = 0;
        if (unscaled < 0) text[length++] = (byte)'-';
        for (var place = Math.Max(count, scale + 1); place > 0; place--)
        {
            if (place == scale) text[length++] = (byte)'.';
            text[length++] = place > count ? (byte)'0' : digits[count - place];
        }

        return length;
    }

    private static Int128 Quick(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> fraction, int scale)
    {
        var value = 0L;
        foreach (var digit in whole) value = (value * 10) + (digit - '0');
        foreach (var digit in fraction) value = (value * 10) + (digit - '0');
        for (var place = fraction.Length; place < scale; place++) value *= 10;
        return value;
    }

    private static Int128 Long(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> fraction, int scale)
    {
        Int128 value = 0;
        foreach (var digit in whole) value = (value * 10) + (digit - '0');
        foreach (var digit in fraction) value = (value * 10) + (digit - '0');
        for (var place = fraction.Length; place < scale; place++) value *= 10;
        return value;
    }
}
