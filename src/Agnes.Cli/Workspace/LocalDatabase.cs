using System.Data.Common;
using System.Globalization;
using System.Text;
using Agnes.Cli.Settings;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Cli.Workspace;

/// <summary>
/// <c>user/duckdb/analytics.duckdb</c>: a view for each table. Written anew and renamed, so that a query which has the old file open is not disturbed
/// and no lock is ever in the way. Tables and views that the user made in it are carried over.
/// </summary>
internal sealed class LocalDatabase(Layout layout, TimeProvider clock)
{
    private static readonly TimeSpan LockWaitMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(200);

    /// <param name="owned">Names of views that we made before; all others in the old file are the user's.</param>
    /// <param name="snapshots">By name; a table of the same name wins.</param>
    public async Task<RebuildResult> RebuildAsync(
        IReadOnlyList<(string Name, IReadOnlyList<string> Paths)> tables, IReadOnlyList<string> owned, IReadOnlyList<(string Name, IReadOnlyList<string> Paths)> snapshots, CancellationToken cancellation)
    {
        Directory.CreateDirectory(layout.DatabaseFolder);
        RemoveLeftovers();
        var temporary = Path.Combine(layout.DatabaseFolder, string.Create(CultureInfo.InvariantCulture, $".analytics.{Environment.ProcessId}.duckdb.tmp"));
        var spilled = Path.Combine(layout.DatabaseFolder, string.Create(CultureInfo.InvariantCulture, $"{LocalSession.SpillPrefix}{Environment.ProcessId}"));
        var refused = new List<(string, string)>();
        var warnings = new List<string>();
        try
        {
            await using (var connection = Open(temporary, readOnly: false))
            {
                // The old file may be somebody else's work: whatever in it would act, acts behind the lock.
                LocalLock.Close(connection, spilled, LocalLock.FoldersOf(layout), [layout.Database, layout.Database + ".wal"]);
                var views = await AttachOldAsync(connection, warnings, cancellation) ? CopyTables(connection, tables, warnings, cancellation) : [];
                CreateViews(connection, tables, refused, cancellation);
                CreateSnapshotViews(connection, snapshots, tables, warnings, cancellation);
                CreateUserViews(connection, views, tables, owned, warnings, cancellation);
                connection.ExecuteUnprepared("CHECKPOINT", cancellation);
            }

            await ExchangeAsync(temporary, cancellation);
        }
        finally
        {
            File.Delete(temporary);
            File.Delete(temporary + ".wal");
            if (Directory.Exists(spilled)) Directory.Delete(spilled, recursive: true);
        }

        return new RebuildResult(refused, warnings);
    }

