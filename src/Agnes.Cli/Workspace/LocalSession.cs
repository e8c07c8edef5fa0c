using System.Globalization;
using Agnes.Cli.Output;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Cli.Workspace;

/// <summary>
/// The workspace's database, opened for reading and locked: only this workspace's parts and snapshots can be read, nothing can be written, no extension
/// loaded, no setting changed. What an agent is talked into by a cell's text therefore stays harmless.
/// </summary>
internal sealed class LocalSession : IDisposable
{
    /// <summary>Folders for what a query cannot hold in memory, by process.</summary>
    public const string SpillPrefix = ".spill-";

    /// <summary>Below the spill folder: the one place that a session may write to, for results that become files.</summary>
    private const string Exports = "exports";

    private const string Explain = "EXPLAIN";

    /// <summary>Functions of a SELECT that do more than read, or run a text that was not looked at.</summary>
    private const string NotReading = "['enable_logging', 'disable_logging', 'truncate_duckdb_logs', 'write_log', 'checkpoint', 'force_checkpoint', 'query', 'json_execute_serialized_sql']";
    private static readonly TimeSpan LockWaitMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(100);
    private static Opening? warm;

    private readonly Layout _layout;
    private readonly DuckDBConnection _connection;
    private readonly string _temporary;
    private readonly string _exports;

    private LocalSession(Layout layout, DuckDBConnection connection, string temporary)
    {
        (_layout, _connection, _temporary) = (layout, connection, temporary);
        _exports = Path.Combine(temporary, Exports);
    }

    /// <summary>Begins to load the engine and open the database while the command line is still being parsed.</summary>
    public static void WarmUp()
    {
        try
        {
            var layout = Layout.Current();
            if (File.Exists(layout.Database)) warm = new Opening(layout.Database);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // The command itself meets the same trouble in a moment, and can say so.
            warm = null;
        }
    }

    /// <param name="allowed">Folders that a person at the terminal added.</param>
    public static LocalSession Open(Layout layout, IReadOnlyList<string> allowed, TimeProvider clock)
    {
        if (!File.Exists(layout.Database)) throw new CliException($"There is no local data in {layout.Root} yet.") { Hint = "Run: agnes pull" };
        var connection = Connect(layout, clock);
        var temporary = Path.Combine(layout.DatabaseFolder, string.Create(CultureInfo.InvariantCulture, $"{SpillPrefix}{Environment.ProcessId}"));
        var session = new LocalSession(layout, connection, temporary);
        try
        {
            session.Lock(allowed);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <exception cref="CliException">Not one statement that only reads, or the engine refused it.</exception>
    public LocalRows Run(string sql)
    {
        RefuseUnlessReading(sql);
        var command = new DuckDBCommand(sql, _connection);
        try
        {
            return new LocalRows(command, command.ExecuteReader());
        }
        catch (DuckDBException problem)
        {
            command.Dispose();
            throw Explained(problem, sql);
        }
        catch
        {
            command.Dispose();
            throw;
        }
    }

    /// <summary>Tables and views that can be asked, without the engine's own.</summary>
    public IReadOnlyList<string> TableNames() => QueryErrors.TableNames(_connection);

    /// <summary>How the engine would go about it.</summary>
    public LocalRows RunExplain(string sql)
    {
        RefuseUnlessReading(sql);
        return Run(ExplainedStatement(sql) is null ? $"{Explain} {sql}" : sql);
    }

    /// <summary>Writes the rows into a Parquet file of this session's own folder.</summary>
    /// <param name="limit">The most rows; null for all.</param>
    /// <returns>Where the file is, until the session ends, and how many rows it has.</returns>
    public (string Path, long Rows) WriteParquet(string sql, long? limit)
    {
        RefuseUnlessReading(sql);
        var path = Path.Combine(_exports, "result.parquet");
        Directory.CreateDirectory(_exports);
        // The engine's own text of the parsed statement: no comment or semicolon of the original can end the bracket.
        var select = Canonical(sql) ?? throw new CliException("Query error: only a SELECT (or FROM, VALUES) can become a Parquet file.") { IsBlock = true };
        try
        {
            using var command = new DuckDBCommand($"COPY (SELECT * FROM ({select}){(limit is { } rows ? FormattableString.Invariant($" LIMIT {rows}") : "")}) TO {SqlText.Literal(path)} (FORMAT parquet, COMPRESSION zstd)", _connection);
            return (path, command.ExecuteNonQuery());
        }
        catch (DuckDBException problem)
        {
            throw Explained(problem, sql);
        }
    }

    /// <summary>The engine's error, and what it lacks to be acted on.</summary>
    public CliException Explained(DuckDBException problem, string? sql = null) => new QueryErrors(_layout, _connection).Explain(problem, sql);

    /// <summary>Ends what runs, from another thread.</summary>
    public void Interrupt() => _connection.Interrupt();

    public void Dispose()
    {
        _connection.Dispose();
        if (Directory.Exists(_temporary)) Directory.Delete(_temporary, recursive: true);
    }

    /// <summary>Waits while another program holds the file for writing.</summary>
    private static DuckDBConnection Connect(Layout layout, TimeProvider clock)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            try
            {
                return Interlocked.Exchange(ref warm, null)?.Join() ?? LocalDatabase.Open(layout.Database, readOnly: true);
            }
            catch (DuckDBException problem) when (LocalDatabase.IsLocked(problem))
            {
                if (clock.GetElapsedTime(started) > LockWaitMax) throw new CliException($"local_db_locked: another program has {layout.Database} open for writing.") { Hint = "Close it, or open it read-only there." };
                using var pause = new ManualResetEventSlim();
                pause.Wait(LockPoll);
            }
            catch (DuckDBException problem)
            {
                throw new CliException($"{layout.Database} cannot be opened: {problem.Message.Split('\n', 2)[0]}") { Hint = "Run 'agnes pull': it moves a damaged file aside and makes a new one." };
            }
        }
    }

