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

    /// <summary>What BigQuery takes for reading one TiB, in US dollars.</summary>
    public double CostPerTerabyte { get; init; } = 5.0;

    private const int SecondsMax = 3600;
    private static readonly ScanOptions Defaults = new();
    private static readonly Setting Limit = Bound("max_limit", Defaults.LimitMax, int.MaxValue, "Rows of one scan.");
    private static readonly Setting ResultBytes =
        Bound("max_result_bytes", Defaults.ResultBytesMax, 1L << 40, "Bytes of one answer; a longer one is cut and says so.");
    private static readonly Setting PerUser =
        Bound("max_concurrent_per_user", Defaults.AtOnce, 1_000, "Scans of one person that run at the same time.");
    private static readonly Setting DailyBytes =
        Bound("max_daily_bytes_per_user", Defaults.BytesPerDay, 1L << 50, "Bytes of one person's answers on one day, until midnight UTC.");
    private static readonly Setting Seconds =
        Bound("request_timeout_seconds", (long)Defaults.Time.TotalSeconds, SecondsMax, "How long one scan may take.");

    internal static readonly SettingGroup Settings =
        new("What laptops may fetch of tables that they do not have", Limit, ResultBytes, PerUser, DailyBytes, Seconds);

    /// <param name="problems">Gets what is no number, each with its key; the default holds then.</param>
    public static ScanOptions From(InstanceConfig instance, List<string> problems)
    {
        long Number(Setting setting)
        {
            var absent = setting.Default!.GetValue<long>();
            if (instance.Text(setting.Name) is not { } text) return absent;
            if (setting.Rule!.Fits(text)) return long.Parse(text, CultureInfo.InvariantCulture);
            problems.Add($"{setting.Name} must be {setting.Rule.Says}; {absent} holds.");
            return absent;
        }

        return new ScanOptions
        {
            LimitMax = (int)Number(Limit),
            ResultBytesMax = Number(ResultBytes),
            AtOnce = (int)Number(PerUser),
            BytesPerDay = Number(DailyBytes),
            Time = TimeSpan.FromSeconds(Number(Seconds)),
        };
    }

    /// <summary>Not in the form: admins have no section of it.</summary>
    private static Setting Bound(string key, long absent, long max, string means) =>
        new Setting($"api.scan.{key}") { Default = absent, By = SettableBy.Overlay, IsOffered = false, Means = means }.Between(1, max);
}
