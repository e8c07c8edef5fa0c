using System.Globalization;

namespace Agnes.Server.Web;

/// <summary>Numbers, sizes and times as people read them.</summary>
public static class Formats
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB"];

    /// <summary>With thin groups of three: 12 345 678 reads as 12,345,678.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A count with its noun: <c>1 table</c>, <c>2 tables</c>.</summary>
    public static string Count(long value, string one, string? many = null) => $"{Count(value)} {(value == 1 ? one : many ?? one + "s")}";

    /// <summary>Decimal units, three digits at most.</summary>
    public static string Bytes(long value)
    {
        double size = value;
        var unit = 0;
        while (size >= 999.5 && unit < Units.Length - 1)
        {
            size /= 1000;
            unit++;
        }

        var format = unit == 0 || size >= 99.95 ? "0" : size >= 9.995 ? "0.#" : "0.##";
        return $"{size.ToString(format, CultureInfo.InvariantCulture)} {Units[unit]}";
    }

    /// <summary>How long ago; the same words as <c>times.js</c>, which keeps them fresh.</summary>
    public static string Relative(DateTime time, DateTime now)
    {
        var seconds = (now - time).TotalSeconds;
        var size = Math.Abs(seconds);
        var (amount, unit) = size switch
        {
            < 45 => (0, ""),
            < 60 => ((int)size, "second"),
            < 3600 => ((int)(size / 60), "minute"),
            < 86_400 => ((int)(size / 3600), "hour"),
            < 86_400 * 30 => ((int)(size / 86_400), "day"),
            < 86_400L * 365 => ((int)(size / (86_400 * 30)), "month"),
            _ => ((int)(size / (86_400L * 365)), "year"),
        };
        if (unit.Length == 0) return "just now";
        var words = Count(Math.Max(amount, 1), unit);
        return seconds >= 0 ? $"{words} ago" : $"in {words}";
    }

    public static string Absolute(DateTime time) => time.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    public static string Duration(TimeSpan time) => time.TotalSeconds switch
    {
        < 1 => $"{Math.Max(0, (int)time.TotalMilliseconds)} ms",
        < 60 => $"{time.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)} s",
        < 3600 => $"{(int)time.TotalMinutes} min {time.Seconds} s",
        _ => $"{(int)time.TotalHours} h {time.Minutes} min",
    };

    /// <summary>Up to two capitals for an avatar.</summary>
    public static string Initials(string? name, string email)
    {
        var words = (string.IsNullOrWhiteSpace(name) ? email.Split('@')[0] : name).Split([' ', '.', '_', '-'], StringSplitOptions.RemoveEmptyEntries);
        var letters = words.Length switch
        {
            0 => "?",
            1 => words[0][..Math.Min(2, words[0].Length)],
            _ => $"{words[0][0]}{words[^1][0]}",
        };
        return letters.ToUpperInvariant();
    }
}
