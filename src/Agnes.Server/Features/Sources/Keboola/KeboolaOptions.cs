using Agnes.Connectors.Keboola;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Sources.Keboola;

/// <summary>What the operator says of pulls from Keboola, in the environment alone.</summary>
internal static class KeboolaOptions
{
    private const int SecondsMax = 24 * 3600;

    private static readonly Setting ExportSeconds = new Setting(null, "AGNES_KEBOOLA_EXPORT_TIMEOUT_SEC")
    {
        Default = KeboolaSettings.ExportSecondsDefault,
        Means = "How long one export of a table may take at Keboola, in seconds.",
    }.Between(1, SecondsMax);

    private static readonly Setting PollSeconds = new Setting(null, "AGNES_KEBOOLA_POLL_INTERVAL_SEC")
    {
        Default = KeboolaSettings.PollSecondsDefault,
        Means = "How long to wait before it is asked again how an export stands, in seconds; it grows by half each time, up to 10.",
    }.Between(1, SecondsMax);

    private static readonly Setting SliceSeconds = new Setting(null, "AGNES_KEBOOLA_SLICE_TIMEOUT_SEC")
    {
        Default = KeboolaSettings.SliceSecondsDefault,
        Means = "A download of which nothing comes for so many seconds is asked for again.",
    }.Between(1, SecondsMax);

    private static readonly Setting Parallel = new Setting(null, "AGNES_KEBOOLA_PARALLELISM")
    {
        Default = KeboolaSettings.ParallelDefault,
        Means = "How many tables of a project are exported beside each other.",
    }.Between(1, KeboolaSettings.ParallelMax);

    private static readonly Setting S3 = new(null, "AWS_ENDPOINT_URL_S3")
    {
        Otherwise = "Amazon's own address",
        Means = "Where files of exports are fetched that lie at S3: another address than Amazon's, for tests.",
    };

    private static readonly Setting Gcs = new(null, "STORAGE_EMULATOR_HOST")
    {
        Otherwise = "Google's own address",
        Means = "Where files of exports are fetched that lie at Google Cloud Storage: another address than Google's, for tests.",
    };

    internal static readonly SettingGroup Settings = new("Pulling from Keboola", ExportSeconds, PollSeconds, SliceSeconds, Parallel, S3,
        Gcs);

    /// <summary>As the connector takes them.</summary>
    public static void Add(IDictionary<string, string> given, ServerOptions options)
    {
        (string Option, Setting Setting)[] all =
        [
            (KeboolaSettings.ExportTimeOption, ExportSeconds), (KeboolaSettings.PollOption, PollSeconds),
            (KeboolaSettings.SliceTimeOption, SliceSeconds), (KeboolaSettings.ParallelOption, Parallel),
            (KeboolaSettings.S3Option, S3), (KeboolaSettings.GcsOption, Gcs),
        ];
        foreach (var (option, setting) in all)
        {
            if (options.Variables(setting.Name) is not { Length: > 0 } value) continue;
            if (setting.Rule is { } rule && !rule.Fits(value)) continue; // the start has said so
            given[option] = value;
        }

        if (options.AllowedPrivateHosts.Count > 0) given[KeboolaSettings.AllowedHostsOption] = string.Join(',',
            options.AllowedPrivateHosts);
    }
}
