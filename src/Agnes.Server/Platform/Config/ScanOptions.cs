namespace Agnes.Server.Platform.Config;

/// <summary>
/// What one scan may take, and what one person may take of tables as files and ask of other systems: <c>api.scan</c> of
/// <c>instance.yaml</c>.
/// </summary>
public sealed record ScanOptions
{
    /// <summary>Rows of one scan.</summary>
    public int LimitMax { get; init; } = 10_000_000;

    /// <summary>Bytes of one answer; a longer one is cut and says so.</summary>
    public long ResultBytesMax { get; init; } = 2L << 30;

    /// <summary>Scans, and statements at other systems, of one person that run at the same time.</summary>
    public int AtOnce { get; init; } = 5;

    /// <summary>Bytes on one day (UTC) for one person: that other systems read, and that scans of tables here are answered with.</summary>
    public long BytesPerDay { get; init; } = 50L << 30;

    /// <summary>Statements of one person on one day that other systems are asked; 0: no limit.</summary>
    public long StatementsPerDay { get; init; }

    /// <summary>US dollars on one day for what one person has metered systems read; 0: no limit.</summary>
    public double CostPerDay { get; init; }

    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>What BigQuery takes for reading one TiB, in US dollars.</summary>
    public double CostPerTerabyte { get; init; } = 5.0;

    private const int SecondsMax = 3600;
    private static readonly ScanOptions Defaults = new();
    private static readonly Setting Limit = Bound("max_limit", Defaults.LimitMax, int.MaxValue, "Rows of one scan.");
    private static readonly Setting ResultBytes =
        Bound("max_result_bytes", Defaults.ResultBytesMax, 1L << 40, "Bytes of one answer; a longer one is cut and says so.");
    private static readonly Setting PerUser =
        Bound("max_concurrent_per_user", Defaults.AtOnce, 1_000, "Scans, and statements at other systems, of one person at the same time.");
    private static readonly Setting DailyBytes = Bound(
        "max_daily_bytes_per_user", Defaults.BytesPerDay, 1L << 50,
        "Bytes for one person on one day, until midnight UTC: that other systems read, and that scans of tables here answer with.");
    private static readonly Setting DailyStatements = Bound(
        "max_daily_statements_per_user", Defaults.StatementsPerDay, int.MaxValue,
        "Statements of one person on one day that other systems are asked; 0: no limit.", min: 0);
    private static readonly Setting DailyCost = Amount(
        "max_daily_cost_usd_per_user", Defaults.CostPerDay, 1_000_000,
        "US dollars on one day for what one person has BigQuery read; 0: no limit.");
    private static readonly Setting TerabyteCost = Amount(
        "bq_cost_per_tb_usd", Defaults.CostPerTerabyte, 10_000, "What BigQuery takes for reading one TiB, in US dollars.");
    private static readonly Setting Seconds =
        Bound("request_timeout_seconds", (long)Defaults.Time.TotalSeconds, SecondsMax, "How long one scan may take.");

    internal static readonly SettingGroup Settings =
        new("What people may have of tables that their laptops do not have",
            Limit, ResultBytes, PerUser, DailyBytes, DailyStatements, DailyCost, TerabyteCost, Seconds);

    /// <param name="problems">Gets what is no number, each with its key; the default holds then.</param>
    public static ScanOptions From(InstanceConfig instance, List<string> problems)
    {
        long Number(Setting setting) => setting.NumberOrDefault<long>(instance.Text, problems);

        double Money(Setting setting) => setting.NumberOrDefault<double>(instance.Text, problems);

        return new ScanOptions
        {
            LimitMax = (int)Number(Limit),
            ResultBytesMax = Number(ResultBytes),
            AtOnce = (int)Number(PerUser),
            BytesPerDay = Number(DailyBytes),
            StatementsPerDay = Number(DailyStatements),
            CostPerDay = Money(DailyCost),
            CostPerTerabyte = Money(TerabyteCost),
            Time = TimeSpan.FromSeconds(Number(Seconds)),
        };
    }

    /// <summary>Not in the form: admins have no section of it.</summary>
    private static Setting Bound(string key, long absent, long max, string means, long min = 1) =>
        new Setting($"api.scan.{key}") { Default = absent, By = SettableBy.Overlay, IsOffered = false, Means = means }.Between(min, max);

    private static Setting Amount(string key, double absent, double max, string means) =>
        new Setting($"api.scan.{key}") { Default = absent, By = SettableBy.Overlay, IsOffered = false, Means = means }.UpTo(max);
}
