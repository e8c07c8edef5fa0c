using System.Globalization;
using System.Text.Json;

namespace Agnes.Connectors.BigQuery;

/// <summary>
/// One statement's way through BigQuery: submitted under an id that is known before, waited for, cancelled when nobody waits any more.
/// </summary>
internal sealed class BigQueryJob(BigQueryConnection connection, BigQueryCalls calls, BigQueryStatement statement)
{
    private string? _location = statement.Location ?? connection.Location;
    private bool _mayRun;

    /// <summary>
    /// The job was there already and had been ended: by whoever asked before and was stopped, and whose question is asked again.
    /// </summary>
    private bool _wasEndedBefore;

    /// <summary>The id of the job that answers: the statement's, with a number after it where BigQuery had to be asked anew.</summary>
    public string Id { get; private set; } = statement.JobId;

    public string? Location => _location;

    /// <summary>Whether the job was there already.</summary>
    public bool WasThere { get; private set; }

    /// <returns>The job, done, with its columns.</returns>
    /// <exception cref="BigQueryException"/>
    public async Task<(JobMessage Job, SchemaMessage Schema)> RunAsync(CancellationToken cancellation)
    {
        var attempt = 0;
        var pipeline = calls.Again(
            connection.Limits.JobRetriesMax,
            failure => failure is BigQueryException { IsForNow: true, IsOfJob: true } || _wasEndedBefore);
        return await pipeline.ExecuteAsync(
            async token =>
            {
                // By number, so that whoever comes after a crash goes the same way.
                Id = ++attempt == 1 ? statement.JobId : string.Create(CultureInfo.InvariantCulture, $"{statement.JobId}_{attempt}");
                return await OnceAsync(token);
            },
            cancellation);
    }

    private async Task<(JobMessage Job, SchemaMessage Schema)> OnceAsync(CancellationToken cancellation)
    {
        _mayRun = true;
        _wasEndedBefore = false;
        try
        {
            var job = await SubmitAsync(cancellation);
            ThrowIfFailed(job);
            var schema = await WaitAsync(cancellation);
            job = await FindAsync(cancellation);
            ThrowIfFailed(job);
            _mayRun = false;
            return (job, schema);
        }
        finally
        {
            if (_mayRun) await CancelAsync();
        }
    }

    private async Task<JobMessage> SubmitAsync(CancellationToken cancellation)
    {
        JobMessage job;
        try
        {
            job = await calls.PostAsync(
                $"{Uri.EscapeDataString(connection.BillingProject)}/jobs", Message(), BigQueryJson.Default.JobMessage,
                    BigQueryJson.Default.JobMessage, statement.Author, cancellation);
        }
        catch (BigQueryException refused)
            when (refused.Fault == BigQueryFault.AuthFailed || refused is { UpstreamStatus: >= 400 and < 500, Reason: not "duplicate" })
        {
            _mayRun = false;
            throw;
        }
        catch (BigQueryException duplicate) when (duplicate.Reason == "duplicate")
        {
            // Ours of a moment ago, whose answer was lost, or of before a crash.
            WasThere = true;
            job = await FindAsync(cancellation);
            if (job.Configuration?.Query?.Query != statement.Sql)
            {
                _mayRun = false; // it is not ours to cancel
                throw new BigQueryException(BigQueryFault.UpstreamError, $"The job '{Id}' is of another statement. Choose another id.");
            }

            _wasEndedBefore = job.Status is { State: "DONE", ErrorResult.Reason: "stopped" };
        }

        _location = job.JobReference?.Location ?? _location;
        return job;
    }

    /// <summary>Waits until the result is there, by calls that wait at BigQuery.</summary>
    private async Task<SchemaMessage> WaitAsync(CancellationToken cancellation)
    {
        var pipeline = calls.Again(
            connection.Limits.RetriesMax, failure => failure is BigQueryException { IsForNow: true, IsOfJob: false });
        while (true)
        {
            var answer = await pipeline.ExecuteAsync(async token => await AskAsync(token), cancellation);
            if (answer.JobComplete) return answer.Schema ?? throw BigQueryErrors.NotUnderstood("a result has no columns");
        }
    }

