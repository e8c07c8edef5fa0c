using System.Globalization;

namespace Agnes.Server.Platform.Http;

/// <summary>The forms in which the wire carries times. All are UTC.</summary>
public static class Timestamps
{
    /// <summary><c>2026-05-12 10:00:00[.ffffff]</c>: identity and access.</summary>
    public static string Spaced(DateTime time) => Format(time, "yyyy-MM-dd HH:mm:ss");

    public static string? Spaced(DateTime? time) => time is { } value ? Spaced(value) : null;

    /// <summary><c>2026-05-12 10:00:00[.ffffff]+00:00</c>: the answer that creates a token.</summary>
    public static string SpacedWithOffset(DateTime time) => Spaced(time) + "+00:00";

    /// <summary><c>2026-05-12T10:00:00[.ffffff]</c>, without an offset: values of the state in the data plane.</summary>
    public static string Naive(DateTime time) => Format(time, "yyyy-MM-ddTHH:mm:ss");

    public static string? Naive(DateTime? time) => time is { } value ? Naive(value) : null;

    /// <summary><c>2026-05-12T10:00:00[.ffffff]+00:00</c>: times made for the answer.</summary>
    public static string Offset(DateTimeOffset time) => Naive(time.UtcDateTime) + "+00:00";

    private static string Format(DateTime time, string seconds) =>
        time.ToString(time.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond == 0 ? seconds : seconds + ".ffffff", CultureInfo.InvariantCulture);
}
