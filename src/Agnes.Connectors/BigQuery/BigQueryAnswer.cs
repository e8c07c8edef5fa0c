namespace Agnes.Connectors.BigQuery;

/// <summary>A statement that has run, and whose rows are at BigQuery until they are read.</summary>
public sealed class BigQueryAnswer
{
    internal BigQueryAnswer(
        BigQueryConnection connection, BigQueryCalls calls, BigQueryJob job, StatementAuthor author, IReadOnlyList<BigQueryField> columns,
        JobStatistics? statistics)
    {
        Rows = new BigQueryRows(connection, calls, job.ResultPath(), columns, author);
        (JobId, Location, WasThere) = (job.Id, job.Location, job.WasThere);
        (BytesBilled, BytesProcessed) = (statistics?.Query?.TotalBytesBilled ?? 0, statistics?.Query?.TotalBytesProcessed ?? 0);
        IsFromCache = statistics?.Query?.CacheHit ?? false;
    }

    public BigQueryRows Rows { get; }

    public string JobId { get; }

    public string? Location { get; }

    /// <summary>Whether the job was there already: submitted before a crash, or by a call whose answer was lost.</summary>
    public bool WasThere { get; }

    public long BytesBilled { get; }

    public long BytesProcessed { get; }

    public bool IsFromCache { get; }
}