    private async Task<ResultHead> AskAsync(CancellationToken cancellation)
    {
        var limits = connection.Limits;
        var path = $"{ResultPath()}&maxResults=0&timeoutMs={limits.WaitTime.TotalMilliseconds:0}";
        try
        {
            return await calls.OnceAsync(
                HttpMethod.Get, path, null, BigQueryJson.Default.ResultHead, statement.Author, limits.WaitTime + limits.CallTime,
                    cancellation);
        }
        catch (BigQueryException failure) when (failure.UpstreamStatus is not null and not 401)
        {
            // The call's error, or the job's: only the job itself tells.
            ThrowIfFailed(await FindAsync(cancellation));
            throw;
        }
    }

    /// <summary>The address of the result's pages.</summary>
    public string ResultPath() =>
        $"{Uri.EscapeDataString(connection.BillingProject)}/queries/{Id}?{At()}formatOptions.useInt64Timestamp=true";

    private async Task<JobMessage> FindAsync(CancellationToken cancellation)
    {
        var path = $"{Uri.EscapeDataString(connection.BillingProject)}/jobs/{Id}?{At()}";
        try
        {
            return await calls.GetAsync(path, BigQueryJson.Default.JobMessage, cancellation);
        }
        catch (BigQueryException missing) when (missing.Reason == "notFound" && _location is null)
        {
            // Outside of the two regions of many a job is found with its location alone. A dry run says where the statement runs, and
            // costs nothing.
            var dry = await calls.PostAsync($"{Uri.EscapeDataString(connection.BillingProject)}/jobs", Message() with
            {
                JobReference = null,
                Configuration = Message().Configuration! with { DryRun = true },
            }, BigQueryJson.Default.JobMessage, BigQueryJson.Default.JobMessage, statement.Author, cancellation);
            _location = dry.JobReference?.Location;
            if (_location is null) throw;
            return await calls.GetAsync($"{path}{At()}", BigQueryJson.Default.JobMessage, cancellation);
        }
    }

    /// <summary>Nobody waits any more: the job shall end, and cost nothing. What it would have answered is not waited for.</summary>
    private async Task CancelAsync()
    {
        using var bound = new CancellationTokenSource(connection.Limits.CancelTime);
        var path = $"{Uri.EscapeDataString(connection.BillingProject)}/jobs/{Id}/cancel?{At()}";
        // Not found may mean: not yet, since the call that submits it was left a moment ago.
        var pipeline = calls.Again(
            2, failure => failure is BigQueryException { Reason: "notFound" } or BigQueryException { IsForNow: true });
        try
        {
            await pipeline.ExecuteAsync(
                async token =>
                    await calls.OnceAsync(
                    HttpMethod.Post, path, [], BigQueryJson.Default.CancelAnswer, StatementAuthor.Server, connection.Limits.CancelTime,
                    token),
                bound.Token);
        }
        catch (Exception failure) when (failure is BigQueryException or OperationCanceledException)
        {
            // The reason for leaving is what the caller has to hear; the job's own time ends it in the end.
        }
    }

    private JobMessage Message()
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["application"] = "agnes",
            ["connection"] = BigQueryStatement.Label(connection.Name)
        };
        foreach (var (key, value) in statement.Labels) labels[BigQueryStatement.Label(key)] = BigQueryStatement.Label(value);
        var query = new QueryConfiguration(
            statement.Sql,
            UseLegacySql: false,
            MaximumBytesBilled: statement.BytesBilledMax.ToString(CultureInfo.InvariantCulture),
            ParameterMode: statement.Parameters.Count > 0 ? "NAMED" : null,
            QueryParameters: statement.Parameters.Count > 0 ? [.. statement.Parameters.Select(parameter => parameter.ToMessage())] : null);
        var time = statement.TimeMax is { } most ? most.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture) : null;
        return new JobMessage(
            new JobReference(connection.BillingProject, Id, _location), new JobConfiguration(query, Labels: labels, JobTimeoutMs: time));
    }

    private string At() => _location is null ? "" : $"location={Uri.EscapeDataString(_location)}&";

    private void ThrowIfFailed(JobMessage job)
    {
        if (job.Status is not { State: "DONE", ErrorResult: { } error }) return;
        _mayRun = false;
        throw BigQueryErrors.Of(connection, 0, error.Reason, error.Message, statement.Author);
    }
}
