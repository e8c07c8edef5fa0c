namespace Agnes.Server.Platform.Config;

/// <summary>How often sources are asked about the tables that stay there, and about how many at once.</summary>
public sealed record MetadataOptions
{
    private const int AtOnceMax = 64;

    /// <summary>What is known of a table counts as fresh for twice as long.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromHours(4);

    public int AtOnce { get; init; } = 4;

    /// <summary>The same at the start, after a change of the registry, and where an admin asks for it.</summary>
    public int WarmUpAtOnce { get; init; } = 4;

    /// <summary>Nothing is asked because the server starts.</summary>
    public bool SkipsWarmUp { get; init; }

    private static readonly MetadataOptions Defaults = new();

    private static readonly Setting Seconds = new Setting(null, "SCHEDULER_BQ_METADATA_REFRESH_INTERVAL")
    {
        Default = (int)Defaults.Every.TotalSeconds,
        Means = "How often sources are asked what they have of the tables that stay there, in seconds; it is fresh for twice as long.",
    }.Between(60, 7 * 24 * 3600);

    private static readonly Setting Refreshed = new Setting(null, "AGNES_BQ_METADATA_REFRESH_CONCURRENCY")
    {
        Default = Defaults.AtOnce,
        Means = "About how many tables at once; what is no such number stands for the default.",
    }.Between(1, AtOnceMax);

    private static readonly Setting WarmedUp = new Setting(null, "AGNES_WARMUP_CONCURRENCY")
    {
        Default = Defaults.WarmUpAtOnce,
        Means = "The same at the start, after a change of the registry, and where an admin asks for it.",
    }.Between(1, AtOnceMax);

    private static readonly Setting Skip = new(null, "AGNES_SKIP_CACHE_WARMUP")
    {
        Kind = "bool",
        Default = false,
        Means = "`1`: sources are not asked because the server starts.",
    };

    internal static readonly SettingGroup Settings = new("What sources say of the tables that stay there", Seconds, Refreshed, WarmedUp, Skip);

    /// <param name="find">A variable of the environment, nothing where it is empty.</param>
    public static MetadataOptions From(Func<string, string?> find)
    {
        return new MetadataOptions
        {
            Every = TimeSpan.FromSeconds(Seconds.Number(find)),
            AtOnce = Refreshed.NumberOrDefault<int>(find),
            WarmUpAtOnce = WarmedUp.NumberOrDefault<int>(find),
            SkipsWarmUp = find(Skip.Name)?.ToLowerInvariant() is "1" or "true" or "yes",
        };
    }
}
