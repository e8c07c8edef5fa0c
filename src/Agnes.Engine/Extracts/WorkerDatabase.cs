using Agnes.Engine.Limits;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Extracts;

/// <summary>The engine instances of extract workers: in memory, within a share, without extensions, and locked to named folders before anything from outside is opened.</summary>
public static class WorkerDatabase
{
    /// <param name="folders">All that statements may read or write from here on, with everything below.</param>
    /// <param name="files">Single files besides.</param>
    public static DuckDBConnection Open(Share share, string tempFolder, IReadOnlyList<string> folders, IReadOnlyList<string>? files = null)
    {
        var connection = new DuckDBConnection("Data Source=:memory:");
        try
        {
            connection.Open();
            connection.ExecuteUnprepared($"""
                SET memory_limit = '{share.MemoryBytes}B';
                SET threads = {share.Threads};
                SET temp_directory = {SqlText.Literal(tempFolder)};
                SET max_temp_directory_size = '{share.TempBytes}B';
                SET TimeZone = 'UTC';
                SET autoinstall_known_extensions = false;
                SET autoload_known_extensions = false;
                SET allow_community_extensions = false;
                SET enable_progress_bar = false;
                SET allowed_directories = {SqlText.List([.. folders.Select(WithSlash), WithSlash(tempFolder)])};
                SET allowed_paths = {SqlText.List(files ?? [])};
                SET enable_external_access = false;
                SET lock_configuration = true;
                """);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // Without the slash, a folder "a" would allow "ab" as well.
    private static string WithSlash(string folder) => folder.EndsWith('/') ? folder : folder + "/";
}

/// <summary>Short forms for the statements of extract workers.</summary>
public static class Statements
{
    private const long RowGroupRows = 122_880; // the engine's own
    private const long VectorRows = 2048;
    private const long CellBytes = 96;

    /// <summary>A path as a literal for the engine's readers, which would take brackets, stars and question marks in a file's name for a pattern.</summary>
    public static string ExactPath(string path) =>
        SqlText.Literal(path.AsSpan().IndexOfAny("[*?") < 0 ? path : path.Replace("[", "[[]", StringComparison.Ordinal).Replace("*", "[*]", StringComparison.Ordinal).Replace("?", "[?]", StringComparison.Ordinal));

    public static Task ExecuteAsync(this DuckDBConnection connection, string sql, CancellationToken cancellation) => connection.ExecuteUnpreparedAsync(sql, cancellation);

    public static async Task<List<T>> QueryAsync<T>(this DuckDBConnection connection, string sql, Func<DuckDBDataReader, T> map, CancellationToken cancellation)
    {
        await using var command = new DuckDBCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellation)) rows.Add(map(reader));
        return rows;
    }

    public static async Task<T> ScalarAsync<T>(this DuckDBConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new DuckDBCommand(sql, connection);
        return (T)Convert.ChangeType((await command.ExecuteScalarAsync(cancellation))!, typeof(T), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Runs a SELECT into a Parquet file.</summary>
    /// <returns>The rows written, as the file's own footer counts them, and the columns that reading it yields.</returns>
    public static async Task<(long Rows, IReadOnlyList<TableColumn> Columns)> CopyAsync(this DuckDBConnection connection, string select, string file, CancellationToken cancellation)
    {
        var rows = RowGroup((await connection.ColumnsAsync(select, cancellation)).Count, Budget.ParseBytes(await connection.ScalarAsync<string>("SELECT current_setting('memory_limit')", cancellation)));
        await connection.ExecuteAsync($"COPY ({select}) TO {SqlText.Literal(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {rows}, USE_TMP_FILE false)", cancellation);
        return await connection.ContentAsync(file, cancellation);
    }

    /// <summary>The rows that a Parquet file's footer counts, and the columns that reading it yields.</summary>
    public static async Task<(long Rows, IReadOnlyList<TableColumn> Columns)> ContentAsync(this DuckDBConnection connection, string file, CancellationToken cancellation)
    {
        var from = $"FROM read_parquet({ExactPath(file)}, hive_partitioning=false)";
        return (await connection.ScalarAsync<long>($"SELECT count(*) {from}", cancellation), await connection.ColumnsAsync(from, cancellation));
    }

    /// <summary>The engine keeps a row group of each thread in memory until it is written; those of wide tables have fewer rows.</summary>
    private static long RowGroup(int columns, long memoryBytes) => Math.Clamp(memoryBytes / CellBytes / Math.Max(1, columns) / VectorRows * VectorRows, VectorRows, RowGroupRows);

    /// <summary>The columns that a SELECT or a table yields, with the engine's names of the types.</summary>
    public static Task<List<TableColumn>> ColumnsAsync(this DuckDBConnection connection, string select, CancellationToken cancellation) =>
        connection.QueryAsync($"DESCRIBE {select}", row => new TableColumn(row.GetString(0), row.GetString(1)), cancellation);

    public static string? TextOrNull(this DuckDBDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
