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

    /// <summary>Versions of a table, the current one included, that are kept however old they are; all others for a day.</summary>
    public int VersionsKept { get; init; } = 3;

    public TimeSpan KeepJobs { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Sessions, after their tokens expired.</summary>
    public TimeSpan KeepSessions { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How long a run of one source may take in all, however well it gets on.</summary>
    public TimeSpan SyncTotal { get; init; } = TimeSpan.FromHours(24);

    public TimeSpan KeepUploads { get; init; } = TimeSpan.FromDays(365);

    private static readonly LimitOptions Defaults = new();

    private static readonly Setting Connections = new Setting(null, "AGNES_CONNECTIONS_MAX")
    { Default = Defaults.ConnectionsMax, Means = "Connections that are open at the same time." }.Between(16, 1_000_000);

    private static readonly Setting NetworkConnections = new Setting(null, "AGNES_NETWORK_CONNECTIONS_MAX")
    {
        Default = Defaults.NetworkConnectionsMax,
        Means = "Connections of one network (/24, or /64 of IPv6); this machine and `AGNES_TRUSTED_PROXIES` are not held to it.",
    }.Between(16, 1_000_000);

    private static readonly Setting Rate = new Setting(null, "AGNES_API_RATE")
    {
        Default = Defaults.CallsPerSecond,
        Means = "Calls of one person a second, six times as many at once; `0`: no limit. Twenty downloads or manifests count as one.",
    }.Between(0, 1_000_000);

    private static readonly Setting Reserve = new(null, "AGNES_DISK_RESERVE")
    {
        Otherwise = "1 GiB, or 5 % of a smaller disk",
        Means = "What stays free on the disks of data and state (`2GiB`, `5%`): below, uploads, scans and syncs are refused (507 " +
            "`disk_reserve`); reads and control writes go on.",
    };

    private static readonly Setting SyncHours = new Setting(null, "AGNES_SYNC_HOURS_MAX")
    {
        Default = (int)Defaults.SyncTotal.TotalHours,
        Means = "How long one run of a source may take in all; one that makes no progress for 15 minutes is ended before.",
    }.Between(1, 24 * 30);

    private static readonly Setting Versions = new Setting(null, "AGNES_VERSIONS_KEPT")
    {
        Default = Defaults.VersionsKept,
        Means = "Versions of a table that are kept, the current one included, to look back at and to go back to; parts that they share are kept once.",
    }.Between(1, 100);

    private static readonly Setting AuditDays = Days("AGNES_KEEP_AUDIT_DAYS", Defaults.KeepAudit, "the audit log is kept");
    private static readonly Setting HistoryDays = Days("AGNES_KEEP_HISTORY_DAYS", Defaults.KeepHistory, "the history of syncs is kept");
    private static readonly Setting JobDays = Days("AGNES_KEEP_JOBS_DAYS", Defaults.KeepJobs, "jobs and their logs are kept");
    private static readonly Setting SessionDays =
        Days("AGNES_KEEP_SESSIONS_DAYS", Defaults.KeepSessions, "sessions are listed in the state after their token expired");
    private static readonly Setting UploadDays =
        Days("AGNES_KEEP_UPLOADS_DAYS", Defaults.KeepUploads, "what laptops uploaded is kept after it was last brought");

    internal static readonly SettingGroup[] Settings =
    [
        new("Bounds", Connections, NetworkConnections, Rate, Reserve, SyncHours, Versions),
        new("How many days things are kept", AuditDays, HistoryDays, JobDays, SessionDays, UploadDays),
    ];

    /// <param name="find">A variable of the environment, nothing where it is empty.</param>
    public static LimitOptions From(Func<string, string?> find) => new()
    {
        ConnectionsMax = Connections.Number(find),
        NetworkConnectionsMax = NetworkConnections.Number(find),
        CallsPerSecond = Rate.Number(find),
        DiskReserve = find(Reserve.Name) is { } reserve ? DiskShare.Parse(Reserve.Name, reserve) : Defaults.DiskReserve,
        KeepAudit = TimeSpan.FromDays(AuditDays.Number(find)),
        KeepHistory = TimeSpan.FromDays(HistoryDays.Number(find)),
        KeepJobs = TimeSpan.FromDays(JobDays.Number(find)),
        KeepSessions = TimeSpan.FromDays(SessionDays.Number(find)),
        SyncTotal = TimeSpan.FromHours(SyncHours.Number(find)),
        KeepUploads = TimeSpan.FromDays(UploadDays.Number(find)),
        VersionsKept = Versions.Number(find),
    };

    private static Setting Days(string name, TimeSpan absent, string means) =>
        new Setting(null, name) { Default = (int)absent.TotalDays, Means = $"How many days {means}." }.Between(1, 36_500);
}
