namespace Agnes.Server;

/// <summary>What this process does. <see cref="All"/> is the default; the others split it for several processes: one answers people, the other runs jobs and tells of its health.</summary>
public enum Role
{
    All,
    Web,
    Jobs,
}

/// <summary>What each role takes part in.</summary>
public static class Roles
{
    /// <summary>Whether jobs are claimed and run here.</summary>
    public static bool RunsJobs(this Role role) => role is Role.All or Role.Jobs;

    /// <summary>Whether people and agents are answered here.</summary>
    public static bool ServesRequests(this Role role) => role is Role.All or Role.Web;

    /// <summary>The embedded state belongs to one process, so the split roles need PostgreSQL.</summary>
    public static bool RunsOnEmbeddedState(this Role role) => role is Role.All;

    public static bool TryParse(string text, out Role role) => Enum.TryParse(text, ignoreCase: true, out role) && Enum.IsDefined(role) && !char.IsAsciiDigit(text[0]);
}
