using System.Globalization;
using Agnes.Cli.Output;
using Agnes.Protocol;
using Agnes.Sql;
using DuckDB.NET.Data;

namespace Agnes.Cli.Workspace;

/// <summary>
/// The workspace's database, opened for reading and locked: only this workspace's parts and snapshots can be read, nothing can be written, no extension
/// loaded, no setting changed. What an agent is talked into by a cell's text therefore stays harmless. What runs is what <see cref="LocalGuard"/> admitted.
/// </summary>
internal sealed class LocalSession : IDisposable
{
    /// <summary>Folders for what a query cannot hold in memory, by process.</summary>
    public const string SpillPrefix = ".spill-";

    /// <summary>Below the spill folder: the one place that a session may write to, for results that become files.</summary>
    private const string Exports = "exports";

    /// <summary>Rows on their way into a file; where they are this session's alone.</summary>
    private const string Kept = "__result";

    private static readonly TimeSpan LockWaitMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(100);
    private static Opening? warm;

    private readonly Layout _layout;
    private readonly DuckDBConnection _connection;
    private readonly string _temporary;
    private readonly string _exports;
    private readonly LocalGuard _guard;

    private LocalSession(Layout layout, DuckDBConnection connection, string temporary, bool readsFiles)
    {
        (_layout, _connection, _temporary) = (layout, connection, temporary);
        _exports = Path.Combine(temporary, Exports);
        _guard = new LocalGuard(layout, connection, readsFiles);
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
        layout.RefuseLinks();
        var connection = Connect(layout, clock);
        var temporary = Path.Combine(layout.DatabaseFolder, string.Create(CultureInfo.InvariantCulture, $"{SpillPrefix}{Environment.ProcessId}"));
        var session = new LocalSession(layout, connection, temporary, allowed.Count > 0);
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

    /// <exception cref="CliException">Not one statement that only reads this workspace's tables, or the engine refused it.</exception>
    public LocalRows Run(string sql) => Execute(_guard.Admit(sql), sql);

    /// <summary>Tables and views that can be asked, without the engine's own.</summary>
    public IReadOnlyList<string> TableNames() => QueryErrors.TableNames(_connection);

    /// <summary>How the engine would go about it.</summary>
    public LocalRows RunExplain(string sql) => Execute(_guard.AdmitExplained(sql), sql);

    /// <summary>Writes the rows into a Parquet file of this session's own folder.</summary>
    /// <param name="limit">The most rows; null for all.</param>
    /// <returns>Where the file is, until the session ends, and how many rows it has.</returns>
    public (string Path, long Rows) WriteParquet(string sql, long? limit)
    {
        var (text, rewritten) = _guard.AdmitSelect(sql);
        var path = Path.Combine(_exports, "result.parquet");
        Directory.CreateDirectory(_exports);
        try
        {
            // What the engine cannot write anew as it was (1e5, for one) stands at the end of a statement, where there is no bracket that it could end.
            if (rewritten is null) RunOne($"CREATE OR REPLACE TEMP TABLE {Kept} AS {text}");
            var source = rewritten is null ? $"temp.{Kept}" : $"({rewritten})";
            return (path, RunOne($"COPY (SELECT * FROM {source}{(limit is { } rows ? FormattableString.Invariant($" LIMIT {rows}") : "")}) TO {SqlText.Literal(path)} (FORMAT parquet, COMPRESSION zstd)"));
        }
        catch (DuckDBException problem) when (rewritten is null && problem.ErrorType == DuckDBErrorType.Parser)
        {
            throw new CliException("Query error: only a SELECT (or FROM, VALUES) can become a Parquet file.", ExitCode.Failed, problem) { IsBlock = true };
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
        _guard.Dispose();
        _connection.Dispose();
        if (Directory.Exists(_temporary)) Directory.Delete(_temporary, recursive: true);
    }

    private int RunOne(string sql)
    {
        using var command = new DuckDBCommand(sql, _connection) { IsOneStatement = true };
        return command.ExecuteNonQuery();
    }

    /// <param name="asked">As it was given, for what is said of an error.</param>
    private LocalRows Execute(string sql, string asked)
    {
        var command = new DuckDBCommand(sql, _connection) { IsOneStatement = true };
        try
        {
            return new LocalRows(command, command.ExecuteReader());
        }
        catch (DuckDBException problem)
        {
            command.Dispose();
            throw Explained(problem, asked);
        }
        catch
        {
            command.Dispose();
            throw;
        }
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
        // The engine's functions before those of the file, or a macro called 'lower' would run where the guard saw the engine's.
        _connection.ExecuteUnprepared($"SET search_path = {SqlText.Literal($"system.main,{SqlText.Identifier(Path.GetFileNameWithoutExtension(_layout.Database))}.main")}");
        // File by file: with the folders the engine could make others in them, or list what is no table.
        LocalLock.Close(_connection, _temporary, [_exports + Path.DirectorySeparatorChar, .. allowed], [.. Files(_layout.Parts), .. Files(_layout.Snapshots)]);
    }

    private static IEnumerable<string> Files(string folder) => Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.parquet") : [];

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
            StatementParser.WarmUp(); // in the time that the engine takes to open
            _thread.Join();
            return _connection ?? throw _problem!;
        }
    }
}
