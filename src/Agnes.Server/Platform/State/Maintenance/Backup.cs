using System.Data;
using System.Data.Common;
using System.Globalization;
using Agnes.Engine.Limits;
using Agnes.Protocol;
using Agnes.Server.Platform.State.Engines;
using Dapper;
using DuckDB.NET.Data;

namespace Agnes.Server.Platform.State.Maintenance;

/// <param name="Rows">By table.</param>
public sealed record BackupReport(string Path, long Bytes, long StateVersion, IReadOnlyDictionary<string, long> Rows);

/// <summary>A backup could not be made or used; the message says what to do.</summary>
public sealed class BackupException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// One file that holds the whole state as of one moment, of either engine and for either engine. It counts as a backup only after it was opened, read and counted. Writers go on meanwhile.
/// </summary>
public static class Backup
{
    /// <summary>Reads everything; a state is small. On DuckDB the copy is taken beside the writers, so no gate is held.</summary>
    /// <param name="to">A file that does not exist yet, or a folder to make one in.</param>
    /// <exception cref="BackupException">Nothing is left at the target.</exception>
    public static async Task<BackupReport> RunAsync(StateDb state, string to, CancellationToken cancellation = default)
    {
        var target = TargetOf(to, state.Options.Time);
        var folder = Path.GetDirectoryName(target)!;
        var workshop = Path.Combine(folder, $".{Path.GetFileName(target)}.{Environment.ProcessId}");
        var draft = Path.Combine(workshop, "draft.duckdb");
        try
        {
            Directory.CreateDirectory(folder);
            MakePrivateFolder(workshop); // the engine makes its files readable to all, and this one holds password hashes
            var (counts, version) = await CopyAsync(state, draft, cancellation);
            await CheckAsync(draft, counts, cancellation);
            FileSystem.Flush(draft);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(draft, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.Move(draft, target, overwrite: false);
            FileSystem.FlushFolder(folder);
            if (state.Store is DuckDbStore embedded) embedded.Files.RemoveCopies();
            return new(target, new FileInfo(target).Length, version, counts);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or DbException)
        {
            throw new BackupException($"The backup to {target} failed: {error.Message}", error);
        }
        finally
        {
            if (Directory.Exists(workshop)) Directory.Delete(workshop, recursive: true);
        }
    }

    /// <summary>Opens a backup in an engine of its own and compares what is in it with what should be.</summary>
    /// <param name="expected">Nothing: what the backup says of itself.</param>
    internal static async Task<IReadOnlyDictionary<string, long>> CheckAsync(string file, IReadOnlyDictionary<string, long>? expected, CancellationToken cancellation)
    {
        var text = new DbConnectionStringBuilder { ["Data Source"] = file, ["access_mode"] = "READ_ONLY" }.ConnectionString;
        await using var connection = new DuckDBConnection(text);
        await connection.OpenAsync(cancellation);
        var stated = await StatedAsync(connection, file, cancellation);
        var found = await StateTables.CountAsync(connection, cancellation);
        foreach (var counts in (IReadOnlyDictionary<string, long>?[])[stated, expected])
        {
            if (counts is null) continue;
            var wrong = counts.Keys.Union(found.Keys, StringComparer.Ordinal).Where(table => counts.GetValueOrDefault(table, -1) != found.GetValueOrDefault(table, -1)).Order(StringComparer.Ordinal).ToList();
            if (wrong.Count > 0) throw new BackupException($"{file} is not complete: {string.Join(", ", wrong.Select(table => $"{table} has {found.GetValueOrDefault(table)} of {counts.GetValueOrDefault(table)} rows"))}.");
        }
        var problems = await StateTables.CheckAsync(connection, keyedOnly: false, cancellation);
        if (problems.Count > 0) throw new BackupException($"{file} is damaged: {string.Join("; ", problems)}.");
        return found;
    }

    private static void MakePrivateFolder(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static string TargetOf(string to, TimeProvider time)
    {
        var target = Path.GetFullPath(to);
        if (Directory.Exists(target) || Path.EndsInDirectorySeparator(to))
        {
            target = Path.Combine(target, $"agnes-state-{time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}.duckdb");
        }
        if (File.Exists(target)) throw new BackupException($"{target} exists already. A backup never replaces one.");
        return target;
    }

    private static async Task<(IReadOnlyDictionary<string, long> Counts, long Version)> CopyAsync(StateDb state, string draft, CancellationToken cancellation)
    {
        await using var reader = await state.Store.ReaderAsync(cancellation);
        var result = reader.Connection is DuckDBConnection embedded
            ? await CopyFileAsync(embedded, draft, cancellation)
            : await AtOneMomentAsync(reader.Connection, moment => CopyRowsAsync(reader.Connection, moment, draft, cancellation), cancellation);
        await StateAsync(draft, state, result.Counts, cancellation);
        return result;
    }

    private static async Task<(IReadOnlyDictionary<string, long> Counts, long Version)> CopyFileAsync(DuckDBConnection source, string draft, CancellationToken cancellation)
    {
        var name = SqlText.Identifier((await source.ExecuteScalarAsync<string>(new("SELECT current_database()", cancellationToken: cancellation)))!);
        var target = SqlText.Identifier($"backup_{Guid.NewGuid():N}"); // another backup may run
        await source.ExecuteUnpreparedAsync($"ATTACH {SqlText.Literal(draft)} AS {target} (STORAGE_VERSION 'latest')", cancellation);
        try
        {
            return await AtOneMomentAsync(source, _ => source.ExecuteUnpreparedAsync($"COPY FROM DATABASE {name} TO {target}", cancellation), cancellation);
        }
        finally
        {
            await source.ExecuteUnpreparedAsync($"DETACH {target}", CancellationToken.None);
        }
    }

    private static async Task<(IReadOnlyDictionary<string, long> Counts, long Version)> AtOneMomentAsync(DbConnection source, Func<DbTransaction, Task> copy, CancellationToken cancellation)
    {
        await using var moment = await source.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
        var counts = await StateTables.CountAsync(source, cancellation, moment);
        var version = await source.ExecuteScalarAsync<long>(new(StateVersion.SelectSql, null, moment, cancellationToken: cancellation));
        await copy(moment);
        await moment.CommitAsync(cancellation);
        return (counts, version);
    }

    private static async Task CopyRowsAsync(DbConnection source, DbTransaction moment, string draft, CancellationToken cancellation)
    {
        await using var target = await CreateAsync(draft, cancellation);
        foreach (var table in await StateTables.NamesAsync(source, cancellation))
        {
            var columns = string.Join(", ", (await StateTables.ColumnsAsync(target, table, cancellation)).Select(SqlText.Identifier));
            await using var rows = await source.ExecuteReaderAsync(new($"SELECT {columns} FROM {SqlText.Identifier(table)}", null, moment, cancellationToken: cancellation));
            await target.ExecuteUnpreparedAsync($"DELETE FROM {SqlText.Identifier(table)}", cancellation);
            using var appender = target.CreateAppender(table);
            while (await rows.ReadAsync(cancellation))
            {
                for (var column = 0; column < rows.FieldCount; column++) Append(appender, rows.GetValue(column));
                appender.EndRow();
            }
            appender.Close();
        }
        await target.ExecuteUnpreparedAsync("CHECKPOINT", cancellation);
    }

    private static void Append(DuckDBAppender appender, object value) => _ = value switch
    {
        DBNull => appender.AppendNull(),
        string text => appender.Append(text),
        long number => appender.Append(number),
        int number => appender.Append(number),
        bool flag => appender.Append(flag),
        DateTime time => appender.Append(time),
        byte[] bytes => appender.Append(bytes),
        _ => appender.AppendValue(value),
    };

    /// <summary>An embedded state with the schema of this version and no rows.</summary>
    private static async Task<DuckDBConnection> CreateAsync(string file, CancellationToken cancellation)
    {
        var connection = new DuckDBConnection(new DbConnectionStringBuilder { ["Data Source"] = file, ["storage_compatibility_version"] = "v1.4.0" }.ConnectionString);
        await connection.OpenAsync(cancellation);
        await connection.ExecuteUnpreparedAsync("SET GLOBAL TimeZone='UTC'", cancellation);
        foreach (var statement in Migrations.Schema(StateEngine.DuckDb)) await connection.ExecuteUnpreparedAsync(statement, cancellation);
        return connection;
    }

    /// <summary>Writes into the backup what it should hold.</summary>
    private static async Task StateAsync(string draft, StateDb state, IReadOnlyDictionary<string, long> counts, CancellationToken cancellation)
    {
        await using var connection = new DuckDBConnection(new DbConnectionStringBuilder { ["Data Source"] = draft }.ConnectionString);
        await connection.OpenAsync(cancellation);
        await connection.ExecuteUnpreparedAsync($"CREATE TABLE {StateTables.BackupInfo} (table_name VARCHAR PRIMARY KEY, rows BIGINT NOT NULL, engine VARCHAR NOT NULL, made_at TIMESTAMP NOT NULL)", cancellation);
        var engine = state.Engine.ToString();
        var made_at = state.Options.Time.Micros();
        foreach (var (table_name, rows) in counts)
        {
            await connection.ExecuteAsync(new($"INSERT INTO {StateTables.BackupInfo} VALUES (@table_name, @rows, @engine, @made_at)", new { table_name, rows, engine, made_at }, cancellationToken: cancellation));
        }
        await connection.ExecuteUnpreparedAsync("CHECKPOINT", cancellation);
    }

    private static async Task<IReadOnlyDictionary<string, long>> StatedAsync(DuckDBConnection connection, string file, CancellationToken cancellation)
    {
        try
        {
            var rows = await connection.QueryAsync<(string Table, long Rows)>(new($"SELECT table_name, rows FROM {StateTables.BackupInfo}", cancellationToken: cancellation));
            return rows.ToDictionary(row => row.Table, row => row.Rows, StringComparer.Ordinal);
        }
        catch (DuckDBException error) when (error.ErrorType == DuckDBErrorType.Catalog)
        {
            throw new BackupException($"{file} is not a backup made by agnes-server.", error);
        }
    }
}