    public static DuckDBConnection Open(string path, bool readOnly)
    {
        var text = new DbConnectionStringBuilder { ["Data Source"] = path };
        if (readOnly) text["access_mode"] = "READ_ONLY";
        var connection = new DuckDBConnection(text.ConnectionString);
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public static bool IsLocked(DuckDBException problem) =>
        problem.Message.Contains("Could not set lock", StringComparison.Ordinal) || problem.Message.Contains("being used by another process", StringComparison.Ordinal) || problem.Message.Contains("Conflicting lock", StringComparison.Ordinal);

    /// <summary>Waits while another program holds the file for writing.</summary>
    private async Task<bool> AttachOldAsync(DuckDBConnection connection, List<string> warnings, CancellationToken cancellation)
    {
        if (!File.Exists(layout.Database)) return false;
        var started = clock.GetTimestamp();
        while (true)
        {
            try
            {
                connection.ExecuteUnprepared($"ATTACH {SqlText.Literal(layout.Database)} AS old (READ_ONLY)", cancellation);
                return true;
            }
            catch (DuckDBException problem) when (IsLocked(problem))
            {
                if (clock.GetElapsedTime(started) > LockWaitMax) throw new CliException($"local_db_locked: another program has {layout.Database} open for writing.") { Hint = "Close it (or open it read-only there) and run 'agnes pull' again. What was downloaded is kept." };
                await Task.Delay(LockPoll, clock, cancellation);
            }
            catch (DuckDBException problem)
            {
                var aside = $"{layout.Database}.damaged-{clock.GetUtcNow():yyyyMMdd'T'HHmmss'Z'}";
                File.Move(layout.Database, aside, overwrite: true);
                warnings.Add($"{layout.Database} could not be read ({FirstLine(problem.Message)}); it was moved to {aside} and made anew");
                return false;
            }
        }
    }

    /// <summary>Base tables are the user's, all of them.</summary>
    /// <returns>Names and texts of the old file's views.</returns>
    private List<string[]> CopyTables(DuckDBConnection connection, IReadOnlyList<(string Name, IReadOnlyList<string> Paths)> tables, List<string> warnings, CancellationToken cancellation)
    {
        var synced = tables.Select(table => table.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var name in Names(connection, "SELECT table_name FROM duckdb_tables() WHERE database_name = 'old' AND schema_name = 'main' AND NOT internal ORDER BY table_oid"))
        {
            if (!TryRun(connection, $"CREATE TABLE main.{SqlText.Identifier(name)} AS FROM old.main.{SqlText.Identifier(name)}", out var problem, cancellation)) throw new CliException($"Your table '{name}' in {layout.Database} could not be copied: {problem}") { Hint = "Nothing was replaced. Export or drop that table, then run 'agnes pull' again." };
            if (synced.Contains(name)) warnings.Add($"your own table '{name}' hides the pulled table of that name");
        }

        var views = Names(connection, "SELECT view_name || chr(0) || sql FROM duckdb_views() WHERE database_name = 'old' AND schema_name = 'main' AND NOT internal ORDER BY view_oid");
        connection.ExecuteUnprepared("DETACH old", cancellation);
        return [.. views.Select(text => text.Split('\0', 2))];
    }

    /// <summary>After the tables that they read: the old file's views that we did not make.</summary>
    private void CreateUserViews(
        DuckDBConnection connection, List<string[]> views, IReadOnlyList<(string Name, IReadOnlyList<string> Paths)> tables, IReadOnlyList<string> owned, List<string> warnings, CancellationToken cancellation)
    {
        var synced = tables.Select(table => table.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var ours = owned.ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var view in views)
        {
            // A view over parts is ours even where the state was lost: what it shows may have been revoked.
            if (synced.Contains(view[0]) || ours.Contains(view[0]) || view[1].Contains(layout.Parts, StringComparison.Ordinal)) continue;
            if (view[1].Contains(Path.Combine(layout.Snapshots, view[0] + ".parquet"), StringComparison.Ordinal)) continue;
            if (!TryTake(new UserView(view[0], view[1]), connection, out var problem, cancellation)) warnings.Add($"your view '{view[0]}' no longer works and was left out: {problem}");
        }
    }

    private bool TryTake(UserView view, DuckDBConnection connection, out string problem, CancellationToken cancellation)
    {
        try
        {
            return TryRun(connection, view.Statement(layout, connection), out problem, cancellation);
        }
        catch (CliException refusal)
        {
            problem = FirstLine(refusal.Message);
            return false;
        }
    }

    private static void CreateSnapshotViews(
        DuckDBConnection connection, IReadOnlyList<(string Name, IReadOnlyList<string> Paths)> snapshots, IReadOnlyList<(string Name, IReadOnlyList<string> Paths)> tables, List<string> warnings, CancellationToken cancellation)
    {
        if (snapshots.Count == 0) return;
        var taken = tables.Select(table => table.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var name in snapshots.Select(snapshot => snapshot.Name).Where(taken.Contains)) warnings.Add($"the snapshot '{name}' is hidden by the pulled table of that name");
        var refused = new List<(string Table, string Error)>();
        CreateViews(connection, [.. snapshots.Where(snapshot => !taken.Contains(snapshot.Name))], refused, cancellation);
        foreach (var (name, error) in refused) warnings.Add($"the snapshot '{name}' cannot be read: {error}");
    }

    /// <summary>All at once; where one is refused, one by one, so that only that one is missing.</summary>
    private static void CreateViews(DuckDBConnection connection, IReadOnlyList<(string Name, IReadOnlyList<string> Paths)> tables, List<(string Table, string Error)> refused, CancellationToken cancellation)
    {
        if (tables.Count == 0) return;
        var taken = Names(connection, "SELECT table_name FROM duckdb_tables() WHERE NOT internal").ToHashSet(StringComparer.OrdinalIgnoreCase);
        var views = tables.Where(table => !taken.Contains(table.Name))
            .Select(table => (table.Name, Sql: $"CREATE OR REPLACE VIEW main.{SqlText.Identifier(table.Name)} AS {TableSource.FromParts(table.Paths)}")).ToList();
        if (TryRun(connection, Together(views.Select(view => view.Sql)), out _, cancellation)) return;
        TryRun(connection, "ROLLBACK", out _, cancellation);
        foreach (var view in views)
        {
            if (!TryRun(connection, view.Sql, out var problem, cancellation)) refused.Add((view.Name, problem));
        }
    }

    private static string Together(IEnumerable<string> statements)
    {
        var sql = new StringBuilder("BEGIN;\n");
        foreach (var statement in statements) sql.Append(statement).Append(";\n");
        return sql.Append("COMMIT;").ToString();
    }

    private async Task ExchangeAsync(string temporary, CancellationToken cancellation)
    {
        using (var file = File.OpenHandle(temporary, FileMode.Open, FileAccess.ReadWrite)) RandomAccess.FlushToDisk(file);
        // A log beside the old file would be replayed onto the new one.
        var log = layout.Database + ".wal";
        var aside = log + ".old";
        if (File.Exists(log)) File.Move(log, aside, overwrite: true);
        await AtomicFile.ReplaceAsync(temporary, layout.Database, cancellation);
        File.Delete(aside);
    }

    /// <summary>Of pulls that were killed; the lock says that none is at work now.</summary>
    private void RemoveLeftovers()
    {
        foreach (var path in Directory.EnumerateFiles(layout.DatabaseFolder, ".analytics.*.duckdb.tmp*")) File.Delete(path);
        foreach (var spilled in Directory.EnumerateDirectories(layout.DatabaseFolder, LocalSession.SpillPrefix + "*"))
        {
            if (int.TryParse(Path.GetFileName(spilled)[LocalSession.SpillPrefix.Length..], out var owner) && !Processes.IsAlive(owner)) Directory.Delete(spilled, recursive: true);
        }
    }

    private static List<string> Names(DuckDBConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names;
    }

    private static bool TryRun(DuckDBConnection connection, string sql, out string problem, CancellationToken cancellation)
    {
        try
        {
            connection.ExecuteUnprepared(sql, cancellation);
            problem = "";
            return true;
        }
        catch (DuckDBException refusal)
        {
            problem = FirstLine(refusal.Message);
            return false;
        }
    }

    private static string FirstLine(string text) => text.Split('\n', 2)[0];
}

internal sealed record RebuildResult(IReadOnlyList<(string Table, string Error)> Refused, IReadOnlyList<string> Warnings);