    private void Lock(IReadOnlyList<string> allowed)
    {
        IEnumerable<string> folders = [_layout.Parts + Path.DirectorySeparatorChar, _layout.Snapshots + Path.DirectorySeparatorChar, _exports + Path.DirectorySeparatorChar, .. allowed];
        _connection.ExecuteUnprepared($"""
            SET autoinstall_known_extensions = false;
            SET autoload_known_extensions = false;
            SET allow_community_extensions = false;
            SET temp_directory = {SqlText.Literal(_temporary)};
            SET allowed_directories = {SqlText.List(folders)};
            SET enable_external_access = false;
            SET lock_configuration = true;
            """);
    }

    /// <summary>
    /// The engine's own parser decides: what it can serialize is one SELECT (or DESCRIBE, SUMMARIZE, SHOW, VALUES, FROM …). Read-only access alone would
    /// still let COPY … TO write into the allowed folders.
    /// </summary>
    private void RefuseUnlessReading(string sql)
    {
        var (count, error) = Parse(sql);
        if (error is null && count == 1) return;
        if (error is { Length: > 0 } && count == 1) throw new CliException($"Query error: the function '{error}' does more than read and cannot be run.") { IsBlock = true };
        if (error is null && count > 1) throw new CliException($"Query error: one statement at a time, please; these are {count}.") { IsBlock = true };
        if (ExplainedStatement(sql) is { } inner && Parse(inner) is (1, null)) return;
        if (error is null) throw new CliException("Query error: there is no statement.", ExitCode.Failed) { IsBlock = true };
        if (error.StartsWith("Parser Error", StringComparison.Ordinal)) throw new CliException($"Query error: {error}") { IsBlock = true };
        throw new CliException("Query error: only statements that read can be run: SELECT, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW TABLES, EXPLAIN."
            + "\nNote: the workspace's database is made anew by each pull. Keep results with --format csv > file.csv, or in a database of your own.")
        { IsBlock = true };
    }

    /// <returns>How many statements; with one of them and an error, the error is the name of a function that does more than read.</returns>
    private (int Statements, string? Error) Parse(string sql)
    {
        const string Question = $"""
            SELECT tree->>'error_type', tree->>'error_message', coalesce(json_array_length(tree, 'statements'), 0)::BIGINT,
              list_intersect(list_transform(json_extract_string(tree, '$..function_name'), lambda name: lower(name)), {NotReading})[1]
            FROM (SELECT json_serialize_sql($sql::VARCHAR, skip_null := true, skip_empty := true) AS tree)
            """;
        using var command = new DuckDBCommand(Question, _connection);
        command.Parameters.Add(new DuckDBParameter("sql", sql));
        try
        {
            using var reader = command.ExecuteReader();
            reader.Read();
            if (reader.IsDBNull(1)) return ((int)reader.GetInt64(2), reader.IsDBNull(3) ? null : reader.GetString(3));
            return (0, reader.GetString(0) == "parser" ? $"Parser Error: {reader.GetString(1)}" : reader.GetString(1));
        }
        catch (DuckDBException problem)
        {
            return (0, problem.Message);
        }
    }

    private static string? ExplainedStatement(string sql)
    {
        var rest = sql.AsSpan().TrimStart();
        if (!rest.StartsWith(Explain, StringComparison.OrdinalIgnoreCase) || rest.Length == Explain.Length || !char.IsWhiteSpace(rest[Explain.Length])) return null;
        rest = rest[Explain.Length..].TrimStart();
        const string Analyze = "ANALYZE";
        if (rest.StartsWith(Analyze, StringComparison.OrdinalIgnoreCase) && rest.Length > Analyze.Length && char.IsWhiteSpace(rest[Analyze.Length])) rest = rest[Analyze.Length..];
        return rest.ToString();
    }

    private string? Canonical(string sql)
    {
        using var command = new DuckDBCommand("SELECT json_deserialize_sql(json_serialize_sql($sql::VARCHAR))", _connection);
        command.Parameters.Add(new DuckDBParameter("sql", sql));
        try
        {
            using var reader = command.ExecuteReader();
            return reader.Read() && !reader.IsDBNull(0) ? reader.GetString(0) : null;
        }
        catch (DuckDBException)
        {
            return null;
        }
    }

    /// <summary>A database being opened on a thread of its own.</summary>
    private sealed class Opening
    {
        private readonly Thread _thread;
        private DuckDBConnection? _connection;
        private Exception? _problem;

        public Opening(string path)
        {
            _thread = new Thread(() =>
            {
                try
                {
                    _connection = LocalDatabase.Open(path, readOnly: true);
                }
                catch (Exception problem)
                {
                    _problem = problem;
                }
            })
            { IsBackground = true };
            _thread.Start();
        }

        public DuckDBConnection Join()
        {
            _thread.Join();
            return _connection ?? throw _problem!;
        }
    }
}
