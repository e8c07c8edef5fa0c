using Agnes.Connectors.Files;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Keboola;

/// <summary>An export that lies on the disk until it is disposed of.</summary>
/// <param name="rowsSaid">How many rows Keboola says that it has; null: it does not say.</param>
/// <param name="spoilt">Called where the file is found to be no good: nobody is to come back to the job.</param>
internal sealed class Fetched(
    StorageJob job, Downloaded file, IReadOnlyList<KeboolaColumn> columns, bool isParquet, long? rowsSaid, DirectoryInfo folder,
    DuckDBConnection connection, Func<Task> spoilt) : IAsyncDisposable
{
    public StorageJob Job => job;

    /// <summary>Reads all of it once, and tells what is to be known.</summary>
    /// <param name="keys">Columns whose cells must all be values.</param>
    /// <exception cref="StorageException">It is not what was exported.</exception>
    /// <exception cref="TableException">A key has a cell that is no value of its type.</exception>
    public async Task<ExportedRows> LookAsync(IReadOnlyList<string> keys, Action<string> warn, CancellationToken cancellation)
    {
        try
        {
            if (file.IsEmptyManifest && rowsSaid is not 0)
                throw new StorageException("Keboola's export has no slices. The next sync exports the table anew.");
            var rows = await ExportedRows.OpenAsync(connection, file, columns, isParquet, cancellation);
            var misfits = await rows.LookAsync(cancellation);
            if (rowsSaid is { } said && rows.Count != said)
            {
                throw new StorageException(
                    $"Keboola exported {said} rows, and its file has {rows.Count}: it is not whole. The next sync exports it anew.");
            }

            if (misfits.FirstOrDefault(bad => keys.Contains(bad.Column.Name)) is { Column: { } key } wrong)
            {
                throw new TableException(
                    $"{wrong.Count} cells of the key {key.Name} are no {key.Type.Name}, such as {wrong.Examples}: "
                    + "mend the column's type in Keboola, or set another primary_key.");
            }

            if (ExportedRows.Told(misfits) is { } told) warn(told);
            return rows;
        }
        catch (Exception failure) when (
            failure is StorageException or TableException or DuckDBException { ErrorType: not DuckDBErrorType.Interrupt })
        {
            await spoilt();
            if (failure is not DuckDBException engine) throw;
            throw new StorageException(FileErrors.Describe("The file that Keboola exported", folder.FullName, engine)
                + ". The next sync exports it anew.", engine);
        }
    }

    public ValueTask DisposeAsync()
    {
        if (folder.Exists) folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}
