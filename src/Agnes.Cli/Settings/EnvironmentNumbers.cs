using System.Globalization;

namespace Agnes.Cli.Settings;

/// <summary>Numbers from environment variables. Garbage falls back to the default: a bad variable never blocks a command.</summary>
internal static class EnvironmentNumbers
{
    public static int PullParallelism => Math.Max(1, Whole("AGNES_PULL_PARALLELISM", 4));

    public static int ChunkParallelism => Math.Clamp(Whole("AGNES_PULL_CHUNK_PARALLELISM", 4), 1, 16);

    public static long ChunkThresholdBytes => Math.Max(1, Whole("AGNES_PULL_CHUNK_THRESHOLD_BYTES", 52_428_800L));

    public static int StreamRetries => Math.Max(0, Whole("AGNES_STREAM_RETRIES", 3));

    public static TimeSpan QueryTimeout => Seconds("AGNES_QUERY_TIMEOUT", 300);

    public static TimeSpan ProgressInterval => Seconds("AGNES_PULL_PROGRESS_INTERVAL_SECONDS", 5);

    public static long ProgressIntervalBytes => Math.Max(1, Whole("AGNES_PULL_PROGRESS_INTERVAL_BYTES", 1_048_576L));

    public static double SnapshotQuotaGb => Real("AGNES_SNAPSHOT_QUOTA_GB", 10);

    private static int Whole(string name, int fallback) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : fallback;

    private static long Whole(string name, long fallback) =>
        long.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : fallback;

    private static double Real(string name, double fallback) =>
        double.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) && value > 0 ? value : fallback;

    private static TimeSpan Seconds(string name, double fallback) => TimeSpan.FromSeconds(Math.Min(Real(name, fallback), 7 * 24 * 3600));
}
