using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using Agnes.Engine.Outbound;
using Agnes.Engine.Query.Remote;

namespace Agnes.Connectors.BigQuery;

/// <summary>
/// BigQuery through its documented REST interface (version 2). Every job has an id that the caller chose, labels, and a bound of what it
/// may be billed. One instance serves many questions at once.
/// </summary>
public sealed class BigQueryClient : IDisposable
{
    private const int PageOfList = 1000;
    private readonly BigQueryConnection _connection;
    private readonly BigQueryCalls _calls;

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

        _connection = connection;
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

    /// <summary>Data sets of the data project, or the tables of one, in the order of their names.</summary>
    /// <exception cref="BigQueryException"/>
    public async Task<IReadOnlyList<RemoteRelation>> ListAsync(RemoteListing listing, CancellationToken cancellation)
    {
        var found = listing.Bucket is { } dataset
            ? await TablesAsync(dataset, cancellation)
            : await DatasetsAsync(cancellation);
        var after = (listing.AfterBucket ?? "", listing.AfterTable ?? "");
        return
        [
            .. found.OrderBy(one => one.Bucket, StringComparer.Ordinal).ThenBy(one => one.Table, StringComparer.Ordinal)
                .Where(one => IsAfter((one.Bucket, one.Table ?? ""), after)).Take(listing.Max),
        ];
    }

    /// <summary>Rows of a table that stores some, read without running a statement: that is not billed. Nothing is asked yet.</summary>
    public BigQueryRows RowsOf(BigQueryTable table)
    {
        var path = $"{TablesOf(table.Table.DatasetId)}/{Uri.EscapeDataString(table.Table.TableId)}/data?formatOptions.useInt64Timestamp=true";
        return new BigQueryRows(_connection, _calls, path, table.Columns, StatementAuthor.Server);
    }

    /// <summary>What is known of a table, by a call that runs no job.</summary>
    /// <returns>Null: there is none, or none that the account may see.</returns>
    /// <exception cref="BigQueryException"/>
    public async Task<BigQueryTable?> GetTableAsync(string dataset, string table, CancellationToken cancellation)
    {
        try
        {
            var path = $"{TablesOf(dataset)}/{Uri.EscapeDataString(table)}";
            return BigQueryTable.From(await _calls.GetAsync(path, BigQueryJson.Default.TableMessage, cancellation));
        }
        catch (BigQueryException missing) when (missing.Reason == BigQueryErrors.NotFound)
        {
            return null;
        }
    }

    public void Dispose() => _calls.Dispose();

    private Task<List<RemoteRelation>> DatasetsAsync(CancellationToken cancellation) => ListedAsync(
        $"{Project(_connection.DataProject)}/datasets", BigQueryJson.Default.DatasetList,
        page => (page.NextPageToken, page.Datasets?.Select(one => new RemoteRelation(one.DatasetReference.DatasetId, null, new([])))),
        cancellation);

    private Task<List<RemoteRelation>> TablesAsync(string dataset, CancellationToken cancellation) => ListedAsync(
        TablesOf(dataset), BigQueryJson.Default.TableList,
        page => (page.NextPageToken, page.Tables?.Select(one => new RemoteRelation(
            dataset, one.TableReference.TableId, new([]) { EntityType = BigQueryTable.EntityOf(BigQueryTable.Normal(one.Type)) }))),
        cancellation);

    private async Task<List<RemoteRelation>> ListedAsync<TPage>(
        string path, JsonTypeInfo<TPage> type, Func<TPage, (string? Next, IEnumerable<RemoteRelation>? Listed)> read,
        CancellationToken cancellation)
    {
        var all = new List<RemoteRelation>();
        string? next = null;
        do
        {
            (next, var listed) = read(await _calls.GetAsync($"{path}?{PageOf(next)}", type, cancellation));
            all.AddRange(listed ?? []);
            if (all.Count > _connection.Limits.ListedMax)
                throw BigQueryErrors.NotUnderstood($"a list of more than {_connection.Limits.ListedMax} names");
        }
        while (next is not null);
        return all;
    }

    private static bool IsAfter((string Bucket, string Table) one, (string Bucket, string Table) other) =>
        string.CompareOrdinal(one.Bucket, other.Bucket) is var order
        && (order > 0 || (order == 0 && string.CompareOrdinal(one.Table, other.Table) > 0));

    private string TablesOf(string dataset) => $"{Project(_connection.DataProject)}/datasets/{Uri.EscapeDataString(dataset)}/tables";

    private static string PageOf(string? token) =>
        string.Create(
            CultureInfo.InvariantCulture, $"maxResults={PageOfList}{(token is null ? "" : $"&pageToken={Uri.EscapeDataString(token)}")}");

    private static string Project(string project) => Uri.EscapeDataString(project);
}
