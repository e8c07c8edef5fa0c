using System.Buffers.Text;
using System.Globalization;

namespace Agnes.Connectors.BigQuery;

/// <summary>BigQuery's texts of dates, times and decimal numbers.</summary>
internal static class Civil
{
    private const int ScaleOfNumeric = 9;
    private static readonly int Epoch = new DateOnly(1970, 1, 1).DayNumber;

    /// <summary>A NUMERIC has at most 29 digits before the point and 9 after it.</summary>
    public static (Int128 Unscaled, int Scale) Numeric(ReadOnlySpan<byte> text)
    {
        var point = text.IndexOf((byte)'.');
        var fraction = point < 0 ? 0 : text.Length - point - 1;
        if (fraction > ScaleOfNumeric) throw new FormatException("Too many decimals for a NUMERIC.");
        var isNegative = text is [(byte)'-', ..];
        Int128 value = 0;
        var digits = 0;
        foreach (var letter in isNegative ? text[1..] : text)
        {
            if (letter == '.' && point >= 0)
            {
                point = -1; // one alone
                continue;
            }

            if (letter is < (byte)'0' or > (byte)'9' || ++digits > 38) throw new FormatException("No NUMERIC.");
            value = (value * 10) + (letter - '0');
        }

        if (digits == 0) throw new FormatException("No NUMERIC.");
        for (var i = fraction; i < ScaleOfNumeric; i++) value *= 10;
        return (isNegative ? -value : value, ScaleOfNumeric);
    }

    /// <param name="text"><c>yyyy-MM-dd</c></param>
    public static int Days(ReadOnlySpan<byte> text)
    {
        if (text.Length != 10 || text[4] != '-' || text[7] != '-') throw new FormatException("No date.");
        var (year, month, day) = (Part(text[..4]), Part(text[5..7]), Part(text[8..]));
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) throw new FormatException("No date.");
        return new DateOnly(year, month, day).DayNumber - Epoch;
    }

    /// <param name="text"><c>HH:mm:ss</c>, and up to six digits of a second.</param>
    public static long TimeMicros(ReadOnlySpan<byte> text)
    {
        if (text.Length < 8 || text[2] != ':' || text[5] != ':') throw new FormatException("No time.");
        var (hour, minute, second) = (Part(text[..2]), Part(text[3..5]), Part(text[6..8]));
        if (hour > 23 || minute > 59 || second > 59) throw new FormatException("No time.");
        var micros = 0;
        if (text.Length > 8)
        {
            if (text[8] != '.' || text.Length is 9 or > 15) throw new FormatException("No time.");
            micros = Part(text[9..]);
            for (var i = text.Length; i < 15; i++) micros *= 10;
        }

        return ((((hour * 60L) + minute) * 60) + second) * 1_000_000 + micros;
    }

    /// <param name="text">A date, <c>T</c> or a space, and a time.</param>
    public static long DateTimeMicros(ReadOnlySpan<byte> text)
    {
        if (text.Length < 19 || text[10] is not ((byte)'T' or (byte)' ')) throw new FormatException("No date with a time.");
        return (Days(text[..10]) * 86_400_000_000L) + TimeMicros(text[11..]);
    }

    /// <returns>As the engine reads it.</returns>
    public static string Instant(long micros) =>
        DateTime.UnixEpoch.AddTicks(checked(micros * TimeSpan.TicksPerMicrosecond))
            .ToString("yyyy-MM-dd HH:mm:ss.ffffff+00", CultureInfo.InvariantCulture);

    private static int Part(ReadOnlySpan<byte> digits) =>
        !digits.ContainsAnyExceptInRange((byte)'0', (byte)'9') && Utf8Parser.TryParse(digits, out int value, out var read)
            && read == digits.Length
            ? value
            : throw new FormatException("No digits.");
}
