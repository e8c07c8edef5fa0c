using System.Data.Common;
using System.Globalization;
using Agnes.Engine.Limits;
using Agnes.Protocol;
using Agnes.Server.Platform.State.Engines;
using Dapper;
using DuckDB.NET.Data;
using Npgsql;

namespace Agnes.Server.Platform.State.Maintenance;

/// <param name="Replaced">Where the state that was there before is kept.</param>
/// <param name="Revived">Tokens that the backup holds as good although they may have been revoked since.</param>
public sealed record RestoreReport(IReadOnlyDictionary<string, long> Rows, string? Replaced, RevivedTokens Revived);

/// <summary>Puts a backup, of either engine, in the place of the state. The server must not run.</summary>
public static class Restore
{
    /// <param name="force">Also when a state is there; it is kept aside.</param>
    /// <exception cref="BackupException">The backup is no good, or there is a state already. Nothing was changed.</exception>
    /// <exception cref="StateRefusedException">The state is in use, or its folder cannot be written.</exception>
    public static async Task<RestoreReport> RunAsync(StateOptions options, string from, bool force, CancellationToken cancellation = default)
    {
        var backup = Path.GetFullPath(from);
        if (!File.Exists(backup)) throw new BackupException($"There is no file {backup}.");
        try
        {
            await Backup.CheckAsync(backup, null, cancellation);
            await RefuseNewerAsync(backup, cancellation);
        }
        catch (DuckDBException error)
        {
            throw new BackupException($"{backup} cannot be read: {error.Message}", error);
        }
        var good = force ? await RevivedTokens.GoodBeforeAsync(options, cancellation) : null;
        var replaced = options.Engine == StateEngine.DuckDb ? await ToFileAsync(options, backup, force, cancellation) : await ToPostgresAsync(options, backup, force, cancellation);
        // As a start does: what opens here will open there.
        await using var state = await StateDb.OpenAsync(options, cancellation: cancellation);
        SortedDictionary<string, long> rows;
        await using (var reader = await state.Store.ReaderAsync(cancellation)) rows = await StateTables.CountAsync(reader.Connection, cancellation);
        return new(rows, replaced, await RevivedTokens.EndAsync(state, good, cancellation));
    }

    private static async Task RefuseNewerAsync(string backup, CancellationToken cancellation)
    {
        await using var source = await OpenAsync(backup, readOnly: true, cancellation);
        var applied = await source.QueryAsync<string>(new("SELECT name FROM migrations", cancellationToken: cancellation));
        if (applied.Except(Migrations.All, StringComparer.Ordinal).FirstOrDefault() is { } unknown) throw new BackupException(
            $"{backup} was made by a newer version of agnes-server (migration {unknown}). Restore it with that version.");
    }

