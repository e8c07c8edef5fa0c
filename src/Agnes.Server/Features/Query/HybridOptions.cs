using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Query;

/// <summary>What statements over answers of BigQuery may take: <c>remote_query</c> of <c>instance.yaml</c>, as it is now.</summary>
/// <param name="Time">For all of it together.</param>
/// <param name="RowsMax">Of one answer of BigQuery.</param>
/// <param name="BytesMax">Of all answers together.</param>
/// <param name="ResultRowsMax">Of the statement over them; more are cut, and it says so.</param>
internal sealed record HybridOptions(TimeSpan Time, long RowsMax, long BytesMax, int ResultRowsMax)
{
    private const int SecondsMax = 3600;
    private const int MebibytesMax = 1 << 20;
    private static readonly Setting Seconds = Bound("timeout_seconds", 300, SecondsMax, "How long all of it may take together.");
    private static readonly Setting Rows = Bound("max_bq_registration_rows", 500_000, int.MaxValue, "Rows of one answer of BigQuery.");
    private static readonly Setting Mebibytes = Bound("max_memory_mb", 2048, MebibytesMax, "MiB of all answers of BigQuery together.");
    private static readonly Setting ResultRows = Bound("max_result_rows", 100_000, 1_000_000, "Rows of the answer; more are cut.");

    public static SettingGroup Settings { get; } =
        new("What admins' statements over answers of BigQuery (`POST /api/query/hybrid`) may take", Seconds, Rows, Mebibytes, ResultRows);

    public static HybridOptions From(InstanceConfig instance)
    {
        // What is no such number was said at the start; the default holds.
        long Number(Setting setting) => setting.NumberOrDefault<long>(instance.Text);

        return new(TimeSpan.FromSeconds(Number(Seconds)), Number(Rows), Number(Mebibytes) << 20, (int)Number(ResultRows));
    }

    private static Setting Bound(string key, long absent, long max, string means) =>
        new Setting($"remote_query.{key}") { Default = absent, By = SettableBy.Overlay, IsOffered = false, Means = means }.Between(1, max);
}
