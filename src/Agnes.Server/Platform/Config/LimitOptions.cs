using System.Globalization;

namespace Agnes.Server.Platform.Config;

/// <summary>What callers together, and each of them, may take of what is shared.</summary>
public sealed record LimitOptions
{
    /// <summary>What a request to an endpoint that is open to anybody may carry.</summary>
    public const int PublicBodyBytesMax = 8 << 10;

    /// <summary>Connections of everybody.</summary>
    public int ConnectionsMax { get; init; } = 4_096;

    /// <summary>
    /// Connections of one network (/24 of IPv4, /64 of IPv6); this machine and named proxies stand for many and are not held to it.
    /// </summary>
    public int NetworkConnectionsMax { get; init; } = 512;

    /// <summary>How long the body of a request to an endpoint that is open to anybody may take, from its first byte to its last.</summary>
    public TimeSpan PublicBodyTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long any other body may take, besides what its size needs on a slow line.</summary>
    public TimeSpan BodyTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Calls of one person a second, over all tokens and sessions; none: as many as they like.</summary>
    public int CallsPerSecond { get; init; } = 50;

    /// <summary>Refusals of one person, or one network of guests, that get an audit entry of their own in a minute; the rest are counted.</summary>
    public int RefusalsStored { get; init; } = 10;

    /// <summary>What stays free on a disk: below, nothing but control writes is taken.</summary>
    public DiskShare DiskReserve { get; init; } = DiskShare.Default;

    /// <summary>A year, and a month to look at it.</summary>
    public TimeSpan KeepAudit { get; init; } = TimeSpan.FromDays(400);

    /// <summary>Of the syncs of tables.</summary>
    public TimeSpan KeepHistory { get; init; } = TimeSpan.FromDays(180);

    public TimeSpan KeepJobs { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Sessions, after their tokens expired.</summary>
    public TimeSpan KeepSessions { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How long a run of one source may take in all, however well it gets on.</summary>
    public TimeSpan SyncTotal { get; init; } = TimeSpan.FromHours(24);

    public TimeSpan KeepUploads { get; init; } = TimeSpan.FromDays(365);

    /// <param name="setting">A variable of the environment, nothing where it is empty.</param>
    public static LimitOptions From(Func<string, string?> setting)
    {
        var defaults = new LimitOptions();
        return new LimitOptions
        {
            ConnectionsMax = Number(setting, "AGNES_CONNECTIONS_MAX", defaults.ConnectionsMax, 16, 1_000_000),
            NetworkConnectionsMax = Number(setting, "AGNES_NETWORK_CONNECTIONS_MAX", defaults.NetworkConnectionsMax, 16, 1_000_000),
            CallsPerSecond = Number(setting, "AGNES_API_RATE", defaults.CallsPerSecond, 0, 1_000_000),
            DiskReserve = setting("AGNES_DISK_RESERVE") is { } reserve ? DiskShare.Parse("AGNES_DISK_RESERVE", reserve) : defaults.DiskReserve,
            KeepAudit = Days(setting, "AGNES_KEEP_AUDIT_DAYS", defaults.KeepAudit),
            KeepHistory = Days(setting, "AGNES_KEEP_HISTORY_DAYS", defaults.KeepHistory),
            KeepJobs = Days(setting, "AGNES_KEEP_JOBS_DAYS", defaults.KeepJobs),
            KeepSessions = Days(setting, "AGNES_KEEP_SESSIONS_DAYS", defaults.KeepSessions),
            SyncTotal = TimeSpan.FromHours(Number(setting, "AGNES_SYNC_HOURS_MAX", (int)defaults.SyncTotal.TotalHours, 1, 24 * 30)),
            KeepUploads = Days(setting, "AGNES_KEEP_UPLOADS_DAYS", defaults.KeepUploads),
        };
    }

    private static TimeSpan Days(Func<string, string?> setting, string name, TimeSpan absent) => TimeSpan.FromDays(Number(setting, name, (int)absent.TotalDays, 1, 36_500));

    private static int Number(Func<string, string?> setting, string name, int absent, int min, int max)
    {
        if (setting(name) is not { } value) return absent;
        return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new OptionsException($"{name} must be a whole number from {min} to {max}, not '{value}'.");
    }
}
