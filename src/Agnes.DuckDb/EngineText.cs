using System.Numerics;

namespace DuckDB.NET.Data;

/// <summary>Values written as the engine writes them.</summary>
internal static class EngineText
{
    private const int DaysPerEra = 146_097;

    /// <summary>Hours, minutes, seconds and as much of a fraction as there is. The hours may be more than a day's.</summary>
    internal static string Clock(UInt128 units, int fractionDigits)
    {
        var perSecond = (UInt128)BigInteger.Pow(10, fractionDigits);
        var seconds = units / perSecond;
        var text = $"{seconds / 3600:00}:{(int)(seconds / 60 % 60):00}:{(int)(seconds % 60):00}";
        var fraction = (ulong)(units % perSecond);
        return fraction == 0 ? text : text + "." + fraction.ToString("D" + fractionDigits).TrimEnd('0');
    }

    /// <summary>Days since 1970, in the proleptic Gregorian calendar, of any year.</summary>
    internal static string Date(long days)
    {
        // Howard Hinnant's civil_from_days: eras of 400 years that begin on 1 March.
        days += 719_468;
        var era = Math.DivRem(days, DaysPerEra, out var day);
        if (day < 0)
        {
            era--;
            day += DaysPerEra;
        }

        var year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        var dayOfYear = day - (365 * year + year / 4 - year / 100);
        var shifted = (5 * dayOfYear + 2) / 153;
        var month = shifted < 10 ? shifted + 3 : shifted - 9;
        year += era * 400 + (month <= 2 ? 1 : 0);
        var dayOfMonth = dayOfYear - (153 * shifted + 2) / 5 + 1;
        return year > 0 ? $"{year:0000}-{month:00}-{dayOfMonth:00}" : $"{1 - year:0000}-{month:00}-{dayOfMonth:00} (BC)";
    }

    /// <summary>The shortest text that reads back as the same number; whole ones end in <c>.0</c>.</summary>
    internal static string Float<T>(T value) where T : IFloatingPointIeee754<T>
    {
        if (T.IsNaN(value)) return T.IsNegative(value) ? "-nan" : "nan";
        if (T.IsInfinity(value)) return T.IsNegative(value) ? "-inf" : "inf";
        // .NET and the engine agree on the digits, but not on when to write an exponent: the engine does below 1e-04 and from 1e+16.
        var text = value.ToString("R", null);
        var sign = text[0] == '-' ? "-" : "";
        var mantissa = text.AsSpan(sign.Length);
        var exponent = 0;
        if (mantissa.IndexOf('E') is >= 0 and var at)
        {
            exponent = int.Parse(mantissa[(at + 1)..]);
            mantissa = mantissa[..at];
        }

        var point = mantissa.IndexOf('.') is >= 0 and var dot ? dot : mantissa.Length;
        var digits = mantissa.ToString().Replace(".", "");
        var significant = digits.TrimStart('0');
        exponent += point - 1 - (digits.Length - significant.Length);
        significant = significant.TrimEnd('0');
        return sign + (significant.Length == 0 ? "0.0" : Position(significant, exponent));
    }

    /// <summary>The digits, of which the first counts 10 to the <paramref name="exponent"/>.</summary>
    private static string Position(string digits, int exponent)
    {
        if (exponent is < -4 or >= 16)
            return (digits.Length > 1 ? digits[0] + "." + digits[1..] : digits) + $"e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        if (exponent < 0) return "0." + new string('0', -exponent - 1) + digits;
        var whole = digits.PadRight(exponent + 1, '0');
        return whole.Length > exponent + 1 ? whole[..(exponent + 1)] + "." + whole[(exponent + 1)..] : whole + ".0";
    }

    internal static string Decimal(Int128 unscaled, int scale)
    {
        var digits = Int128.IsNegative(unscaled) ? ((UInt128)(-unscaled)).ToString() : ((UInt128)unscaled).ToString();
        if (scale > 0)
        {
            digits = digits.PadLeft(scale + 1, '0');
            digits = digits[..^scale] + "." + digits[^scale..];
        }

        return Int128.IsNegative(unscaled) ? "-" + digits : digits;
    }
}
