using System.Globalization;
using System.Runtime.CompilerServices;
using Agnes.Engine.Outbound;

namespace Agnes.Connectors.BigQuery;

/// <summary>
/// BigQuery through its documented REST interface (version 2). Every job has an id that the caller chose, labels, and a bound of what it
/// may be billed. One instance
/// serves many questions at once.
/// </summary>
public sealed class BigQueryClient : IDisposable
{
    private const int PageOfList = 1000;
    private readonly BigQueryConnection _connection;
    private readonly BigQueryCalls _calls;
    private readonly TimeProvider _time;

    /// <param name="owner">Who chose the addresses of the connection.</param>
    /// <exception cref="BigQueryException">No project is set.</exception>
    public BigQueryClient(BigQueryConnection connection, OutboundGuard guard, SettingOwner owner, TimeProvider time)
    {
        if (connection.BillingProject.Length == 0 || connection.DataProject.Length == 0)
        {
            throw new BigQueryException(BigQueryFault.NotConfigured, "BigQuery has no project. An admin sets the connection's project.")
            {
                Details = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["hint"] = "Set the project that the tables are in, "
                    + "and the billing project where it is another."
                },
            };
        }

        (_connection, _time) = (connection, time);
        _calls = new BigQueryCalls(connection, guard, owner, time);
    }

    /// <summary>
    /// Runs a statement, or finds the job that ran it. The job is cancelled at BigQuery when the token fires before it is done.
    /// </summary>
    /// <exception cref="BigQueryException"/>
    public async Task<BigQueryAnswer> RunAsync(BigQueryStatement statement, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(statement.BytesBilledMax, 0);
        if (!BigQueryStatement.JobIds().IsMatch(statement.JobId))
        {
            throw new ArgumentException("A job's id has letters, digits, '_' and '-'.", nameof(statement));
        }
        var job = new BigQueryJob(_connection, _calls, statement);
        var (done, schema) = await job.RunAsync(cancellation);
        return new BigQueryAnswer(_connection, _calls, job, statement.Author, BigQueryField.From(schema), done.Statistics);
    }

    /// <summary>What a statement would read, without its being run or billed.</summary>
    /// <exception cref="BigQueryException"/>
    public async Task<BigQueryDryRun> DryRunAsync(
        string sql, IReadOnlyList<BigQueryParameter> parameters, StatementAuthor author, CancellationToken cancellation)
    {
        var query = new QueryConfiguration(
            sql, UseLegacySql: false, UseQueryCache: false, ParameterMode: parameters.Count > 0 ? "NAMED" : null,
            QueryParameters: parameters.Count > 0 ? [.. parameters.Select(parameter => parameter.ToMessage())] : null);
        var message = new JobMessage(
            _connection.Location is null ? null : new JobReference(_connection.BillingProject, null, _connection.Location),
            new JobConfiguration(
                query, DryRun: true, Labels: new Dictionary<string, string>(StringComparer.Ordinal) { ["application"] = "agnes" }));
        var job = await _calls.PostAsync(
            $"{Project(_connection.BillingProject)}/jobs", message, BigQueryJson.Default.JobMessage, BigQueryJson.Default.JobMessage,
            author, cancellation);
        var found = job.Statistics?.Query;
        var bytes = found?.TotalBytesProcessed ?? job.Statistics?.TotalBytesProcessed
            ?? throw BigQueryErrors.NotUnderstood("a dry run says no bytes");
        return new BigQueryDryRun(
            bytes, found?.StatementType ?? "", found?.ReferencedTables ?? [], found?.ReferencedRoutines
                ?? [], BigQueryField.From(found?.Schema), job.JobReference?.Location);
    }

    /// <summary>Ends a job that may have been submitted before a crash. One that is done, or was never there, is no error.</summary>
    /// <exception cref="BigQueryException"/>
    public async Task CancelAsync(string jobId, string? location, CancellationToken cancellation)
    {
        if (!BigQueryStatement.JobIds().IsMatch(jobId))
        {
            throw new ArgumentException("A job's id has letters, digits, '_' and '-'.", nameof(jobId));
        }
        var at = location ?? _connection.Location;
        var where = at is null ? "" : $"?location={Uri.EscapeDataString(at)}";
        var path = $"{Project(_connection.BillingProject)}/jobs/{jobId}/cancel{where}";
        try
        {
            await _calls.PostAsync(
                path, new CancelAnswer(null), BigQueryJson.Default.CancelAnswer, BigQueryJson.Default.CancelAnswer,
                StatementAuthor.Server, cancellation);
        }
        catch (BigQueryException missing) when (missing.Reason == "notFound")
        {
            // There is nothing to end.
        }
    }

    /// <exception cref="BigQueryException"/>
    public async IAsyncEnumerable<BigQueryDataset> ListDatasetsAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var count = 0;
        string? next = null;
        do
        {
            var page = await _calls.GetAsync(
                $"{Project(_connection.DataProject)}/datasets?{PageOf(next)}", BigQueryJson.Default.DatasetList, cancellation);
            foreach (var dataset in page.Datasets ?? [])
            {
                if (++count > _connection.Limits.ListedMax)
                {
                    throw BigQueryErrors.NotUnderstood($"more than {_connection.Limits.ListedMax} data sets");
                }
                yield return new BigQueryDataset(
                    dataset.DatasetReference.ProjectId ?? _connection.DataProject, dataset.DatasetReference.DatasetId, dataset.Location);
            }

            next = page.NextPageToken;
        }
        while (next is not null);
    }

    /// <exception cref="BigQueryException"/>
    public async IAsyncEnumerable<BigQueryListedTable> ListTablesAsync(
        string dataset, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var count = 0;
        string? next = null;
        do
        {
            var page = await _calls.GetAsync(
                $"{Project(_connection.DataProject)}/datasets/{Uri.EscapeDataString(dataset)}/tables?{PageOf(next)}",
                BigQueryJson.Default.TableList, cancellation);
            foreach (var table in page.Tables ?? [])
            {
                if (++count > _connection.Limits.ListedMax)
                {
                    throw BigQueryErrors.NotUnderstood($"more than {_connection.Limits.ListedMax} tables");
                }
                yield return new BigQueryListedTable(table.TableReference, BigQueryTable.Normal(table.Type));
            }

            next = page.NextPageToken;
        }
        while (next is not null);
    }

    /// <summary>What is known of a table, by a call that runs no job.</summary>
    /// <returns>Null: there is none, or none that the account may see.</returns>
    /// <exception cref="BigQueryException"/>
    public async Task<BigQueryTable?> GetTableAsync(string dataset, string table, CancellationToken cancellation)
    {
        try
        {
            var path = $"{Project(_connection.DataProject)}/datasets/{Uri.EscapeDataString(dataset)}/tables/{Uri.EscapeDataString(table)}";
            return BigQueryTable.From(await _calls.GetAsync(path, BigQueryJson.Default.TableMessage, cancellation));
        }
        catch (BigQueryException missing) when (missing.Reason == "notFound")
        {
            return null;
        }
    }

    /// <summary>Whether a statement can be run: the smallest there is.</summary>
    /// <returns>How long it took.</returns>
    /// <exception cref="BigQueryException"/>
    public async Task<TimeSpan> TestAsync(CancellationToken cancellation)
    {
        var start = _time.GetTimestamp();
        var statement = new BigQueryStatement("SELECT 1 AS ok", BigQueryStatement.NewJobId(), 0) { Author = StatementAuthor.Server };
        var answer = await RunAsync(statement, cancellation);
        return answer.Columns is [{ Name: "ok" }]
            ? _time.GetElapsedTime(start) : throw BigQueryErrors.NotUnderstood("SELECT 1 has other columns");
    }

    public void Dispose() => _calls.Dispose();

    private static string PageOf(string? token) =>
        string.Create(
            CultureInfo.InvariantCulture, $"maxResults={PageOfList}{(token is null ? "" : $"&pageToken={Uri.EscapeDataString(token)}")}");

    private static string Project(string project) => Uri.EscapeDataString(project);
}
