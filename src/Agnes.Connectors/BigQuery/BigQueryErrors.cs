namespace Agnes.Connectors.BigQuery;

/// <summary>Whose text a statement is.</summary>
public enum StatementAuthor
{
    /// <summary>A person's or an agent's: what is wrong with it is theirs to mend.</summary>
    Asker,

    /// <summary>Ours.</summary>
    Server,
}

/// <summary>
/// Which fault an answer of BigQuery is: its reason first, then the status, then the text (the contract's table of kinds, with its
/// improvements).
/// </summary>
internal static class BigQueryErrors
{
    /// <summary>BigQuery's reason for what is not there.</summary>
    public const string NotFound = "notFound";

    private const int TextMax = 1000;

    /// <param name="status">Of HTTP; 0 for a job that failed.</param>
    public static BigQueryException Of(BigQueryConnection connection, int status, string? reason, string? text, StatementAuthor author)
    {
        var said = text is null ? null : text.Length > TextMax ? text[..TextMax] : text;
        var fault = FaultOf(status, reason, said, author);
        var details = new Dictionary<string, string>(StringComparer.Ordinal);
        if (fault is BigQueryFault.CrossProjectForbidden or BigQueryFault.Forbidden or BigQueryFault.ResponseTooLarge)
        {
            (details["billing_project"], details["data_project"]) = (connection.BillingProject, connection.DataProject);
        }

        if (fault == BigQueryFault.CrossProjectForbidden) details["hint"] = HintOfProjects(connection);
        if (fault == BigQueryFault.ResponseTooLarge) details["original"] = said ?? "response too large";
        return new BigQueryException(fault, Message(connection, fault, reason, said))
        {
            Details = details,
            Reason = reason,
            UpstreamStatus = status == 0 ? null : status,
            Upstream = said,
            IsForNow = IsForNow(status, reason),
            IsOfJob = status == 0,
        };
    }

    /// <summary>No answer, or half of one.</summary>
    public static BigQueryException Unreachable(Exception inner) =>
        new(BigQueryFault.UpstreamError, "BigQuery could not be reached, or broke off its answer. Try again later.",
            inner)
        { IsForNow = true };

    public static BigQueryException TooSlow(TimeSpan time) =>
        new(BigQueryFault.UpstreamError,
            $"BigQuery did not answer within {time.TotalSeconds:0.#} seconds. Try again later.")
        { IsForNow = true };

    /// <summary>It answered with something else than is documented.</summary>
    public static BigQueryException NotUnderstood(string what, Exception? inner = null) =>
        new(BigQueryFault.UpstreamError, $"An answer of BigQuery is not understood: {what}.", inner);

    private static BigQueryFault FaultOf(int status, string? reason, string? text, StatementAuthor author) => reason switch
    {
        "responseTooLarge" => BigQueryFault.ResponseTooLarge,
        "rateLimitExceeded" or "jobRateLimitExceeded" => BigQueryFault.RateLimited,
        "quotaExceeded" => BigQueryFault.QuotaExceeded,
        "accessDenied" => Forbidden(text),
        "notFound" or "backendError" or "internalError" or "jobBackendError" or "jobInternalError" or "stopped" or "timeout" =>
            BigQueryFault.UpstreamError,
        "authError" => BigQueryFault.AuthFailed,
        _ => status switch
        {
            401 => BigQueryFault.AuthFailed,
            403 => Forbidden(text),
            429 => BigQueryFault.RateLimited,
            _ when Contains(text, "response too large") => BigQueryFault.ResponseTooLarge,
            400 => author == StatementAuthor.Asker ? BigQueryFault.BadRequest : BigQueryFault.UpstreamError,
            0 when IsOfStatement(reason) && author == StatementAuthor.Asker => BigQueryFault.BadRequest,
            _ => BigQueryFault.UpstreamError,
        },
    };

    private static BigQueryFault Forbidden(string? text) =>
        Contains(text, "serviceusage") ? BigQueryFault.CrossProjectForbidden : BigQueryFault.Forbidden;

    /// <summary>Reasons that a job fails with which its statement is at fault for: they are a 400 where a call answers them.</summary>
    private static bool IsOfStatement(string? reason) =>
        reason is "invalidQuery" or "invalid" or "resourcesExceeded" or "bytesBilledLimitExceeded" or "tableUnavailable"
            or "billingTierLimitExceeded";

    /// <summary>What Google says to try again; a job itself may be run again for the same reasons.</summary>
    private static bool IsForNow(int status, string? reason) =>
        reason is "rateLimitExceeded" or "jobRateLimitExceeded" or "quotaExceeded" or "backendError" or "internalError"
            or "jobBackendError" or "jobInternalError"
        || status is 429 or 500 or 502 or 503 or 504;

    private static string Message(BigQueryConnection connection, BigQueryFault fault, string? reason, string? text) =>
        (fault, reason) switch
        {
            (BigQueryFault.CrossProjectForbidden, _) =>
                $"BigQuery does not let this account use the project '{connection.BillingProject}'. {HintOfProjects(connection)}",
            (BigQueryFault.Forbidden, _) =>
                "BigQuery denied access. An admin gives the connection's account roles/bigquery.dataViewer on the data sets and "
                + $"roles/bigquery.jobUser on '{connection.BillingProject}'.",
            (BigQueryFault.ResponseTooLarge, _) => "The answer is larger than BigQuery returns. Ask for fewer rows or columns, or aggregate.",
            (BigQueryFault.RateLimited, _) => "BigQuery has too many questions of this project at once. Try again in a few minutes.",
            (BigQueryFault.QuotaExceeded, _) =>
                "A quota of this project at BigQuery is used up. An admin finds it under 'Quotas' of the project.",
            (BigQueryFault.AuthFailed, _) =>
                "BigQuery does not take the connection's credentials. An admin sets a new key, or looks whether the account still exists.",
            (BigQueryFault.BadRequest, "bytesBilledLimitExceeded") =>
                "The statement would read more than it may. Filter by the partition column, or name fewer columns.",
            (BigQueryFault.BadRequest, "resourcesExceeded") =>
                "The statement needs more than BigQuery gives one statement. Filter more, or sort and group less at once.",
            (BigQueryFault.BadRequest, _) => $"BigQuery does not understand the statement: {text}",
            (_, "notFound") =>
                "BigQuery finds no such table, data set or job, or not in this location. An admin looks whether it still exists, and at the "
                    + "connection's location.",
            (_, "stopped") => "The statement was ended at BigQuery by somebody else. Ask again.",
            (_, "timeout") => "BigQuery ended the statement, since its time was over. Filter more.",
            _ => "BigQuery failed. Try again later; if it stays so, an admin tests the connection.",
        };

    private static string HintOfProjects(BigQueryConnection connection) =>
        $"Give the account roles/serviceusage.serviceUsageConsumer on '{connection.BillingProject}', or set a billing project that it "
            + $"may use.";

    private static bool Contains(string? text, string part) => text?.Contains(part, StringComparison.OrdinalIgnoreCase) == true;
}
