using System.Data.Common;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Audit;
using Dapper;

namespace Agnes.Server.Platform.State;

/// <summary>
/// One unit of work inside the gated transaction. The unit may run more than once (after a conflict, or because a neighbour in the same transaction failed),
/// so it does nothing but use this. An exception out of it undoes everything it did.
/// </summary>
public sealed class StateWrite
{
    private readonly DbConnection _connection;
    private readonly DbTransaction _transaction;
    private readonly CancellationToken _stop;
    private readonly List<AuditEntry> _audit = [];
    private bool _closed;

    internal StateWrite(DbConnection connection, DbTransaction transaction, Snapshot before, DateTime now, CancellationToken stop)
    {
        _connection = connection;
        _transaction = transaction;
        _stop = stop;
        Before = Current = before;
        Now = now;
    }

    /// <summary>The state as the unit found it: exact, nobody else writes meanwhile. Decisions like "the last admin stays" can rest on it.</summary>
    public Snapshot Before { get; }

    /// <summary><see cref="Before"/> with what this unit applied so far.</summary>
    public Snapshot Current { get; private set; }

    /// <summary>UTC, cut to microseconds as both engines keep it.</summary>
    public DateTime Now { get; }

    /// <inheritdoc cref="StateOptions.EveryoneByHand"/>
    public bool EveryoneByHand { get; internal init; }

    /// <summary>Of the request that asked for the write.</summary>
    internal AuditOrigin? Origin { get; init; }

    internal bool Changed { get; private set; }

    internal bool SqlFailed { get; private set; }

    internal bool IsControl { get; private set; }

    internal IReadOnlyList<AuditEntry> AuditEntries => _audit;

    /// <summary>A new id: text, unique everywhere, ordered by time.</summary>
    public string NewId() => StateId.New(Now);

    /// <param name="sql">Constant text with <c>@name</c> parameters, in the SQL that both engines know.</param>
    /// <param name="parameters">An object whose properties are the parameters, or a list of such objects to run the statement for each.</param>
    /// <returns>The number of rows.</returns>
    public Task<int> ExecuteAsync(string sql, object? parameters = null)
    {
        Changed = true;
        return RunAsync(sql, parameters, _connection.ExecuteAsync);
    }

    /// <summary>Adds rows, many in a statement.</summary>
    /// <param name="sql">An INSERT with one <c>VALUES (@a, @b)</c> at its end.</param>
    public async Task InsertAsync(string sql, IReadOnlyList<object> rows)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (rows.Count == 0) return;
        Changed = true;
        try
        {
            await RowBatch.ExecuteAsync(_connection, _transaction, sql, rows, _stop);
        }
        catch
        {
            SqlFailed = true;
            throw;
        }
    }

    /// <summary>For SELECT, and for changes with RETURNING.</summary>
    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object? parameters = null)
    {
        Changed |= !IsSelect(sql);
        return (await RunAsync(sql, parameters, _connection.QueryAsync<T>)).AsList();
    }

    /// <summary>The first row, or nothing.</summary>
    public async Task<T?> QueryFirstAsync<T>(string sql, object? parameters = null) => (await QueryAsync<T>(sql, parameters)).FirstOrDefault();

    /// <summary>Adds a row to the audit log, in this transaction.</summary>
    /// <param name="actorUserId">The id in <c>users</c>; nothing when nobody is signed in.</param>
    /// <param name="parameters">Secrets in it are masked by their key: <see cref="AuditMask"/>.</param>
    public void Audit(string? actorUserId, string action, string? resource, JsonObject? parameters = null, string? result = null, int? durationMs = null)
    {
        IsControl = true;
        _audit.Add(AuditEntry.Create(Now, Origin, actorUserId, action, resource, parameters, result, durationMs));
    }

    /// <summary>Says what the rows written so far mean for the snapshot; it is swapped after the commit.</summary>
    public void Apply(Func<Snapshot, Snapshot> change)
    {
        IsControl = true;
        Current = change(Current);
    }

    internal void Close() => _closed = true;

    private async Task<T> RunAsync<T>(string sql, object? parameters, Func<CommandDefinition, Task<T>> run)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        try
        {
            return await run(new(sql, parameters, _transaction, cancellationToken: _stop));
        }
        catch
        {
            SqlFailed = true;
            throw;
        }
    }

    private static bool IsSelect(string sql) => sql.AsSpan().TrimStart().StartsWith("SELECT", StringComparison.OrdinalIgnoreCase);
}
