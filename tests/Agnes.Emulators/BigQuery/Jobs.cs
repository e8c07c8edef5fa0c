using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DuckDB.NET.Data;

namespace Agnes.Emulators.BigQuery;

/// <summary>Queries that were submitted, and how they are run.</summary>
internal sealed partial class Jobs(Warehouse warehouse, BigQueryServer server, TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Project, string Id), Job> _jobs = new();

    public IEnumerable<Job> All => _jobs.Values.OrderBy(job => job.Created);

    /// <param name="query">What <c>configuration.query</c> or a body of <c>jobs.query</c> has.</param>
    /// <param name="id">The caller's, or null for one of ours.</param>
    /// <exception cref="BigQueryError"/>
    public Job Submit(string project, string? id, string? location, JsonObject configuration, JsonElement query, bool isDryRun)
    {
        id ??= $"job_{Guid.NewGuid():N}";
        if (!JobId().IsMatch(id)) throw new BigQueryError(400, "invalid", $"Invalid job ID \"{id}\"");
        if (query.TryGetProperty("useLegacySql", out var legacy) ? legacy.ValueKind != JsonValueKind.False : true)
        {
            throw new BigQueryError(400, "invalid", "The emulator has no legacy SQL: useLegacySql must be false");
        }

        var sql = query.TryGetProperty("query", out var text) ? text.GetString()
            ?? "" : throw new BigQueryError(400, "required", "Required parameter is missing: query");
        if (!isDryRun && _jobs.TryGetValue((project, id), out var known)) throw Duplicate(known);
        var (named, positional) = Parameters.Of(query);
        var (dataset, datasetProject) = query.TryGetProperty("defaultDataset", out var chosen)
            ? (chosen.GetProperty("datasetId").GetString(), chosen.TryGetProperty("projectId", out var own) ? own.GetString() : null)
            : (null, null);
        var bridged = Bridge.Translate(sql, warehouse, new Bridge.Context(datasetProject ?? project, dataset, named, positional));
        var job = new Job(
            project, id, LocationOf(bridged.Tables, location), configuration, sql, time.GetUtcNow())
        { Tables = bridged.Tables };
        using (var connection = warehouse.Open())
        {
            long billed;
            (job.Fields, (job.BytesProcessed, billed)) = Explained(connection, bridged.Sql);
            if (isDryRun) return job;
            if (!_jobs.TryAdd((project, id), job)) throw Duplicate(_jobs[(project, id)]);
            _ = Task.Run(
                () => RunAsync(job, bridged.Sql, billed, Limit(query, "maximumBytesBilled"), Limit(configuration, "jobTimeoutMs")));
        }

        return job;
    }

    /// <exception cref="BigQueryError"/>
    public Job Find(string project, string id, string? location)
    {
        var isHere = _jobs.TryGetValue((project, id), out var job);
        // Outside of the two regions of many, a job is found with its location alone.
        if (isHere
            && (location is { Length: > 0 } ? job!.Location.Equals(location, StringComparison.OrdinalIgnoreCase) : job!.Location is "US"
            or "EU"))
        {
            return job;
        }
        throw BigQueryError.Missing($"Job {project}:{id}");
    }

    /// <summary>Rows of a result from one on, as documented JSON.</summary>
    public List<JsonNode> Page(Job job, long start, long count, bool int64Timestamp)
    {
        using var connection = warehouse.Open();
        var columns = string.Join(", ", Enumerable.Range(0, job.Fields.Count).Select(i => $"c{i}"));
        var sql = string.Create(
            CultureInfo.InvariantCulture,
            $"SELECT {columns} FROM {job.Result} WHERE rowid >= {start} AND rowid < {start + count} ORDER BY rowid");
        using var command = new DuckDBCommand(sql, connection);
        using var reader = command.ExecuteReader();
        var rows = new List<JsonNode>();
        while (reader.Read()) rows.Add(Cells.Row(reader, job.Fields, int64Timestamp));
        return rows;
    }

    public static BigQueryError EngineError(DuckDBException failure)
    {
        var line = failure.Message.Split('\n')[0];
        return BigQueryError.Invalid(
            line.Contains("does not have a column", StringComparison.Ordinal)
            || line.Contains("not found in FROM", StringComparison.Ordinal)
            ? $"Unrecognized name: {Quoted().Match(line).Groups[1].Value} at [1:8]"
            : line);
    }

    private async Task RunAsync(Job job, string sql, long billed, long? bytesMax, long? timeoutMs)
    {
        using var clock = new CancellationTokenSource();
        if (timeoutMs is { } millis) clock.CancelAfter(TimeSpan.FromMilliseconds(millis));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(job.Cancelled, clock.Token);
        try
        {
            job.State = "RUNNING";
            if (bytesMax < billed)
            {
                throw new BigQueryError(
                    400, "bytesBilledLimitExceeded", $"Query exceeded limit for bytes billed: {bytesMax}. {billed} or higher required.");
            }

            await server.RunningAsync(end.Token);
            using var connection = warehouse.Open();
            var result = $"r_{Guid.NewGuid():N}";
            var names = string.Join(", ", Enumerable.Range(0, job.Fields.Count).Select(i => $"c{i}"));
            await connection.ExecuteUnpreparedAsync($"CREATE TABLE {result} AS SELECT * FROM ({sql}) AS r({names})", end.Token);
            using var count = new DuckDBCommand($"SELECT count(*) FROM {result}", connection);
            (job.Result, job.Rows) = (result, (long)count.ExecuteScalar()!);
            job.BytesBilled = billed;
            job.Finish(null);
        }
        catch (OperationCanceledException) when (job.IsCancelled)
        {
            job.Finish(new BigQueryError(400, "stopped", "Job execution was cancelled: User requested cancellation"));
        }
        catch (OperationCanceledException)
        {
            job.Finish(
                new BigQueryError(
                400, "timeout",
                "Operation timed out. Consider reducing the amount of work performed by your operation so that it can complete within "
                    + "this limit."));
        }
        catch (BigQueryError error)
        {
            job.Finish(error);
        }
        catch (DuckDBException failure)
        {
            job.Finish(EngineError(failure));
        }
    }

    private (IReadOnlyList<Field> Fields, (long Processed, long Billed) Bytes) Explained(DuckDBConnection connection, string sql)
    {
        try
        {
            return (Warehouse.Describe(connection, sql), warehouse.Count(connection, sql));
        }
        catch (DuckDBException failure)
        {
            throw EngineError(failure);
        }
    }

    private string LocationOf(IReadOnlyList<Table> tables, string? wanted)
    {
        foreach (var table in tables)
        {
            var location = warehouse.LocationOf(table.Project, table.Dataset)!;
            wanted ??= location;
            if (location.Equals(wanted, StringComparison.OrdinalIgnoreCase)) continue;
            throw BigQueryError.Missing($"Dataset {table.Project}:{table.Dataset} was not found in location {wanted}");
        }

        return wanted ?? "US";
    }

    private static BigQueryError Duplicate(Job job) => new(409, "duplicate", $"Already Exists: Job {job.Project}:{job.Location}.{job.Id}");

    private static long? Limit(JsonElement body, string name) => body.TryGetProperty(name, out var limit)
        ? limit.ValueKind == JsonValueKind.String ? long.Parse(limit.GetString()!, CultureInfo.InvariantCulture) : limit.GetInt64()
        : null;

    private static long? Limit(JsonObject body, string name) =>
        body[name] is { } limit ? long.Parse(limit.ToString(), CultureInfo.InvariantCulture) : null;

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,1024}\z")]
    private static partial Regex JobId();

    [GeneratedRegex("\"([^\"]+)\"")]
    private static partial Regex Quoted();
}
