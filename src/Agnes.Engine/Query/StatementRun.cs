using System.Buffers;
using System.IO.Pipelines;
using Agnes.Engine.Query.Workers;

namespace Agnes.Engine.Query;

/// <summary>The life of one statement: known or parsed, checked, run on a worker, and its end put into words.</summary>
internal sealed class StatementRun(WorkerPool pool, ParseCache known, StatementLimits limits, PipeWriter output, CancellationToken cancellation)
{
    /// <summary>A text no longer than this is parsed on the worker of short statements.</summary>
    private const int ShortCharactersMax = 2048;

    /// <summary>Longer than that on the worker of short statements, and it starts again on one of the others. Statements change nothing, so that is safe.</summary>
    private static readonly TimeSpan ShortTime = TimeSpan.FromMilliseconds(60);

    private static readonly TimeSpan ShortParseTime = TimeSpan.FromSeconds(1);

    private readonly long _started = pool.Time.GetTimestamp();
    private IReadOnlyList<string> _tables = [];

    public async Task<StatementOutcome> RunAsync(Scope scope, string sql, int limit)
    {
        QueryWorker? worker = null;
        try
        {
            var statement = known.Find(sql);
            if (statement is null)
            {
                worker = await pool.RentAsync(sql.Length <= ShortCharactersMax, "", limits.Wait, cancellation);
                if (worker is null) return RefusedBusy();
                var (parsed, failure) = await ParseAsync(worker, sql);
                if (parsed is null) return failure!;
                statement = known.Add(sql, parsed);
            }
            var verdict = Guard.Check(statement.Parsed, scope);
            if (verdict.Footprint is null) return Refused(verdict.Status, verdict.Message!, verdict.Name, verdict.Nearest);
            if (statement.Parsed.Shape == StatementShape.ShowTables) return WriteTables(scope, limit);
            _tables = [.. verdict.Footprint.Tables.Select(table => table.Name)];
            if (worker is { IsShort: true } && !statement.IsShort)
            {
                pool.Return(worker);
                worker = null;
            }
            var rented = worker;
            worker = null; // given on
            return await RunOnPoolAsync(rented, statement, verdict.Footprint, new RunRequest(0, RowsForm.Table, sql, limit, limits.ResultBytes, "", []));
        }
        finally
        {
            if (worker is not null) pool.Return(worker);
        }
    }

    /// <summary>For statements of our own making on tables that the caller has checked.</summary>
    public async Task<StatementOutcome> RunTrustedAsync(string sql, IReadOnlyList<ScopedTable> tables, int limit)
    {
        _tables = [.. tables.Select(table => table.Name)];
        var statement = new KnownStatement(ParsedStatement.Of(StatementShape.Select), int.MaxValue);
        return await RunOnPoolAsync(null, statement, Footprint.Of(tables), new RunRequest(0, RowsForm.Objects, sql, limit, limits.ResultBytes, "", []));
    }

    public StatementOutcome Refused(StatementStatus status, string message, string? name = null, IReadOnlyList<string>? nearest = null) =>
        new(status, message, name, 0, 0, false, false, _tables, nearest ?? [], pool.Time.GetElapsedTime(_started));

    private StatementOutcome RefusedBusy() => Refused(StatementStatus.Busy, "All query workers are busy. Try again in a moment.");

    private async Task<(ParsedStatement? Parsed, StatementOutcome? Failure)> ParseAsync(QueryWorker worker, string sql)
    {
        var time = worker.IsShort ? Min(ShortParseTime, limits.Time) : limits.Time;
        using var deadline = new CancellationTokenSource(time, pool.Time);
        using var stopped = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        var (reply, lost) = await Supervision.RunAsync(worker, worker.ParseAsync(sql), pool.Time, stopped.Token);
        if (reply?.Parsed is { } parsed) return (parsed, null);
        cancellation.ThrowIfCancellationRequested();
        if (reply?.Failed is { } failed) return (null, Refused(StatementStatus.ParseError, $"Query error: {EngineMessages.Clean(failed.Message)}"));
        return (null, lost && worker.WasOutOfMemory ? OutOfMemory() : TooComplex());
    }

