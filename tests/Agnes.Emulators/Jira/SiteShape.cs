namespace Agnes.Emulators.Jira;

/// <summary>What a site is made of. Equal shapes make equal sites.</summary>
public sealed record SiteShape
{
    public long Seed { get; init; } = 1;

    /// <summary>Issues that are there from the start, spread evenly over the projects; they are made when somebody looks.</summary>
    public int Issues { get; init; } = 100;

    /// <summary>When the first issue was created.</summary>
    public DateTimeOffset Begin { get; init; } = new(2024, 1, 15, 8, 0, 0, TimeSpan.Zero);

    /// <summary>After the last change of the issues that are there from the start; whatever is changed is changed later.</summary>
    public DateTimeOffset End { get; init; } = new(2026, 10, 31, 20, 0, 0, TimeSpan.Zero);

    public IReadOnlyList<Project> Projects { get; init; } =
    [
        new("SUPPORT", "Customer support", "service_desk"),
        new("PLAT", "Platform", "software"),
        new("OPS", "Operations – Betrieb", "business"),
    ];

    /// <summary>One of so many issues has more comments than fit into an issue's own window of 100.</summary>
    public int TalkativeOneIn { get; init; } = 97;

    /// <summary>One of so many issues has more entries in its changelog than fit into an issue's own window of 100.</summary>
    public int RestlessOneIn { get; init; } = 89;
}

/// <param name="Type">As Jira says it: <c>service_desk</c> (whose issues have SLAs and requests), <c>software</c> or
/// <c>business</c>.</param>
public sealed record Project(string Key, string Name, string Type)
{
    public bool IsServiceDesk => Type == "service_desk";
}

/// <param name="Email">Null for somebody whose privacy settings hide it, so that Jira leaves the field out.</param>
public sealed record Person(string AccountId, string DisplayName, string? Email, string Type = "atlassian");

/// <summary>
/// Times of the site: stored as milliseconds since 1970, shown with an offset of one or two hours as a site in Central Europe does.
/// </summary>
internal static class SiteTime
{
    public static TimeSpan OffsetAt(DateTimeOffset time) => TimeSpan.FromHours(time.UtcDateTime.Month is >= 4 and <= 10 ? 2 : 1);

    /// <summary>As Jira writes a time: milliseconds, and an offset without a colon.</summary>
    public static string Write(long milliseconds)
    {
        var time = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
        var offset = OffsetAt(time);
        return $"{time.ToOffset(offset):yyyy-MM-dd'T'HH:mm:ss.fff}+{offset.Hours:00}00";
    }

    public static string Day(long milliseconds) => $"{DateTimeOffset.FromUnixTimeMilliseconds(milliseconds):yyyy-MM-dd}";

    /// <summary>A time as somebody in the site's time zone writes it.</summary>
    public static long Read(DateTime local)
    {
        var offset = TimeSpan.FromHours(local.Month is >= 4 and <= 10 ? 2 : 1);
        return new DateTimeOffset(DateTime.SpecifyKind(local, DateTimeKind.Unspecified), offset).ToUnixTimeMilliseconds();
    }
}
