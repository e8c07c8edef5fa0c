using System.Collections.Concurrent;
using Agnes.Engine.Outbound;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.BigQuery;

/// <summary>
/// Tables of BigQuery that stay there. Questions are statements in its own dialect that the server wrote from a checked tree; a dry run
/// has to say the same of each before it is run.
/// </summary>
internal sealed class BigQueryTables : IRemoteTables, IDisposable
{
    private const int DryRunsMax = 64;
    private const long BilledMin = 10L << 20; // of each table that is read
    private static readonly TimeSpan DryRunFor = TimeSpan.FromMinutes(1);

    private readonly string _connection;
    private readonly BigQuerySettings _settings;
    private readonly BigQueryClient _client;
    private readonly ConcurrentDictionary<string, Checked> _checked = new(StringComparer.Ordinal); // by text; cleared when it is full

    private BigQueryTables(string connection, BigQuerySettings settings, BigQueryClient client) =>
        (_connection, _settings, _client) = (connection, settings, client);

    public static RemoteEngine Engine { get; } = new(BigQuerySettings.Kind, Open);

    public string Connection => _connection;

    private static BigQueryTables Open(RemoteOpening opening)
    {
        try
        {
            var settings = BigQuerySettings.From(opening.Connection, opening.Options);
            // Its addresses are Google's, or the operator's word: no admin's.
            var client = new BigQueryClient(settings.Connection, opening.Guard, SettingOwner.Operator, TimeProvider.System);
            return new BigQueryTables(opening.Connection, settings, client);
        }
        catch (FormatException fault)
        {
            throw new RemoteException(RemoteFault.System, $"'{opening.Connection}' cannot be opened as it is set: {fault.Message}.", fault);
        }
        catch (BigQueryException fault)
        {
            throw Said(fault);
        }
    }

    public Task<RemoteDescription> DescribeAsync(string relation, CancellationToken cancellation) =>
        SayingAsync(async () => (await FindAsync(relation, cancellation)).ToDescription());

    public Task<IReadOnlyList<RemoteRelation>> ListAsync(RemoteListing listing, CancellationToken cancellation) =>
        SayingAsync(() => _client.ListAsync(listing, cancellation));

    public Task<RemoteEstimate> EstimateAsync(RemoteQuestion question, CancellationToken cancellation) => SayingAsync(async () =>
    {
        if (await ListedAsync(question, cancellation) is not null) return new RemoteEstimate(0, null);
        var dry = await CheckAsync(question, isFresh: true, cancellation);
        var width = dry.Run.Columns.Sum(BytesOf);
        return new RemoteEstimate(dry.Run.Bytes, width == 0 ? null : dry.Run.Bytes / width)
        {
            ScanBytesMax = _settings.ScanBytesMax ?? long.MaxValue,
            RowBytes = width,
            Views = dry.Run.Bytes > (_settings.ScanBytesMax ?? long.MaxValue) ? await ViewsOfAsync(question, cancellation) : [],
        };
    });

    public Task AnswerAsync(RemoteQuestion question, string folder, CancellationToken cancellation) => SayingAsync(async () =>
    {
        if (await ListedAsync(question, cancellation) is { } listed)
        {
            await WriteAsync(_client.RowsOf(listed), listed.Columns, question, folder, cancellation);
            return true;
        }

        var dry = await CheckAsync(question, isFresh: false, cancellation);
        IReadOnlyList<BigQueryField> fields = dry.Run.Columns;
        BigQueryRows? rows = null;
        if (question.RowsMax > 0)
        {
            // The last word on what it may cost is BigQuery's own.
            var billedMax = _settings.ScanBytesMax is { } max ? Math.Max(max, dry.Run.Bytes) + (BilledMin * (dry.Run.Tables.Count + 1))
                : long.MaxValue;
            var statement = new BigQueryStatement(question.Sql, question.OnceAs ?? BigQueryStatement.NewJobId(), billedMax)
            {
                Location = dry.Run.Location,
                TimeMax = _settings.TimeMax,
            };
            rows = (await _client.RunAsync(statement, cancellation)).Rows;
            fields = rows.Columns;
        }

        await WriteAsync(rows, fields, question, folder, cancellation);
        return true;
    });

    private static async Task WriteAsync(
        BigQueryRows? rows, IReadOnlyList<BigQueryField> fields, RemoteQuestion question, string folder, CancellationToken cancellation)
    {
        await using var files = await AnswerFiles.OpenAsync(
            folder, [.. fields.Select(field => field.ToColumn())], question.BytesMax, cancellation);
        if (rows is not null) await rows.ReadAsync(new AnswerSink(files, cancellation), question.RowsMax, cancellation);
        await files.CompleteAsync(cancellation);
    }

    /// <summary>The table whose first rows are asked for, where they can be had by listing them; what stores none cannot be listed.</summary>
    private async Task<BigQueryTable?> ListedAsync(RemoteQuestion question, CancellationToken cancellation) =>
        question is { FirstRowsOf: { } relation, RowsMax: > 0 } && await FindAsync(relation, cancellation) is { StoresRows: true } table
            ? table
            : null;

