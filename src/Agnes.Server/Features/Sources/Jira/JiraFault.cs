namespace Agnes.Server.Features.Sources.Jira;

/// <summary>Why Jira did not answer what was asked.</summary>
internal enum JiraFault
{
    /// <summary>It does not know the account, or its token: nothing will be answered until another is set.</summary>
    SignIn,

    /// <summary>The account may not see it.</summary>
    Denied,

    /// <summary>There is none, or the account may not know that there is one: Jira does not tell these apart.</summary>
    Missing,

    /// <summary>The address was taken away, as the older search was from Cloud.</summary>
    Gone,

    /// <summary>Too much was asked in too short a time.</summary>
    Busy,

    /// <summary>
    /// The question is wrong: a query with a mistake, a page token that has expired; or its answer is larger than is
    /// taken.
    /// </summary>
    Refused,

    /// <summary>It is not reached, does not answer in time, or has a fault of its own.</summary>
    Down,

    /// <summary>The answer is not what Jira's documentation says.</summary>
    NotUnderstood,
}

/// <summary>Jira did not answer what was asked. The message bears nothing of what it wrote, but for what is wrong with a query.</summary>
internal sealed class JiraException(JiraFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public JiraFault Fault { get; } = fault;

    /// <summary>How long it asked to be left alone.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The same question may be answered a moment later.</summary>
    public bool IsForNow => Fault is JiraFault.Busy or JiraFault.Down or JiraFault.NotUnderstood;

    /// <summary>It is so for whatever is asked, not for the one issue.</summary>
    public bool IsOfSite { get; init; }
}
