namespace Agnes.Emulators.BigQuery;

/// <summary>The calls of the service, by the documentation's names, and those for tokens.</summary>
public enum Call
{
    Any,
    JobsInsert,
    JobsGet,
    JobsCancel,
    JobsQuery,
    GetQueryResults,
    DatasetsList,
    DatasetsGet,
    TablesList,
    TablesGet,
    TableDataList,
    Token,
    Metadata,
}

/// <summary>What goes wrong with a call.</summary>
public abstract record Trouble
{
    private Trouble()
    {
    }

    /// <summary>The error is answered and nothing is done.</summary>
    public sealed record Answer(int Code, string Reason, string Message) : Trouble
    {
        internal BigQueryError ToError() => new(Code, Reason, Message);
    }

    /// <summary>The call is done, later.</summary>
    public sealed record Delay(TimeSpan Time) : Trouble;

    /// <summary>Nothing is done or answered until the caller leaves.</summary>
    public sealed record Stall : Trouble;

    /// <summary>The call is done; of its answer the first part is sent, and then nothing more until the caller leaves.</summary>
    /// <param name="Share">Of the answer's bytes, 0 … 1.</param>
    public sealed record StallHalfway(double Share) : Trouble;

    /// <summary>The call is done; of its answer the first part is sent, and then the connection ends.</summary>
    /// <param name="Share">Of the answer's bytes, 0 … 1.</param>
    public sealed record Cut(double Share) : Trouble;

    /// <summary>The connection ends before anything is done.</summary>
    public sealed record Drop : Trouble;

    /// <summary>The call is done, and the connection ends before a byte is answered.</summary>
    public sealed record DropAfter : Trouble;

    /// <summary>The documented errors, by reason.</summary>
    public static Answer Of(string reason) => reason switch
    {
        "accessDenied" =>
            new(403, reason, "Access Denied: Table other-project:secret.payroll: User does not have permission to query table"),
        "serviceusage" =>
            new(403, "accessDenied", "Caller does not have required permission to use project billing-project. Grant the caller the "
            + "roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission"),
        "notFound" => new(404, reason, "Not found: Dataset other-project:secret was not found in location EU"),
        "invalidQuery" => new(400, reason, "Syntax error: Unexpected identifier \"X\" at [1:1]"),
        "invalid" => new(400, reason, "Invalid value for maxResults"),
        "responseTooLarge" =>
            new(403, reason, "Response too large to return. Consider specifying a destination table in your job configuration."),
        "resourcesExceeded" => new(400, reason, "Resources exceeded during query execution"),
        "rateLimitExceeded" => new(403, reason, "Exceeded rate limits: too many api requests per user per method for this user_method."),
        "jobRateLimitExceeded" => new(400, reason, "Job exceeded rate limits: Your project exceeded quota for concurrent queries."),
        "quotaExceeded" => new(403, reason, "Quota exceeded: Your project exceeded quota for free query bytes scanned."),
        "bytesBilledLimitExceeded" => new(400, reason, "Query exceeded limit for bytes billed: 10485760. 20971520 or higher required."),
        "backendError" => new(503, reason, "An internal error occurred and the request could not be completed. Error: 80038528"),
        "internalError" => new(500, reason, "An internal error occurred and the request could not be completed."),
        "tooManyRequests" => new(429, "rateLimitExceeded", "Too many requests"),
        "authError" => new(401, reason, "Request had invalid authentication credentials."),
        "stopped" => new(400, reason, "Job execution was cancelled: User requested cancellation"),
        "timeout" => new(400, reason, "Operation timed out after 0.1 seconds."),
        "billingNotEnabled" => new(403, reason, "Billing has not been enabled for this project."),
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "No documented error of that name is kept here."),
    };
}
