using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using DuckDB.NET.Data.Native;

namespace DuckDB.NET.Data;

/// <summary>
/// A connection: <c>Data Source=path|:memory:|:memory:name;option=value…</c>, where every other key is an option of the engine at opening
/// (access_mode, threads, memory_limit, temp_directory …). Connections to one file, or one named memory database, share an instance. One statement
/// at a time: like every ADO.NET connection this one is not for several threads, except <see cref="Interrupt"/> and <see cref="Progress"/>.
/// </summary>
public sealed class DuckDBConnection : DbConnection
{
    private readonly HashSet<IDisposable> _open = []; // readers, prepared statements, appenders; closed with the connection
    private readonly Lock _gate = new();
    private string _connectionString;
    private string _dataSource = ":memory:";
    private ConnectionHandle? _handle;

    public DuckDBConnection() : this("")
    {
    }

    public DuckDBConnection(string connectionString) => _connectionString = connectionString;

    private DuckDBConnection(DuckDBConnection other, ConnectionHandle handle)
    {
        _connectionString = other._connectionString;
        _dataSource = other._dataSource;
        _handle = handle;
    }

    [AllowNull]
    public override string ConnectionString
    {
        get => _connectionString;
        set
        {
            if (_handle is not null) throw new InvalidOperationException("The connection is open.");
            _connectionString = value ?? "";
        }
    }

    public override string Database => "main";

    public override string DataSource => _dataSource;

    public override ConnectionState State => _handle is null ? ConnectionState.Closed : ConnectionState.Open;

    public override string ServerVersion => LibraryVersion;

    /// <summary>The version of the engine, such as <c>v1.5.5</c>.</summary>
    public static string LibraryVersion => Utf8.Borrow(NativeMethods.duckdb_library_version()) ?? "";

    protected override DbProviderFactory DbProviderFactory => DuckDBProviderFactory.Instance;

    internal ConnectionHandle Handle => _handle ?? throw new InvalidOperationException("The connection is not open.");

    /// <summary>The reader that still streams from the engine: the engine would cut it off if another statement ran.</summary>
    internal DuckDBDataReader? StreamingReader { get; set; }

    internal DuckDBTransaction? Transaction { get; set; }

    public override void Open()
    {
        if (_handle is not null) throw new InvalidOperationException("The connection is already open.");
        var (source, options) = ConnectionText.Parse(_connectionString);
        _dataSource = source;
        _handle = DatabaseInstance.Connect(source, options);
        OnStateChange(new StateChangeEventArgs(ConnectionState.Closed, ConnectionState.Open));
    }

    public override Task OpenAsync(CancellationToken cancellationToken) => Task.Run(Open, cancellationToken);

    /// <summary>Another open connection to the same database, also to a private one in memory.</summary>
    public DuckDBConnection Duplicate() => new(this, Handle.Instance.Connect());

    public override void Close()
    {
        if (_handle is null) return;
        var handle = _handle;
        Transaction?.Abandon();
        IDisposable[] open;
        lock (_gate)
        {
            open = [.. _open];
            _open.Clear();
        }

        foreach (var child in open) child.Dispose();
        _handle = null;
        StreamingReader = null;
        handle.Dispose();
        OnStateChange(new StateChangeEventArgs(ConnectionState.Open, ConnectionState.Closed));
    }

    protected override void Dispose(bool disposing)
    {
        // Without disposing the handles' own finalizers do this, in the right order.
        if (disposing) Close();
        base.Dispose(disposing);
    }

    public override void ChangeDatabase(string databaseName) => ExecuteUnprepared("USE \"" + databaseName.Replace("\"", "\"\"") + "\"");

    public new DuckDBTransaction BeginTransaction() => BeginTransaction(IsolationLevel.Unspecified);

    /// <summary>Begins a transaction; whatever is asked for, the engine isolates by snapshot.</summary>
    public new DuckDBTransaction BeginTransaction(IsolationLevel isolationLevel)
    {
        if (Transaction is not null) throw new InvalidOperationException("The connection already has a transaction.");
        ExecuteUnprepared("BEGIN TRANSACTION");
        return Transaction = new DuckDBTransaction(this);
    }

    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => BeginTransaction(isolationLevel);

    public new DuckDBCommand CreateCommand() => new() { Connection = this };

    protected override DbCommand CreateDbCommand() => CreateCommand();

    /// <summary>
    /// Runs one or many statements as they are, without parameters and without preparing them. Some statements cannot be prepared.
    /// Returns the rows changed by the last one.
    /// </summary>
    public int ExecuteUnprepared(string sql, CancellationToken cancellationToken = default)
    {
        EnsureIdle();
        using var interruption = new Interruption(this, TimeBudget.Unlimited, cancellationToken);
        using var result = Execution.Query(this, sql, interruption);
        return Execution.RowsChanged(result);
    }

    public Task<int> ExecuteUnpreparedAsync(string sql, CancellationToken cancellationToken = default) =>
        Task.Run(() => ExecuteUnprepared(sql, cancellationToken), cancellationToken);

    /// <summary>Opens a bulk load into a table.</summary>
    public DuckDBAppender CreateAppender(string table, string? schema = null, string? catalog = null) => new(this, catalog, schema, table);

    /// <summary>Lets statements of this database read rows of this program's memory: <c>FROM name()</c>.</summary>
    /// <param name="rows">Live as long as anybody asks for them.</param>
    public void Register(string name, DuckDBRows rows)
    {
        EnsureIdle();
        RowsFunction.Register(this, name, rows);
    }

    /// <summary>Ends the statement that runs on this connection with an Interrupt error. May be called from any thread.</summary>
    public void Interrupt()
    {
        if (_handle is { } handle) Interrupt(handle);
    }

    /// <summary>How far the running statement is. May be called from any thread.</summary>
    public DuckDBProgress Progress()
    {
        var handle = _handle;
        if (handle is null) return new DuckDBProgress(null, 0, 0);
        try
        {
            var progress = NativeMethods.duckdb_query_progress(handle);
            return new DuckDBProgress(progress.Percentage < 0 ? null : progress.Percentage, progress.RowsProcessed, progress.RowsTotal);
        }
        catch (ObjectDisposedException)
        {
            return new DuckDBProgress(null, 0, 0); // closed meanwhile: nothing runs
        }
    }

    internal static void Interrupt(ConnectionHandle handle)
    {
        try
        {
            NativeMethods.duckdb_interrupt(handle);
        }
        catch (ObjectDisposedException)
        {
            return; // closed meanwhile: nothing to end
        }
    }

    internal void EnsureIdle()
    {
        _ = Handle;
        if (StreamingReader is not null)
            throw new InvalidOperationException("A reader is still open on this connection. Close it first, or run the statement on connection.Duplicate().");
    }

    internal void Track(IDisposable child)
    {
        lock (_gate) _open.Add(child);
    }

    internal void Untrack(IDisposable child)
    {
        lock (_gate) _open.Remove(child);
    }
}

/// <summary>Progress of a statement; the percentage is null while the engine knows none.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct DuckDBProgress(double? Percentage, ulong RowsProcessed, ulong RowsTotal);
