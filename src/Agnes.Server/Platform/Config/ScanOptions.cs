using System.Globalization;

namespace Agnes.Server.Platform.Config;

/// <summary>What one scan, and one person's scans, may take: <c>api.scan</c> of <c>instance.yaml</c>.</summary>
public sealed record ScanOptions
{
    /// <summary>Rows of one scan.</summary>
    public int LimitMax { get; init; } = 10_000_000;

    /// <summary>Bytes of one answer; a longer one is cut and says so.</summary>
    public long ResultBytesMax { get; init; } = 2L << 30;

    /// <summary>Scans of one person that run at the same time.</summary>
    public int AtOnce { get; init; } = 5;

    /// <summary>Bytes of one person's answers on one day (UTC).</summary>
    public long BytesPerDay { get; init; } = 50L << 30;

    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(300);

    /// <param name="problems">Gets what is no number, each with its key; the default holds then.</param>
    public static ScanOptions From(InstanceConfig instance, List<string> problems)
    {
        const int secondsMax = 3600;
        var defaults = new ScanOptions();
        long Number(string key, long absent, long max)
        {
            if (instance.Text($"api.scan.{key}") is not { } text) return absent;
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= max) return number;
            problems.Add($"api.scan.{key} must be a whole number from 1 to {max}; {absent} holds.");
            return absent;
        }

        return new ScanOptions
        {
            LimitMax = (int)Number("max_limit", defaults.LimitMax, int.MaxValue),
            ResultBytesMax = Number("max_result_bytes", defaults.ResultBytesMax, 1L << 40),
            AtOnce = (int)Number("max_concurrent_per_user", defaults.AtOnce, 1_000),
            BytesPerDay = Number("max_daily_bytes_per_user", defaults.BytesPerDay, 1L << 50),
            Time = TimeSpan.FromSeconds(Number("request_timeout_seconds", (long)defaults.Time.TotalSeconds, secondsMax)),
        };
    }
}
