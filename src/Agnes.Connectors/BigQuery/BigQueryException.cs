namespace Agnes.Connectors.BigQuery;

/// <summary>What went wrong with BigQuery, by whose fault it is and what can be done.</summary>
public enum BigQueryFault
{
    /// <summary>No project is set.</summary>
    NotConfigured,

    /// <summary>No token could be had, or BigQuery does not take the one we have.</summary>
    AuthFailed,

    /// <summary>The billing project may not be used.</summary>
    CrossProjectForbidden,

    Forbidden,

    /// <summary>The answer is larger than BigQuery returns.</summary>
    ResponseTooLarge,

    /// <summary>A statement that somebody wrote is none.</summary>
    BadRequest,

    /// <summary>Too many calls or jobs at once, and not only for a moment.</summary>
    RateLimited,

    /// <summary>A quota of the project is used up.</summary>
    QuotaExceeded,

    /// <summary>Everything else that BigQuery or the way to it does.</summary>
    UpstreamError,
}

/// <summary>BigQuery refused, or failed.</summary>
/// <param name="message">Says what to do, and holds no secret. Of other data than the asker's it says nothing.</param>
public sealed class BigQueryException(BigQueryFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public BigQueryFault Fault => fault;

    /// <summary>The contract's word.</summary>
    public string Kind => fault switch
    {
        BigQueryFault.NotConfigured => "not_configured",
        BigQueryFault.AuthFailed => "auth_failed",
        BigQueryFault.CrossProjectForbidden => "cross_project_forbidden",
        BigQueryFault.Forbidden => "bq_forbidden",
        BigQueryFault.ResponseTooLarge => "bq_response_too_large",
        BigQueryFault.BadRequest => "bq_bad_request",
        BigQueryFault.RateLimited => "bq_rate_limited",
        BigQueryFault.QuotaExceeded => "bq_quota_exceeded",
        _ => "bq_upstream_error",
    };

    /// <summary>The HTTP status that the contract answers it with.</summary>
    public int Status => fault switch
    {
        BigQueryFault.NotConfigured => 500,
        BigQueryFault.ResponseTooLarge or BigQueryFault.BadRequest => 400,
        _ => 502,
    };

    /// <summary>
    /// What the contract shows besides the message: <c>billing_project</c>, <c>data_project</c>, <c>hint</c>, <c>original</c>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Details { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>BigQuery's word of its list, or null.</summary>
    public string? Reason { get; init; }

    /// <summary>The status that BigQuery answered with, or null.</summary>
    public int? UpstreamStatus { get; init; }

    /// <summary>What BigQuery says, for admins: it may name data sets that an asker must not know of.</summary>
    public string? Upstream { get; init; }

    /// <summary>Whether the same call may do better a moment later.</summary>
    internal bool IsForNow { get; init; }

    /// <summary>Whether the job is what failed, and not the call.</summary>
    internal bool IsOfJob { get; init; }
}
