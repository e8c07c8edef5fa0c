using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Platform.Sources.Metadata;

/// <summary>The jobs that ask sources about the tables that stay there.</summary>
internal static class MetadataJobs
{
    public const string Refresh = "metadata-refresh";

    /// <summary>Of all that ask there is one at a time.</summary>
    public const string Key = "metadata";

    /// <summary>About all tables.</summary>
    public static JobRequest Request(string trigger, string? by = null) => new(Refresh, null, Key, trigger, by);
}