    private static async Task<string?> ToFileAsync(StateOptions options, string backup, bool force, CancellationToken cancellation)
    {
        using var files = new StateFiles(options);
        files.Enter();
        string[] old = [.. ((string[])[files.Main, files.Mark]).Where(File.Exists), .. files.Logs];
        if (old.Length > 0 && !force) throw new BackupException($"There is a state in {files.Folder}. To replace it, which keeps the old one aside: agnes-server restore --from {backup} --force");
        var draft = Path.Combine(files.Folder, $".restore-{Environment.ProcessId}.tmp");
        try
        {
            File.Copy(backup, draft, overwrite: true);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(draft, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            await using (var connection = await OpenAsync(draft, readOnly: false, cancellation))
            {
                await connection.ExecuteUnpreparedAsync($"DROP TABLE {StateTables.BackupInfo}; CHECKPOINT", cancellation);
            }
            FileSystem.Flush(draft);
            return Replace(files, options.Time, old, draft);
        }
        finally
        {
            File.Delete(draft);
            File.Delete($"{draft}.wal");
        }
    }

    /// <summary>In an order that a start refuses at any point in between, or finds the new state whole: the file goes first, its mark last.</summary>
    private static string? Replace(StateFiles files, TimeProvider time, IReadOnlyList<string> old, string draft)
    {
        var folder = old.Count == 0 ? null : Directory.CreateDirectory(Path.Combine(files.Folder, "replaced", Stamp(time))).FullName;
        foreach (var file in old.Where(file => file != files.Mark)) File.Move(file, Path.Combine(folder!, Path.GetFileName(file)));
        File.Move(draft, files.Main);
        FileSystem.FlushFolder(files.Folder);
        if (old.Contains(files.Mark)) File.Move(files.Mark, Path.Combine(folder!, CommitMark.FileName));
        FileSystem.FlushFolder(files.Folder);
        if (folder is not null) FileSystem.FlushFolder(folder);
        return folder;
    }

    private static async Task<string?> ToPostgresAsync(StateOptions options, string backup, bool force, CancellationToken cancellation)
    {
        await using var state = await StateDb.OpenAsync(options, cancellation: cancellation);
        string? replaced = null;
        if (await HasRowsAsync(state))
        {
            if (!force) throw new BackupException($"There is a state in the database. To replace it, which keeps a backup of the old one: agnes-server restore --from {backup} --force");
            replaced = (await Backup.RunAsync(state, Path.Combine(options.StateDir, "replaced", $"{Stamp(options.Time)}.duckdb"), cancellation)).Path;
        }
        await using var source = await OpenAsync(backup, readOnly: true, cancellation);
        await using var transaction = await state.Store.BeginAsync(cancellation);
        var target = (NpgsqlConnection)transaction.Connection;
        var version = await transaction.VersionAsync(cancellation);
        var present = await StateTables.NamesAsync(target, cancellation);
        var tables = await StateTables.NamesAsync(source, cancellation);
        await target.ExecuteAsync(new($"TRUNCATE {string.Join(", ", present.Select(SqlText.Identifier))}", null, transaction.Transaction, cancellationToken: cancellation));
        // Referenced tables first: PostgreSQL checks foreign keys, the backup's engine has none.
        foreach (var table in tables.OrderBy(table => table is not ("user_groups" or "table_versions"))) await CopyAsync(source, target, table, cancellation);
        await target.ExecuteAsync(new("UPDATE state_version SET version = greatest(version, @version)", new { version }, transaction.Transaction, cancellationToken: cancellation));
        await transaction.CommitAsync(raise: true, cancellation);
        return replaced;
    }

    private static async Task<bool> HasRowsAsync(StateDb state)
    {
        var snapshot = state.Snapshot;
        return snapshot.UsersById.Count > 0 || snapshot.TablesById.Count > 0 || snapshot.Kept.Count > 0 || (await state.ReadAsync<long>("SELECT count(*) FROM audit_log"))[0] > 0;
    }

    private static async Task CopyAsync(DuckDBConnection source, NpgsqlConnection target, string table, CancellationToken cancellation)
    {
        var columns = string.Join(", ", (await StateTables.ColumnsAsync(source, table, cancellation)).Select(SqlText.Identifier));
        await using var rows = await source.ExecuteReaderAsync(new($"SELECT {columns} FROM {SqlText.Identifier(table)}", cancellationToken: cancellation));
        await using var import = await target.BeginBinaryImportAsync($"COPY {SqlText.Identifier(table)} ({columns}) FROM STDIN (FORMAT BINARY)", cancellation);
        while (await rows.ReadAsync(cancellation))
        {
            await import.StartRowAsync(cancellation);
            for (var column = 0; column < rows.FieldCount; column++)
            {
                var value = rows.GetValue(column);
                if (value is DBNull) await import.WriteNullAsync(cancellation);
                else await import.WriteAsync(value is DateTime time ? DateTime.SpecifyKind(time, DateTimeKind.Unspecified) : value, cancellation);
            }
        }
        await import.CompleteAsync(cancellation);
    }

    private static async Task<DuckDBConnection> OpenAsync(string file, bool readOnly, CancellationToken cancellation)
    {
        var text = new DbConnectionStringBuilder { ["Data Source"] = file };
        if (readOnly) text["access_mode"] = "READ_ONLY";
        var connection = new DuckDBConnection(text.ConnectionString);
        await connection.OpenAsync(cancellation);
        return connection;
    }

    private static string Stamp(TimeProvider time) => time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss.fffffff", CultureInfo.InvariantCulture);
}
