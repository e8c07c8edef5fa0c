namespace Agnes.Emulators.Jira;

/// <summary>What is asked of Jira, and where something can go wrong.</summary>
public enum Step
{
    Issue,
    Comments,
    Changelog,
    Worklogs,
    RemoteLinks,
    Search,

    /// <summary>Up to a hundred issues at once.</summary>
    Bulk,
    Myself,
    ServerInfo,
    Fields,
    Projects,

    /// <summary>An attachment's metadata, and where its content is.</summary>
    Attachment,

    /// <summary>The content, at the second host.</summary>
    Media,

    /// <summary>What Jira does not have, or the emulator.</summary>
    Unknown,
}

/// <summary>What goes wrong there, once.</summary>
/// <param name="Status">Answered instead; 0: what the other fields say.</param>
public sealed record Trouble(int Status = 0)
{
    /// <summary>Sent with <paramref name="Status"/>, and the next request of the same step is noted with how long it waited.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Nothing more comes, and the connection stays.</summary>
    public bool Stalls { get; init; }

    /// <summary>The head promises the whole answer, half of it comes, and nothing more; the connection stays.</summary>
    public bool StallsHalfway { get; init; }

    /// <summary>The head promises the whole answer, half of it comes, and the connection ends.</summary>
    public bool BreaksOff { get; init; }

    /// <summary>The connection ends before a byte is answered.</summary>
    public bool Resets { get; init; }

    /// <summary>A page for people, with status 200.</summary>
    public bool IsNoJson { get; init; }

    /// <summary>A JSON object with nothing in it, with status 200.</summary>
    public bool IsEmpty { get; init; }

    /// <summary>The true answer, so much later.</summary>
    public TimeSpan Delay { get; init; }
}

/// <summary>Which Jira the emulator plays.</summary>
public enum JiraEdition
{
    /// <summary>Of today: <c>search</c> is gone (410), <c>search/jql</c> is there, with tokens and without a total.</summary>
    Cloud,

    /// <summary>Before May 2025: both searches are there.</summary>
    OlderCloud,

    /// <summary>
    /// A server of one's own: version 2 of the API only, <c>search</c> with startAt and total, whole comments and changelogs in an issue.
    /// </summary>
    Server,
}

/// <summary>
/// How many requests of one kind a second are let through. Atlassian's guide on rate limits: the burst limit is for one site, one endpoint
/// and one method, and requests with API tokens have this limit alone.
/// </summary>
/// <param name="Burst">How many may come at once after a pause.</param>
public sealed record RateLimit(double PerSecond, int Burst);
