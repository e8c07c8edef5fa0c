using System.Data;
using System.Data.Common;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using DuckDB.NET.Data.Native;

namespace DuckDB.NET.Data;

/// <summary>
/// One or several statements, run in order; each takes the parameters that it names. A single statement stays prepared until the text,
/// the connection or the command is gone.
/// </summary>
public sealed class DuckDBCommand : DbCommand
{
    private readonly DuckDBParameterCollection _parameters = [];
    private DuckDBConnection? _connection;
    private string _text = "";
    private int _timeoutSeconds;
    private PreparedStatement? _prepared;

    public DuckDBCommand()
    {
    }

    public DuckDBCommand(string commandText, DuckDBConnection connection)
    {
        _text = commandText;
        _connection = connection;
    }

    [AllowNull]
    public override string CommandText
    {
        get => _text;
        set
        {
            _text = value ?? "";
            Unprepare();
        }
    }

    /// <summary>Seconds that the command may spend in the engine; 0, the default, is no limit.</summary>
    public override int CommandTimeout
    {
        get => _timeoutSeconds;
        set => _timeoutSeconds = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    public override CommandType CommandType
    {
        get => CommandType.Text;
        set
        {
            if (value != CommandType.Text) throw new NotSupportedException("DuckDB runs SQL texts only.");
        }
    }

    public override bool DesignTimeVisible { get; set; }

    public override UpdateRowSource UpdatedRowSource { get; set; }

    /// <summary>False: the whole result is in memory when Execute returns, and the connection is free for other statements while it is read.</summary>
    public bool Streaming { get; set; } = true;

    public new DuckDBConnection? Connection
    {
        get => _connection;
        set
        {
            _connection = value;
            Unprepare();
        }
    }

    public new DuckDBParameterCollection Parameters => _parameters;

    protected override DbConnection? DbConnection
    {
        get => _connection;
        set => Connection = (DuckDBConnection?)value;
    }

    protected override DbParameterCollection DbParameterCollection => _parameters;

    /// <summary>Kept for callers that set it: a connection has one transaction at most, and everything on it runs inside.</summary>
    protected override DbTransaction? DbTransaction { get; set; }

    /// <summary>For a text with a part that somebody else wrote: nothing of it runs unless all of it is a single statement.</summary>
    public bool IsOneStatement { get; init; }

    public override void Cancel() => _connection?.Interrupt();

    public new DuckDBParameter CreateParameter() => new();

    protected override DbParameter CreateDbParameter() => CreateParameter();

    public override void Prepare()
    {
        var connection = Ready();
        if (_prepared is { IsClosed: false }) return;
        using var text = new StatementText(connection, Sql());
        if (text.Count == 1) _prepared = text.Prepare(connection, 0);
    }

    public override int ExecuteNonQuery() => ExecuteNonQuery(CancellationToken.None);

    public override Task<int> ExecuteNonQueryAsync(CancellationToken cancellationToken) =>
        Task.Run(() => ExecuteNonQuery(cancellationToken), cancellationToken);

    public override object? ExecuteScalar() => ExecuteScalar(CancellationToken.None);

    public override Task<object?> ExecuteScalarAsync(CancellationToken cancellationToken) =>
        Task.Run(() => ExecuteScalar(cancellationToken), cancellationToken);

    public new DuckDBDataReader ExecuteReader() => ExecuteReader(CommandBehavior.Default);

    public new DuckDBDataReader ExecuteReader(CommandBehavior behavior) => ExecuteReader(behavior, CancellationToken.None);

    public new Task<DuckDBDataReader> ExecuteReaderAsync(CancellationToken cancellationToken = default) =>
        ExecuteReaderAsync(CommandBehavior.Default, cancellationToken);

    public new Task<DuckDBDataReader> ExecuteReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken = default) =>
        Task.Run(() => ExecuteReader(behavior, cancellationToken), cancellationToken);

    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => ExecuteReader(behavior);

    protected override async Task<DbDataReader> ExecuteDbDataReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken) =>
        await ExecuteReaderAsync(behavior, cancellationToken);

    private int ExecuteNonQuery(CancellationToken cancellationToken)
    {
        var changed = 0L;
        Run(new TimeBudget(TimeSpan.FromSeconds(_timeoutSeconds)), cancellationToken, streamLast: false, result =>
        {
            changed += Execution.RowsChanged(result);
            result.Dispose();
        });
        return (int)Math.Min(changed, int.MaxValue);
    }

    private object? ExecuteScalar(CancellationToken cancellationToken)
    {
        using var reader = ExecuteReader(CommandBehavior.Default, cancellationToken);
        return reader.Read(cancellationToken) && reader.FieldCount > 0 ? reader.GetValue(0) : null;
    }

    private DuckDBDataReader ExecuteReader(CommandBehavior behavior, CancellationToken cancellationToken)
    {
        var budget = new TimeBudget(TimeSpan.FromSeconds(_timeoutSeconds));
        var results = new Queue<ResultHandle>();
        var changed = 0L;
        try
        {
            Run(budget, cancellationToken, Streaming, result =>
            {
                if (Execution.KindOf(result) == ResultKind.Rows)
                {
                    results.Enqueue(result);
                    return;
                }

                changed += Execution.RowsChanged(result);
                result.Dispose();
            });
            var recordsAffected = results.Count > 0 && changed == 0 ? -1 : (int)Math.Min(changed, int.MaxValue);
            return new DuckDBDataReader(_connection!, results, recordsAffected, behavior.HasFlag(CommandBehavior.CloseConnection), budget, cancellationToken);
        }
        catch
        {
            foreach (var result in results) result.Dispose();
            throw;
        }
    }

    /// <summary>Runs all statements. Only the last one streams: those before it must have run to their end.</summary>
    private void Run(TimeBudget budget, CancellationToken cancellationToken, bool streamLast, Action<ResultHandle> take)
    {
        var connection = Ready();
        var started = Stopwatch.GetTimestamp();
        using var interruption = new Interruption(connection, budget, cancellationToken);
        if (_prepared is { IsClosed: false })
        {
            Run(_prepared);
        }
        else
        {
            try
            {
                RunText();
            }
            catch (DuckDBException error) when (error.ErrorType == DuckDBErrorType.Interrupt)
            {
                throw interruption.Translate(error); // planning is interrupted as well as running
            }
        }

        budget.Spend(started);

        void RunText()
        {
            using var text = new StatementText(connection, Sql());
            if (IsOneStatement && text.Count != 1) throw Execution.Failure(connection, $"Parser Error: one statement was expected, and there are {text.Count}.");
            for (var i = 0; i < text.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var prepared = text.Prepare(connection, i);
                if (text.Count == 1) _prepared = prepared;
                try
                {
                    Run(prepared, isLast: i == text.Count - 1);
                }
                finally
                {
                    if (prepared != _prepared) prepared.Dispose();
                }
            }
        }

        void Run(PreparedStatement prepared, bool isLast = true)
        {
            prepared.Bind(_parameters);
            take(Execution.Run(connection, prepared.Handle, streamLast && isLast, interruption));
        }
    }

    private DuckDBConnection Ready()
    {
        var connection = _connection ?? throw new InvalidOperationException("The command has no connection.");
        connection.EnsureIdle();
        return connection;
    }

    private string Sql() => SqlParameters.Rewrite(_text, name => _parameters.Contains(name));

    private void Unprepare()
    {
        _prepared?.Dispose();
        _prepared = null;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) Unprepare();
        base.Dispose(disposing);
    }
}
