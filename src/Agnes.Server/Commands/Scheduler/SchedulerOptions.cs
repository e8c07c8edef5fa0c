using System.Globalization;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Commands.Scheduler;

/// <summary>What a scheduler beside the server learns from its arguments and environment.</summary>
internal sealed record SchedulerOptions
{
    public const string RoleName = "scheduler";
    private const string UrlDefault = "http://localhost:8001";
    private const int DayMax = 7 * 24 * 3600;
    private const string Refused = "of the role `scheduler`; empty, or no such number, stops its start";

    /// <summary>The server that is called.</summary>
    public required Uri Api { get; init; }

    /// <summary>Null: nothing is sent, which works in local development alone.</summary>
    public string? Token { get; init; }

    public required TimeSpan Tick { get; init; }

    public required TimeSpan Grace { get; init; }

    public required IReadOnlyList<ScheduledCall> Calls { get; init; }

    /// <summary>Where its health is asked for.</summary>
    public required string Urls { get; init; }

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    private static readonly Setting Address = new(null, "API_URL")
    {
        Default = ServerOptions.UrlDefault,
        Means = "Of the role `scheduler`: the server that it calls.",
    };

    private static readonly Setting Health = Seconds("SCHEDULER_HEALTH_CHECK_INTERVAL", 300, $"How often it asks for the server's health, in seconds; {Refused}.");
    private static readonly Setting TickSeconds = Seconds("SCHEDULER_TICK_SECONDS", 30, $"How often it looks what is due, in seconds: no longer than the shortest interval; {Refused}.");
    private static readonly Setting GraceSeconds = Seconds("SCHEDULER_STARTUP_GRACE_SECONDS", 60, $"How long it waits before it first looks, in seconds; 0: not at all; {Refused}.", 0);

    private static readonly Setting Offset = Seconds(
        "SCHEDULER_BQ_METADATA_INITIAL_OFFSET_MAX_SECONDS", 900, $"By how much of its interval the first refresh of metadata comes sooner, at most, in seconds; 0: by nothing; {Refused}.", 0);

    internal static readonly SettingGroup Settings = new("A scheduler beside the server (`--role scheduler`)", Address, Health, TickSeconds, GraceSeconds, Offset);

    public static bool IsAsked(IReadOnlyList<string> args, Func<string, string?> environment) =>
        (Arguments.Parse(args).Role ?? environment("AGNES_ROLE"))?.Equals(RoleName, StringComparison.OrdinalIgnoreCase) ?? false;

    /// <exception cref="OptionsException">Something is set to what it cannot be; the message names it.</exception>
    public static SchedulerOptions From(IReadOnlyList<string> args, Func<string, string?> environment)
    {
        var given = Arguments.Parse(args);
        int Number(string name, int absent, int min = 1) => NumberOf(name, environment(name), absent, min);
        var refresh = Number("SCHEDULER_DATA_REFRESH_INTERVAL", 900);
        var metadata = Number("SCHEDULER_BQ_METADATA_REFRESH_INTERVAL", 14_400);
        var health = Number(Health.Name, 300);
        var tick = Number(TickSeconds.Name, 30);
        if (tick > Math.Min(refresh, Math.Min(metadata, health)))
            throw new OptionsException($"{TickSeconds.Name} ({tick}) must not be more than the shortest of the scheduler's intervals.");
        var address = environment(Address.Name) is { Length: > 0 } set ? set : ServerOptions.UrlDefault;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var api) || api.Scheme is not ("http" or "https") || api.UserInfo.Length > 0)
            throw new OptionsException($"{Address.Name} must be an address such as https://data.example.com.");
        return new SchedulerOptions
        {
            Api = new Uri(api.AbsoluteUri.TrimEnd('/') + "/"),
            Token = environment("SCHEDULER_API_TOKEN")?.Trim() is { Length: > 0 } token ? token : null,
            Tick = TimeSpan.FromSeconds(tick),
            Grace = TimeSpan.FromSeconds(Number(GraceSeconds.Name, 60, 0)),
            Urls = given.Urls ?? environment("ASPNETCORE_URLS") ?? UrlDefault,
            Calls =
            [
                new("data-refresh", HttpMethod.Post, "api/sync/trigger", ScheduleOf(refresh), TimeSpan.FromSeconds(120)),
                new("health-check", HttpMethod.Get, "api/health", ScheduleOf(health), TimeSpan.FromSeconds(30)),
                new("bq-metadata-refresh", HttpMethod.Post, "api/admin/run-bq-metadata-refresh", ScheduleOf(metadata), TimeSpan.FromSeconds(1800))
                {
                    SoonerMax = TimeSpan.FromSeconds(Number(Offset.Name, 900, 0)),
                },
            ],
        };
    }

    /// <summary>In the words of schedules: whole hours, else minutes, rounded up.</summary>
    public static string ScheduleOf(int seconds) => seconds % 3600 == 0
        ? string.Create(CultureInfo.InvariantCulture, $"every {seconds / 3600}h")
        : string.Create(CultureInfo.InvariantCulture, $"every {(seconds + 59) / 60}m");

    /// <summary>Without the token.</summary>
    public override string ToString() => $"scheduler of {Api}";

    private static Setting Seconds(string name, int absent, string means, int min = 1) => new Setting(null, name) { Default = absent, Means = means }.Between(min, DayMax);

    /// <summary>Unset is the default; empty is a mistake.</summary>
    private static int NumberOf(string name, string? value, int absent, int min)
    {
        if (value is null) return absent;
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= DayMax) return number;
        throw new OptionsException($"{name} must be a whole number of seconds from {min} to {DayMax}, not '{value}'.");
    }
}

/// <summary>One of the calls that a scheduler makes.</summary>
/// <param name="Path">Below the server's address.</param>
/// <param name="Schedule">In the words of <c>sync_schedule</c>.</param>
/// <param name="TimeMax">For an answer.</param>
internal sealed record ScheduledCall(string Name, HttpMethod Method, string Path, string Schedule, TimeSpan TimeMax)
{
    /// <summary>The first comes sooner by a random share of this, so that several servers do not ask one source at once.</summary>
    public TimeSpan SoonerMax { get; init; }
}
