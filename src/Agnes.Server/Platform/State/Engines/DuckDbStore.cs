using System.Data.Common;
using System.Globalization;
using Agnes.Engine.Limits;
using Agnes.Server.Platform.State.Maintenance;
using Dapper;
using DuckDB.NET.Data;

namespace Agnes.Server.Platform.State.Engines;

/// <summary>State in one embedded file that this process alone has open. One connection writes, under the gate; a few read.</summary>
internal sealed class DuckDbStore : StateStore
{
    /// <summary>Room for the log of the largest transaction.</summary>
    public const long CommitReserveBytes = 8L << 20;
    private const int ReadersMax = 8;
    private static readonly TimeSpan ReadersLeaveTimeMax = TimeSpan.FromSeconds(10);

    private readonly StateOptions _options;
    private readonly StateFiles _files;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _slots = new(ReadersMax, ReadersMax);
    private readonly Stack<DuckDBConnection> _idle = [];
    private DuckDBConnection? _writer;
    private CommitMark? _mark;
    private long _commits;
    private volatile bool _dead;

    private DuckDbStore(StateOptions options, StateFiles files, ILogger logger) => (_options, _files, _logger) = (options, files, logger);

    public override StateEngine Engine => StateEngine.DuckDb;

    public StateFiles Files => _files;

    /// <summary>The connection that writes. The caller holds the gate.</summary>
    public DuckDBConnection Connection => _writer ?? throw new StateUnavailableException(StateFailure.Closed, "The state is closed.");

