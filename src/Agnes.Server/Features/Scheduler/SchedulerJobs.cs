using Agnes.Protocol;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Scheduler;

/// <summary>A row of <c>scheduler_job_state</c>.</summary>
internal sealed record SchedulerJobRow
{
    public required string Name { get; init; }
    public DateTime LastStarted { get; init; }
    public DateTime LastFinished { get; init; }

    /// <summary><c>ok</c> or <c>failed</c>.</summary>
    public required string LastStatus { get; init; }

    /// <summary>Null: there was no answer.</summary>
    public int? LastHttpStatus { get; init; }
    public string? LastError { get; init; }
    public int ConsecutiveFailures { get; init; }
}

/// <summary>What a scheduler beside the server reports of its jobs, a row each.</summary>
internal sealed class SchedulerJobs(StateDb state)
{
    /// <summary>There are a dozen; whoever has the secret must not fill the state with others.</summary>
    public const int JobsMax = 50;
    private const int ErrorCharsMax = 500;

    private const string All =
        "SELECT name, last_started, last_finished, last_status, last_http_status, last_error, consecutive_failures FROM scheduler_job_state ORDER BY name";

    private const string Update =
        """
        UPDATE scheduler_job_state SET last_started = @LastStarted, last_finished = @LastFinished, last_status = @LastStatus,
            last_http_status = @LastHttpStatus, last_error = @LastError,
            consecutive_failures = CASE WHEN @LastStatus = 'ok' THEN 0 ELSE consecutive_failures + 1 END
        WHERE name = @Name
        """;

    private const string Insert =
        """
        INSERT INTO scheduler_job_state (name, last_started, last_finished, last_status, last_http_status, last_error, consecutive_failures)
        SELECT @Name, @LastStarted, @LastFinished, @LastStatus, @LastHttpStatus, @LastError, @ConsecutiveFailures
        WHERE (SELECT count(*) FROM scheduler_job_state) < @JobsMax
        RETURNING name
        """;

    public Task<IReadOnlyList<SchedulerJobRow>> ListAsync(CancellationToken cancellation) => state.ReadAsync<SchedulerJobRow>(All, cancellation: cancellation);

    /// <returns>False: there are too many already.</returns>
    public Task<bool> SaveAsync(SchedulerJobRow row, CancellationToken cancellation)
    {
        var error = row.LastError is { } said ? Redactor.Redact(said) : null;
        var kept = new
        {
            row.Name,
            row.LastStarted,
            row.LastFinished,
            row.LastStatus,
            row.LastHttpStatus,
            LastError = error is { Length: > ErrorCharsMax } ? error[..ErrorCharsMax] : error,
            ConsecutiveFailures = row.LastStatus == "ok" ? 0 : 1,
            JobsMax,
        };
        return state.WriteAsync(
            async write => await write.ExecuteAsync(Update, kept) > 0 || (await write.QueryAsync<string>(Insert, kept)).Count > 0, cancellation);
    }
}
