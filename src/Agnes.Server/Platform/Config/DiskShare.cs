using System.Globalization;

namespace Agnes.Server.Platform.Config;

/// <summary>A part of a disk: bytes, or percent of it, or both, and then the smaller.</summary>
public record DiskShare(long? Bytes, double? Percent)
{
    /// <summary>A gigabyte, or less on a small disk.</summary>
    public static readonly DiskShare Default = new(1L << 30, 5);

    public virtual long On(long diskBytes) => Math.Min(Bytes ?? long.MaxValue, Percent is { } percent ? (long)(diskBytes * percent / 100) : long.MaxValue);

    /// <param name="text"><c>5%</c>, <c>2GiB</c>, <c>500MiB</c> or a number of bytes.</param>
    public static DiskShare Parse(string name, string text)
    {
        const NumberStyles digits = NumberStyles.AllowDecimalPoint;
        if (text.EndsWith('%') && double.TryParse(text.AsSpan(0, text.Length - 1), digits, CultureInfo.InvariantCulture, out var percent) && percent is >= 0 and <= 90) return new DiskShare(null, percent);
        foreach (var (unit, shift) in ((string, int)[])[("GiB", 30), ("MiB", 20), ("TiB", 40), ("", 0)])
        {
            if (!text.EndsWith(unit, StringComparison.OrdinalIgnoreCase)) continue;
            if (double.TryParse(text.AsSpan(0, text.Length - unit.Length).Trim(), digits, CultureInfo.InvariantCulture, out var number) && number < 1L << 20 << (40 - shift)) return new DiskShare((long)(number * (1L << shift)), null);
        }

        throw new OptionsException($"{name} must be a size such as 2GiB, or a share of the disk such as 5% (90 % at most), not '{text}'.");
    }
}