    public void Dispose() => _client.Dispose();

    /// <summary>
    /// What BigQuery says that the statement would do must be what the server says: read the tables of the question, and what their views
    /// read.
    /// </summary>
    private async Task<Checked> CheckAsync(RemoteQuestion question, bool isFresh, CancellationToken cancellation)
    {
        if (!isFresh && _checked.TryGetValue(question.Sql, out var known)
            && TimeProvider.System.GetElapsedTime(known.Since) < DryRunFor) return known;
        var run = await DryAsync(question.Sql, StatementAuthor.Asker, cancellation);
        if (run.StatementType != "SELECT") throw Unexpected();
        var tables = question.Tables.Select(table => table.Relation).ToHashSet(StringComparer.Ordinal);
        if (run.Routines.Count > 0 || run.Tables.Any(table => !tables.Contains(table.ToString())))
            await ThrowUnlessOfViewsAsync(question, run, tables, cancellation);
        if (_checked.Count >= DryRunsMax) _checked.Clear();
        return _checked[question.Sql] = new Checked(run, TimeProvider.System.GetTimestamp());
    }

    /// <summary>Whoever was granted a view may read what it reads, through it.</summary>
    private async Task ThrowUnlessOfViewsAsync(
        RemoteQuestion question, BigQueryDryRun run, HashSet<string> tables, CancellationToken cancellation)
    {
        var routines = new HashSet<RoutineReference>();
        foreach (var view in await ViewsOfAsync(question, cancellation))
        {
            var own = await DryAsync($"SELECT * FROM {Agnes.Sql.BigQuery.BigQueryText.Quoted(view)}", StatementAuthor.Server, cancellation);
            tables.UnionWith(own.Tables.Select(table => table.ToString()));
            routines.UnionWith(own.Routines);
        }

        if (run.Tables.Any(table => !tables.Contains(table.ToString())) || run.Routines.Any(routine => !routines.Contains(routine)))
            throw Unexpected();
    }

    private async Task<List<string>> ViewsOfAsync(RemoteQuestion question, CancellationToken cancellation)
    {
        var views = new List<string>();
        foreach (var relation in question.Tables.Select(table => table.Relation).Distinct(StringComparer.Ordinal))
            if ((await FindAsync(relation, cancellation)).Type is "VIEW" or "MATERIALIZED_VIEW") views.Add(relation);
        return views;
    }

    private Task<BigQueryDryRun> DryAsync(string sql, StatementAuthor author, CancellationToken cancellation) =>
        _client.DryRunAsync(sql, [], author, cancellation);

    /// <param name="relation"><c>project.dataset.table</c></param>
    private async Task<BigQueryTable> FindAsync(string relation, CancellationToken cancellation)
    {
        var parts = relation.Split('.');
        return (parts.Length < 3 ? null : await _client.GetTableAsync(parts[^2], parts[^1], cancellation))
            ?? throw Said(new BigQueryException(
                BigQueryFault.UpstreamError, $"The table is not at '{_connection}'. Ask an admin to look at its registration.")
            {
                Reason = BigQueryErrors.NotFound,
            });
    }

    private async Task<T> SayingAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (BigQueryException failure)
        {
            throw Said(failure);
        }
        catch (DuckDBException failure)
        {
            throw new RemoteException(
                RemoteFault.Question, "A value there does not fit into its column's type here. Leave such rows out.", failure);
        }
    }

    private static RemoteException Said(BigQueryException failure)
    {
        var isQuestions = failure.Fault is BigQueryFault.BadRequest or BigQueryFault.ResponseTooLarge;
        return new RemoteException(isQuestions ? RemoteFault.Question : RemoteFault.System, failure.Message, failure)
        {
            Failure = new RemoteFailure(failure.Kind, failure.Status, failure.Details),
            IsMissing = failure.Reason == BigQueryErrors.NotFound,
            IsForbidden = failure.Fault is BigQueryFault.Forbidden or BigQueryFault.CrossProjectForbidden,
            // A job that failed has said so; a call that was not answered says nothing of the question.
            IsPassing = failure is { Fault: BigQueryFault.UpstreamError, IsForNow: true, IsOfJob: false },
        };
    }

    /// <summary>Nothing of it is said: it is not what the asker was granted.</summary>
    private static RemoteException Unexpected() => Said(new BigQueryException(
        BigQueryFault.BadRequest, "BigQuery reads more for this statement than its tables. Name tables only, and no routines."));

    /// <summary>As the contract estimates a row.</summary>
    private static long BytesOf(BigQueryField field) => field.IsRepeated ? 16 : field.Type switch
    {
        "INT64" or "FLOAT64" or "DATE" or "TIMESTAMP" or "DATETIME" or "TIME" => 8,
        "STRING" => 32,
        "BYTES" => 64,
        "BOOL" => 1,
        _ => 16,
    };

    private sealed record Checked(BigQueryDryRun Run, long Since);
}
