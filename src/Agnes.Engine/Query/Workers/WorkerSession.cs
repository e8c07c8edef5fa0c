using Agnes.Sql;
using DuckDB.NET.Data;
using DuckDB.NET.Data.Native;

namespace Agnes.Engine.Query.Workers;

/// <summary>The executing side of a query worker: one statement at a time, on one thread with a deep stack.</summary>
internal sealed class WorkerSession : IDisposable
{
    /// <summary>What the runtime and the engine's code take before any data; not the engine's to spend.</summary>
    private const long BaseBytes = 72L << 20;

    private const long EngineBytesMin = 32L << 20;
    private const int StatementsPerLook = 64;

    /// <summary>A plan takes many times the memory of its text.</summary>
    private const int KeptCharactersMax = 8192;

    private static readonly TimeSpan SmallTime = TimeSpan.FromMilliseconds(2);

    private readonly SandboxCache _sandboxes;
    private readonly Sandbox _parsing;
    private readonly StatementParser _parser;
    private readonly ResultSpool _spool;
    private readonly FrameWriter _frame = new();
    private readonly Action<ReadOnlyMemory<byte>> _send;
    private readonly Lock _gate = new();
    private readonly long _trimAboveBytes;
    private int _sinceLook;
    private DuckDBConnection? _running; // under _gate
    private int _number; // under _gate
    private int _interrupted = -1; // under _gate

    public WorkerSession(WorkerShare share, Action<ReadOnlyMemory<byte>> send, Action<ReadOnlySpan<byte>> sendBody)
    {
        _send = send;
        _trimAboveBytes = share.MemoryBytes * 3 / 4;
        _sandboxes = new SandboxCache(share, Math.Max(EngineBytesMin, share.MemoryBytes - BaseBytes));
        _parsing = _sandboxes.Make([]);
        _parser = new StatementParser(_parsing.Connection);
        _spool = new ResultSpool(sendBody);
    }

    /// <summary>Runs everything once, so that the first statement meets compiled code; what it writes goes nowhere.</summary>
    public static void WarmUp(WorkerShare share)
    {
        using var session = new WorkerSession(share, _ => { }, _ => { });
        session.Parse("SELECT 1 AS a, 'x' AS b FROM (VALUES (1)) t WHERE true ORDER BY 1");
        session.Run(new RunRequest(0, RowsForm.Table, "SELECT 1 AS a, 'x' AS b, 1.5::DOUBLE AS c", 1, 1 << 20, "", []));
    }

    public void Parse(string sql)
    {
        try
        {
            _send(ParsedFrame.Write(_frame, _parser.Parse(sql)));
        }
        catch (DuckDBException e)
        {
            Fail(EngineMessages.StatusOf(e), e.Message);
        }
    }

    /// <summary>The engine's own text of a statement, where it reads as the same statement.</summary>
    public void Rewrite(string sql)
    {
        try
        {
            _send(ParsedFrame.Write(_frame, ParsedStatement.Of(StatementShape.Select) with { Rewritten = _parser.Rewritten(sql) }));
        }
        catch (DuckDBException e)
        {
            Fail(EngineMessages.StatusOf(e), e.Message);
        }
    }

    public void Run(RunRequest request)
    {
        var before = Environment.CpuUsage.TotalTime;
        Sandbox? own = null;
        try
        {
            var sandbox = request.OwnSandbox ? own = _sandboxes.Make(request.Tables, request.File) : _sandboxes.Take(request.FootprintKey, request.Tables);
            before = Environment.CpuUsage.TotalTime;
            if (!Enter(request.Number, sandbox.Connection)) throw new OperationCanceledException();
            var (rows, truncated) = request.File.Length > 0 ? new ResultFile(sandbox.Connection, request).Write() : Execute(request, sandbox);
            Leave();
            _send(new RunDone(rows, truncated, (long)(Environment.CpuUsage.TotalTime - before).TotalMicroseconds).Write(_frame));
        }
        catch (Exception e) when (e is DuckDBException or NotSupportedException or ResultTooLargeException or OperationCanceledException or OutOfMemoryException)
        {
            Leave();
            if (e is DuckDBException { ErrorType: DuckDBErrorType.Fatal or DuckDBErrorType.Internal or DuckDBErrorType.OutOfMemory or DuckDBErrorType.IO } or OutOfMemoryException)
                _sandboxes.Drop(request.FootprintKey);
            Fail(EngineMessages.StatusOf(e), e.Message);
        }
        finally
        {
            own?.Dispose();
        }
        _sandboxes.Trim();
        if (TimeToLook(Environment.CpuUsage.TotalTime - before) && Environment.WorkingSet > _trimAboveBytes) _sandboxes.Clear();
    }

    /// <summary>From any thread: ends the statement of that number if it is the one that runs.</summary>
    public void Interrupt(int number)
    {
        lock (_gate)
        {
            _interrupted = number;
            if (_number == number) _running?.Interrupt();
        }
    }

    public void Dispose()
    {
        _parser.Dispose();
        _parsing.Dispose();
        _sandboxes.Dispose();
    }

    private unsafe (long Rows, bool Truncated) Execute(RunRequest request, Sandbox sandbox)
    {
        var connection = sandbox.Connection;
        using var interruption = new Interruption(connection, TimeBudget.Unlimited, CancellationToken.None);
        var whole = false;
        try
        {
            using var result = Execution.Run(connection, sandbox.Prepare(request.Sql).Handle, streaming: true, interruption);
            _spool.Start(request.ResultBytesMax);
            var written = new JsonRows(result, request.Form, _spool).Write(() => Execution.Fetch(connection, result, interruption), request.Limit);
            _spool.Finish();
            whole = true;
            return written;
        }
        finally
        {
            if (!whole || request.Sql.Length > KeptCharactersMax) sandbox.Forget();
        }
    }

    /// <summary>Reading one's own size is not free; after a short statement it is left out mostly.</summary>
    private bool TimeToLook(TimeSpan used) => used > SmallTime || ++_sinceLook % StatementsPerLook == 0;

    private bool Enter(int number, DuckDBConnection connection)
    {
        lock (_gate)
        {
            _number = number;
            _running = connection;
            return _interrupted != number;
        }
    }

    private void Leave()
    {
        lock (_gate) _running = null;
    }

    private void Fail(StatementStatus status, string message) => _send(new RunFailed(status, message).Write(_frame));
}