    public static new async Task<StateStore> OpenAsync(StateOptions options, ILogger logger, CancellationToken cancellation)
    {
        var store = new DuckDbStore(options, new(options), logger);
        try
        {
            store._files.Enter();
            await Task.Run(store.OpenChecked, cancellation);
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    public override async ValueTask<Loan> ReaderAsync(CancellationToken cancellation)
    {
        await _slots.WaitAsync(cancellation);
        try
        {
            DuckDBConnection? connection;
            lock (_idle)
            {
                if (!_idle.TryPop(out connection)) connection = Connection.Duplicate();
            }
            return new(connection, () => GiveBack(connection));
        }
        catch (Exception error)
        {
            _slots.Release();
            if (Translate(error) is { } translated) throw translated;
            throw;
        }
    }

    public override async Task<StateTransaction> BeginAsync(CancellationToken cancellation)
    {
        if (_dead) await ReopenAsync(cancellation);
        // A commit that meets a full disk can end the process (the engine aborts while it undoes it); so none is begun that might.
        if (FileSystem.FreeBytes(_files.Folder) < CommitReserveBytes) throw DiskFull(null);
        return new Writer(this, Connection.BeginTransaction());
    }

    public override Task ExecuteSchemaAsync(StateTransaction transaction, string statement, CancellationToken cancellation) =>
        ((DuckDBConnection)transaction.Connection).ExecuteUnpreparedAsync(statement, cancellation);

    /// <summary>Under the gate there is nobody to conflict with.</summary>
    public override bool IsConflict(Exception error) => false;

    public override StateUnavailableException? Translate(Exception error)
    {
        if (error is not DuckDBException engine) return null;
        if (engine.IsFatal) _dead = true;
        var text = engine.Message;
        if (text.Contains("No space left", StringComparison.Ordinal) || text.Contains("quota exceeded", StringComparison.OrdinalIgnoreCase))
        {
            return DiskFull(error);
        }
        if (text.Contains("Read-only file system", StringComparison.Ordinal)) return new(StateFailure.ReadOnly, $"{_files.Folder} became read-only.", error);
        return engine.IsFatal || engine.ErrorType is DuckDBErrorType.IO or DuckDBErrorType.Internal or DuckDBErrorType.OutOfMemory
            ? new(StateFailure.EngineFailed, "The state engine failed.", error)
            : null;
    }

    public override bool IsFatal(Exception error) => error is DuckDBException { IsFatal: true };

    /// <summary>The engine refuses every statement until it is reopened.</summary>
    public bool IsDead => _dead;

    public override async Task ReopenAsync(CancellationToken cancellation)
    {
        StateLog.Reopening(_logger);
        try
        {
            await CloseAsync(cancellation);
            var before = _commits;
            await Task.Run(OpenEngine, cancellation);
            if (_commits < before) throw new StateRefusedException($"The reopened state has {_commits} commits, {before} were acknowledged.");
            _dead = false;
        }
        catch (Exception error)
        {
            StateLog.Ending(_logger, error);
            _options.OnDead(error);
            throw new StateUnavailableException(StateFailure.EngineFailed, "The state engine failed and could not be reopened.", error);
        }
    }

    public long Commits => _commits;

    /// <summary>Proves that everything in the keyed tables can be read and has its key once, then takes the log into the file.</summary>
    public override async Task StartedAsync(CancellationToken cancellation)
    {
        var problems = await StateTables.CheckAsync(Connection, keyedOnly: true, cancellation);
        if (problems.Count > 0) throw new StateRefusedException(
            $"{_files.Main} is damaged: {string.Join("; ", problems)}. Copies are in {_files.Recovery} if a log was replayed. Restore the newest backup: {StateFiles.RestoreCommand}");
        if (_files.Logs.Count > 0) await CheckpointAsync(cancellation);
    }

    /// <summary>Writes what the log holds into the file. The caller holds the gate.</summary>
    /// <returns>False when a reader was in the way, or the space might not do: to be tried again.</returns>
    public async Task<bool> CheckpointAsync(CancellationToken cancellation)
    {
        if (_dead || FileSystem.FreeBytes(_files.Folder) < Scratch.ReserveBytes + _files.LogBytes) return false;
        try
        {
            await Connection.ExecuteUnpreparedAsync("CHECKPOINT", cancellation);
            return true;
        }
        catch (DuckDBException error) when (error.Message.Contains("Cannot CHECKPOINT", StringComparison.Ordinal))
        {
            return false;
        }
        catch (DuckDBException error)
        {
            if (Translate(error) is { } translated) StateLog.WriteFailed(_logger, translated.Reason, error);
            if (_dead) await ReopenAsync(cancellation);
            return false;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        try
        {
            await CloseAsync(CancellationToken.None);
        }
        finally
        {
            _files.Dispose();
            _slots.Dispose();
        }
    }

    private void OpenChecked()
    {
        _files.RefuseWithoutMain();
        var mark = CommitMark.Read(_files.Mark);
        var isNew = !File.Exists(_files.Main);
        if (isNew) Make();
        else if (mark is null) ForeignState.Refuse(_files);
        OpenEngine();
        // What comes from a place without a mark (a restored folder, an accepted loss) starts a new count.
        if (isNew || mark is null) _mark!.Write(_commits);
        else if (mark > _commits) throw new StateRefusedException(
            $"Commits are missing: {_files.Mark} says {mark}, {_files.Main} has {_commits}. Its log was cut off, deleted or replaced. Nothing was changed; copies are in {_files.Recovery}. "
            + $"Restore the newest backup ({StateFiles.RestoreCommand}), or delete {_files.Mark} to accept the loss.");
    }

    /// <summary>The engine makes its file in several steps, and one that was cut off in between opens never again: so it gets its name when it is whole.</summary>
    private void Make()
    {
        var draft = Path.Combine(_files.Folder, StateFiles.DraftName);
        foreach (var left in (string[])[draft, $"{draft}.wal"]) File.Delete(left);
        try
        {
            using var connection = new DuckDBConnection(ConnectionText(draft, _options));
            connection.Open();
            connection.ExecuteUnprepared("CHECKPOINT");
        }
        catch (DuckDBException error)
        {
            throw new StateRefusedException($"A new state cannot be made in {_files.Folder}: {error.Message}", error);
        }

        FileSystem.Replace(draft, _files.Main);
    }

    private void OpenEngine()
    {
        var replays = _files.Logs.Count > 0;
        if (_files.CopyAside(_options.Time) is { } reason) StateLog.NoCopy(_logger, reason);
        try
        {
            var connection = new DuckDBConnection(ConnectionText(_files.Main, _options));
            connection.Open();
            _writer = connection;
            connection.ExecuteUnprepared("SET GLOBAL TimeZone='UTC'");
            _commits = ReadCommits(connection);
            if (replays) StateLog.Replayed(_logger, _commits);
        }
        catch (DuckDBException error)
        {
            throw new StateRefusedException($"{_files.Main} cannot be opened: {error.Message} Nothing was changed. Restore the newest backup: {StateFiles.RestoreCommand}", error);
        }
        _mark = CommitMark.Open(_files.Mark);
    }

    private StateUnavailableException DiskFull(Exception? error) =>
        new(StateFailure.DiskFull, $"The disk of {_files.Folder} is full (less than {CommitReserveBytes >> 20} MiB are free). Reads go on; writes will when there is space.", error);

    private static string ConnectionText(string path, StateOptions options) => new DbConnectionStringBuilder
    {
        ["Data Source"] = path,
        ["storage_compatibility_version"] = "v1.4.0", // from here on a log is bound to its file
        ["threads"] = options.Threads.ToString(CultureInfo.InvariantCulture),
        ["memory_limit"] = $"{options.MemoryBytes}B",
        ["checkpoint_threshold"] = "64MB", // so that ours, by timer, come first
        ["temp_directory"] = Path.Combine(options.StateDir, StateFiles.TemporaryName),
        ["autoinstall_known_extensions"] = "false",
        ["autoload_known_extensions"] = "false",
    }.ConnectionString;

    private static long ReadCommits(DuckDBConnection connection)
    {
        const string Tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'";
        var tables = connection.Query<string>(Tables).ToHashSet(StringComparer.Ordinal);
        ForeignState.Refuse(tables, connection.DataSource);
        return tables.Contains("state_version") ? connection.ExecuteScalar<long>(StateVersion.SelectCommitsSql) : 0;
    }

    private ValueTask GiveBack(DuckDBConnection connection)
    {
        lock (_idle)
        {
            if (_dead || _writer is null) connection.Dispose();
            else _idle.Push(connection);
        }
        _slots.Release();
        return ValueTask.CompletedTask;
    }

    /// <summary>Waits for the readers, so that the engine lets go of the file.</summary>
    private async Task CloseAsync(CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(ReadersLeaveTimeMax);
        var taken = 0;
        try
        {
            for (; taken < ReadersMax; taken++) await _slots.WaitAsync(limit.Token);
            lock (_idle)
            {
                while (_idle.TryPop(out var connection)) connection.Dispose();
            }
            _writer?.Dispose();
            _writer = null;
            _mark?.Dispose();
            _mark = null;
        }
        finally
        {
            if (taken > 0) _slots.Release(taken);
        }
    }

    private void Committed(long commits)
    {
        _commits = commits;
        try
        {
            _mark?.Write(commits);
        }
        catch (IOException error)
        {
            // The commit stands. Until the next one a loss of exactly this one would go unnoticed.
            StateLog.NoMark(_logger, error);
        }
    }

    private sealed class Writer(DuckDbStore store, DuckDBTransaction transaction) : StateTransaction
    {
        private readonly DuckDBConnection _connection = store.Connection;

        public override DbConnection Connection => _connection;

        public override DbTransaction Transaction => transaction;

        public override Task<long> VersionAsync(CancellationToken cancellation) => _connection.ExecuteScalarAsync<long>(new(StateVersion.SelectSql, cancellationToken: cancellation));

        public override async Task<long> CommitAsync(bool raise, CancellationToken cancellation)
        {
            var commits = store._commits + 1;
            var version = await _connection.ExecuteScalarAsync<long>(new(raise ? StateVersion.RaiseSql : StateVersion.CountSql, cancellationToken: cancellation));
            try
            {
                await transaction.CommitAsync(CancellationToken.None);
            }
            catch (DuckDBException error) when (error.IsFatal)
            {
                // The engine died in the commit: only its log knows the outcome.
                await store.ReopenAsync(cancellation);
                if (store._commits != commits) throw;
            }
            store.Committed(commits);
            return version;
        }

        public override ValueTask DisposeAsync() => transaction.DisposeAsync();
    }
}