    /// <param name="worker">One that was rented already, or null.</param>
    private async Task<StatementOutcome> RunOnPoolAsync(QueryWorker? worker, KnownStatement statement, Footprint footprint, RunRequest request)
    {
        request = request with { FootprintKey = footprint.Key, Tables = [.. footprint.Tables.Select(table => new WorkerTable(table.Name, table.Paths))] };
        var isShort = statement.IsShort;
        worker ??= await pool.RentAsync(isShort, footprint.Key, limits.Wait, cancellation);
        if (worker is null) return RefusedBusy();
        var onShort = worker.IsShort;
        var (outcome, microseconds) = await RunOnWorkerAsync(worker, request, onShort ? Min(ShortTime, limits.Time) : limits.Time);
        if (onShort && !outcome.BodyStarted && outcome.Status is StatementStatus.TimedOut or StatementStatus.OutOfMemory)
        {
            statement.TookLong();
            worker = await pool.RentAsync(isShort: false, footprint.Key, limits.Wait, cancellation);
            if (worker is null) return RefusedBusy();
            (outcome, microseconds) = await RunOnWorkerAsync(worker, request, limits.Time);
        }
        statement.Took(microseconds);
        return outcome;
    }

    private async Task<(StatementOutcome Outcome, long Microseconds)> RunOnWorkerAsync(QueryWorker worker, RunRequest request, TimeSpan time)
    {
        using var deadline = new CancellationTokenSource(time, pool.Time);
        using var stopped = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        try
        {
            var progress = new BodyProgress();
            var (reply, _) = await Supervision.RunAsync(worker, worker.RunAsync(request, output, progress, stopped.Token), pool.Time, stopped.Token);
            if (reply is { Status: StatementStatus.Ok }) return (Done(reply, progress.Bytes), reply.EngineMicroseconds);
            cancellation.ThrowIfCancellationRequested();
            var ended = Failed(reply, worker, deadline.IsCancellationRequested, time);
            return (ended with { Bytes = progress.Bytes, BodyStarted = progress.Bytes > 0 }, long.MaxValue);
        }
        finally
        {
            pool.Return(worker);
        }
    }

    private StatementOutcome Done(WorkerReply reply, long bytes) =>
        new(StatementStatus.Ok, null, null, reply.Rows, bytes, reply.Truncated, false, _tables, [], pool.Time.GetElapsedTime(_started));

    private StatementOutcome Failed(WorkerReply? reply, QueryWorker worker, bool overTime, TimeSpan time)
    {
        if (overTime && reply?.Status is null or StatementStatus.TimedOut) return TimedOut(time);
        return reply?.Status switch
        {
            null => worker.WasOutOfMemory ? OutOfMemory() : TooComplex(),
            StatementStatus.OutOfMemory => OutOfMemory(),
            StatementStatus.TooLarge => Refused(StatementStatus.TooLarge, $"Query error: The result is larger than {limits.ResultBytes >> 20} MiB. Select fewer columns, aggregate, or lower the limit."),
            _ => Refused(reply.Status, $"Query error: {EngineMessages.Clean(reply.Message ?? "")}"),
        };
    }

    private StatementOutcome TimedOut(TimeSpan time) =>
        Refused(StatementStatus.TimedOut, $"Query error: The query ran longer than its limit of {time.TotalSeconds:0.###} s. Filter or aggregate more.");

    private StatementOutcome OutOfMemory() =>
        Refused(StatementStatus.OutOfMemory, $"Query error: The query needs more memory than the {pool.Options.MemoryBytes >> 20} MiB that a query may use. Filter or aggregate more, or work in steps.");

    private StatementOutcome TooComplex() => Refused(StatementStatus.EngineError, "Query error: The query could not be worked out; it is nested too deeply or is too large. Split it into smaller queries.");

    private StatementOutcome WriteTables(Scope scope, int limit)
    {
        var (body, rows, truncated) = ShowTables.Write(scope, limit);
        output.Write(body);
        return new(StatementStatus.Ok, null, null, rows, body.Length, truncated, false, [], [], pool.Time.GetElapsedTime(_started));
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
