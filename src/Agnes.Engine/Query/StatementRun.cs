using System.Buffers;
using System.IO.Pipelines;
using Agnes.Engine.Parts;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Scans;
using Agnes.Engine.Query.Workers;
using Agnes.Protocol;
using Agnes.Sql;

namespace Agnes.Engine.Query;

/// <summary>The life of one statement: known or parsed, checked, run on a worker, and its end put into words.</summary>
/// <param name="cancellation">Fires when the client has gone or the lease has ended.</param>
internal sealed partial class StatementRun(WorkerPool pool, ParseCache known, Lease lease, StatementLimits limits, PipeWriter output, CancellationToken cancellation)
{
    /// <summary>What whoever asked is told when they may no longer have the answer.</summary>
    private const string RevokedText = "Access was taken away while the statement ran.";

    private const string KilledText = "Query error: The statement was ended by its owner or an admin.";

    private const string GoneText = "The client closed the connection.";

    /// <summary>A text no longer than this is parsed on the worker of short statements.</summary>
    private const int ShortCharactersMax = 2048;

    private const long SmallMicroseconds = 2000;

    private static readonly TimeSpan ShortParseTime = TimeSpan.FromSeconds(3);

    /// <summary>What a statement has for running however long its parsing took.</summary>
    private static readonly TimeSpan LeftMin = TimeSpan.FromMilliseconds(50);

    private readonly long _started = pool.Time.GetTimestamp();
    private IReadOnlyList<string> _tables = [];
    private TimeSpan _left = limits.Time;
    private BodyProgress _progress = new();

    /// <summary>Awaited with the tables' names before rows can leave ahead of the statement's end; where it throws, no row does.</summary>
    public Func<IReadOnlyList<string>, Task>? Leaving { get; set; }

    /// <summary>Where those look who may end it; null for a run within another.</summary>
    public RunningStatements.Entry? Entry { get; init; }

    private bool IsKilled => Entry is { Killed.IsCancellationRequested: true };

    public Task<StatementOutcome> RunAsync(Scope scope, string sql, int limit) => EndedAsync(() => RunCheckedAsync(scope, sql, limit));

    /// <summary>The statement alone must be one SELECT: only then can the text around it not change what is asked for.</summary>
    public async Task<StatementCheck> CheckAsync(Scope scope, string sql, string prefix)
    {
        var alone = await ParsedAsync(sql);
        if (alone.Refusal is { } refusal) return Checked(refusal, [], isSelect: false);
        if (InBigQuery(alone.Parsed!, scope, sql) is not null) return await CheckInBigQueryAsync(scope, sql, prefix);
        if (alone.Parsed!.Shape != StatementShape.Select) return Checked(RefusedBy(Guard.Check(alone.Parsed, scope)), [], isSelect: false);

        var whole = $"{prefix}SELECT * FROM (\n{sql}\n) LIMIT 0";
        var (parsed, failure) = await ParsedAsync(whole);
        if (parsed is null) return Checked(failure!, [], isSelect: true);
        List<string> names = [.. parsed.Tables.Select(table => table.IsOurs ? table.Name : table.ToString()).Distinct(StringComparer.OrdinalIgnoreCase)];
        var verdict = Guard.Check(parsed, scope);
        if (verdict.Plan is null) return Checked(RefusedBy(verdict), names, isSelect: true);
        var statement = new KnownStatement(parsed, int.MaxValue);
        var outcome = await EndedAsync(() => verdict.Plan is StatementPlan.Local
            ? RunPlannedAsync(null, statement, verdict.Plan, whole, 1)
            : BindAsync(verdict.Plan, statement, whole));
        return Checked(outcome, names, isSelect: true) with { IsAllowed = true };
    }

    private static StatementCheck Checked(StatementOutcome outcome, IReadOnlyList<string> names, bool isSelect) => new(outcome.Status, outcome.Message, names) { IsSelect = isSelect };

    private StatementOutcome RefusedBy(GuardVerdict verdict) =>
        verdict.Plan is null ? Refused(verdict.Status, verdict.Message!, verdict.Name, verdict.Nearest) : Refused(StatementStatus.NotASelect, StatementGuard.OnlySelect);

    private async Task<(ParsedStatement? Parsed, StatementOutcome? Refusal)> ParsedAsync(string sql)
    {
        if (known.Find(sql) is { } seen) return (seen.Parsed, null);
        ParsedStatement? parsed = null;
        var outcome = await EndedAsync(async () =>
        {
            var (worker, found, failure) = await ParseOnPoolAsync(sql);
            if (worker is not null) pool.Return(worker);
            parsed = found;
            return failure ?? Refused(StatementStatus.Ok, "");
        });
        if (parsed is null) return (null, outcome);
        known.Add(sql, parsed);
        return (parsed, null);
    }

    /// <summary>For statements of our own making on tables that the caller has checked.</summary>
    public Task<StatementOutcome> RunTrustedAsync(string sql, IReadOnlyList<ScopedTable> tables, int limit)
    {
        var statement = new KnownStatement(ParsedStatement.Of(StatementShape.Select), int.MaxValue);
        return EndedAsync(() => RunPlannedAsync(null, statement, StatementPlan.Of(tables), sql, limit, RowsForm.Objects));
    }

    /// <summary>The same into a file, which is whole when the outcome is ok. <see cref="StatementOutcome.Bytes"/> is the file's.</summary>
    public async Task<StatementOutcome> RunToFileAsync(ScanStatement scan, RowsForm form, string file)
    {
        var table = scan.Table;
        var statement = new KnownStatement(ParsedStatement.Of(StatementShape.Select), int.MaxValue);
        statement.TookLong();
        var outcome = await EndedAsync(() => RunPlannedAsync(
            null, statement, StatementPlan.Of([table]), scan.ToSql(), scan.Limit, form, file, scan.RowsLike()));
        if (!outcome.IsOk) return outcome;
        try
        {
            table.Verify(); // the rows count only if the parts were whole until they had been read
            return outcome with { Bytes = new FileInfo(file).Length };
        }
        catch (PartDamagedException e)
        {
            return Refused(StatementStatus.PartDamaged, e.Message);
        }
    }

    /// <summary>However a statement ends, the caller learns which tables it was about: the audit wants to know.</summary>
    private async Task<StatementOutcome> EndedAsync(Func<Task<StatementOutcome>> run)
    {
        try
        {
            cancellation.ThrowIfCancellationRequested();
            var outcome = await run();
            return (lease.Ended.IsCancellationRequested || IsKilled ? Ended() : outcome) with { Asked = _asked };
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return Ended() with { Asked = _asked };
        }
        catch (PartDamagedException e)
        {
            return Refused(StatementStatus.PartDamaged, e.Message) with { Asked = _asked };
        }
    }

    /// <summary>Nothing that was made may be told now; what has left already can only be cut short.</summary>
    private StatementOutcome Ended()
    {
        var why = lease.Ended.IsCancellationRequested ? Refused(StatementStatus.Revoked, RevokedText)
            : IsKilled ? Refused(StatementStatus.Killed, KilledText)
            : Refused(StatementStatus.ClientGone, GoneText);
        return why with { Bytes = _progress.Bytes, BodyStarted = _progress.Bytes > 0 };
    }

    private async Task<StatementOutcome> RunCheckedAsync(Scope scope, string sql, int limit)
    {
        QueryWorker? worker = null;
        try
        {
            var statement = known.Find(sql);
            if (statement is null)
            {
                (worker, var parsed, var failure) = await ParseOnPoolAsync(sql);
                if (parsed is null) return failure!;
                statement = known.Add(sql, parsed);
            }
            if (InBigQuery(statement.Parsed, scope, sql) is { } theirs)
            {
                if (worker is not null) pool.Return(worker); // another system takes its time
                worker = null;
                return await RunInBigQueryAsync(theirs, limit);
            }

            var verdict = Guard.Check(statement.Parsed, scope);
            if (verdict.Plan is null) return Refused(verdict.Status, verdict.Message!, verdict.Name, verdict.Nearest);
            if (statement.Parsed.Shape == StatementShape.ShowTables) return WriteTables(scope, limit);
            if (worker is { IsShort: true } && !statement.IsShort)
            {
                pool.Return(worker);
                worker = null;
            }
            var rented = worker;
            worker = null; // given on
            return await RunPlannedAsync(rented, statement, verdict.Plan, sql, limit);
        }
        finally
        {
            if (worker is not null) pool.Return(worker);
        }
    }

    public StatementOutcome Refused(StatementStatus status, string message, string? name = null, IReadOnlyList<string>? nearest = null) =>
        new(status, message, name, 0, 0, false, false, _tables, nearest ?? [], pool.Time.GetElapsedTime(_started));

    private StatementOutcome RefusedBusy() => Refused(StatementStatus.Busy, "All query workers are busy. Try again in a moment.");

    /// <param name="rewrites">Asks for the engine's own text of it, and for nothing of what it names.</param>
    /// <returns>The worker too, to run on; it is to be given back.</returns>
    private async Task<(QueryWorker? Worker, ParsedStatement? Parsed, StatementOutcome? Failure)> ParseOnPoolAsync(
        string sql, bool rewrites = false)
    {
        for (var isShort = sql.Length <= ShortCharactersMax; ; isShort = false)
        {
            var worker = await pool.RentAsync(lease.Caller, isShort, "", limits.Wait, cancellation);
            if (worker is null) return (null, null, RefusedBusy());
            try
            {
                var (parsed, failure) = await ParseAsync(worker, sql, rewrites);
                if (parsed is not null || !worker.IsShort || !worker.IsLost) return (worker, parsed, failure);
            }
            catch
            {
                pool.Return(worker);
                throw;
            }
            pool.Return(worker);
        }
    }

    private async Task<(ParsedStatement? Parsed, StatementOutcome? Failure)> ParseAsync(QueryWorker worker, string sql, bool rewrites)
    {
        var time = worker.IsShort ? Min(ShortParseTime, _left) : _left;
        var started = pool.Time.GetTimestamp();
        using var deadline = new CancellationTokenSource(time, pool.Time);
        using var stopped = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        var asked = rewrites ? worker.RewriteAsync(sql) : worker.ParseAsync(sql);
        var (reply, lost) = await Supervision.RunAsync(worker, asked, pool.Time, stopped.Token);
        _left = Max(_left - pool.Time.GetElapsedTime(started), LeftMin);
        if (reply?.Parsed is { } parsed) return (parsed, null);
        cancellation.ThrowIfCancellationRequested();
        if (reply?.Failed is { } failed) return (null, Refused(StatementStatus.ParseError, $"Query error: {EngineMessages.Clean(failed.Message)}"));
        if (lost && worker.WasOutOfMemory) return (null, OutOfMemory());
        return (null, deadline.IsCancellationRequested ? TimedOut() : TooComplex());
    }

    /// <param name="worker">One that was rented already, or null.</param>
    /// <param name="like">See <see cref="RunRequest.RowsLike"/>.</param>
    private async Task<StatementOutcome> RunPlannedAsync(
        QueryWorker? worker, KnownStatement statement, StatementPlan plan, string sql, int limit, RowsForm form = RowsForm.Table,
        string file = "", string like = "")
    {
        var text = statement.Parsed.Rewritten ?? sql;
        if (plan is StatementPlan.Local local)
        {
            Reads(plan);
            return await RunOnPoolAsync(worker, statement, local.Footprint, Request(text));
        }

        if (worker is not null) pool.Return(worker); // another system takes its time
        using var rows = new RemoteRows(pool.Fetched, limits, _asked);
        return await AtSystemAsync(plan, async stop =>
        {
            var started = pool.Time.GetTimestamp();
            var footprint = plan switch
            {
                StatementPlan.PushDown one => await AnswerOfAsync(one, rows, await InDialectAsync(one, text), limit, stop),
                _ => await FetchAsync(plan.Tables, text, rows, stop),
            };
            _left = Max(_left - pool.Time.GetElapsedTime(started), LeftMin);
            return await RunOnPoolAsync(null, statement, footprint, Request(plan is StatementPlan.PushDown ? AnswerStatement : text));
        });

        RunRequest Request(string what) => new(0, form, what, limit, limits.ResultBytes, "", [])
        {
            File = file,
            RowsLike = like.Length > 0 && plan is StatementPlan.PushDown ? AnswerStatement : like,
        };
    }

    private void Reads(StatementPlan plan)
    {
        _tables = [.. plan.Tables.Select(table => table.Name)];
        lease.Reads(plan.Tables);
        Entry?.Reads(_tables, (plan as StatementPlan.PushDown)?.System.Connection);
    }

    /// <param name="worker">One that was rented already, or null.</param>
    private async Task<StatementOutcome> RunOnPoolAsync(QueryWorker? worker, KnownStatement statement, Footprint footprint, RunRequest request)
    {
        request = request with { FootprintKey = footprint.Key, Tables = [.. footprint.Tables.Select(table => WorkerTable.Of(table))] };
        var isShort = statement.IsShort;
        worker ??= await pool.RentAsync(lease.Caller, isShort, footprint.Key, limits.Wait, cancellation);
        if (worker is null) return RefusedBusy();
        var onShort = worker.IsShort;
        var (outcome, microseconds) = await RunOnWorkerAsync(worker, request, footprint);
        if (onShort && !outcome.BodyStarted && outcome.Status is StatementStatus.TimedOut or StatementStatus.OutOfMemory)
        {
            // It starts again on one of the others; statements change nothing, so that is safe.
            statement.TookLong();
            worker = await pool.RentAsync(lease.Caller, isShort: false, footprint.Key, limits.Wait, cancellation);
            if (worker is null) return RefusedBusy();
            (outcome, microseconds) = await RunOnWorkerAsync(worker, request, footprint);
        }
        statement.Took(microseconds);
        return outcome;
    }

    private async Task<(StatementOutcome Outcome, long Microseconds)> RunOnWorkerAsync(QueryWorker worker, RunRequest request, Footprint footprint)
    {
        await using var spill = new ResultSpill(pool.Space, lease.Caller);
        var (outcome, microseconds) = await UseWorkerAsync(worker, request, footprint, spill);
        return (outcome.IsOk && !spill.IsEmpty ? await SendRestAsync(outcome, spill) : outcome, microseconds);
    }

    private async Task<(StatementOutcome Outcome, long Microseconds)> UseWorkerAsync(
        QueryWorker worker, RunRequest request, Footprint footprint, ResultSpill spill)
    {
        using var deadline = new CancellationTokenSource(_left, pool.Time);
        using var watch = worker.IsShort ? new ShortWatch(worker, deadline, pool.Time) : null;
        using var stopped = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, spill.Full, cancellation);
        var wasSmall = false;
        var progress = _progress = new BodyProgress(Leaving is { } leaving ? () => leaving(_tables) : null);
        try
        {
            var exchange = worker.RunAsync(request, output, progress, spill, footprint.Verify, pool.Time, stopped.Token);
            var (reply, _) = await Supervision.RunAsync(worker, exchange, pool.Time, stopped.Token);
            wasSmall = reply is { ProcessorMicroseconds: < SmallMicroseconds };
            var isWhole = reply is { Status: StatementStatus.Ok } && !spill.Full.IsCancellationRequested;
            if (isWhole) return (Done(reply!, progress.Bytes), reply!.ProcessorMicroseconds);
            cancellation.ThrowIfCancellationRequested();
            var ended = spill.Full.IsCancellationRequested ? Unread() : Failed(reply, worker, deadline.IsCancellationRequested);
            return (ended with { Bytes = progress.Bytes, BodyStarted = progress.Bytes > 0 }, long.MaxValue);
        }
        catch (PartDamagedException e)
        {
            return (Refused(StatementStatus.PartDamaged, e.Message) with { Bytes = progress.Bytes, BodyStarted = progress.Bytes > 0 }, long.MaxValue);
        }
        finally
        {
            pool.Return(worker, wasSmall);
        }
    }

    /// <summary>The worker serves others by now; the reader has as long again as the statement had.</summary>
    private async Task<StatementOutcome> SendRestAsync(StatementOutcome outcome, ResultSpill spill)
    {
        using var deadline = new CancellationTokenSource(limits.Time, pool.Time);
        using var stopped = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        try
        {
            if (await spill.SendAsync(output, _progress, stopped.Token))
                return outcome with { Bytes = _progress.Bytes, Elapsed = pool.Time.GetElapsedTime(_started) };
        }
        catch (OperationCanceledException) when (stopped.IsCancellationRequested)
        {
            cancellation.ThrowIfCancellationRequested();
        }
        var late = $"Query error: The result was not read within {limits.Time.TotalSeconds:0.###} s. Ask for less, or read it as it comes.";
        var why = deadline.IsCancellationRequested
            ? Refused(StatementStatus.TimedOut, late)
            : Refused(StatementStatus.ClientGone, GoneText);
        return why with { Bytes = _progress.Bytes, BodyStarted = true };
    }

    private StatementOutcome Done(WorkerReply reply, long bytes) =>
        new(StatementStatus.Ok, null, null, reply.Rows, bytes, reply.Truncated, false, _tables, [], pool.Time.GetElapsedTime(_started));

    private StatementOutcome Failed(WorkerReply? reply, QueryWorker worker, bool overTime)
    {
        if (overTime && reply?.Status is null or StatementStatus.TimedOut) return TimedOut();
        return reply?.Status switch
        {
            null => worker.WasOutOfMemory ? OutOfMemory() : TooComplex(),
            StatementStatus.OutOfMemory => OutOfMemory(),
            StatementStatus.TooLarge => Refused(StatementStatus.TooLarge, $"Query error: The result is larger than {limits.ResultBytes >> 20} MiB. Select fewer columns, aggregate, or lower the limit."),
            _ => Refused(reply.Status, $"Query error: {EngineMessages.Clean(reply.Message ?? "")}"),
        };
    }

    private StatementOutcome TimedOut() =>
        Refused(StatementStatus.TimedOut, $"Query error: The query ran longer than its limit of {limits.Time.TotalSeconds:0.###} s. Filter or aggregate more.");

    private StatementOutcome Unread() => Refused(
        StatementStatus.TooLarge,
        $"Query error: Results that you have not read yet take all the room there is for them ({pool.Space.PerCallerBytesMax >> 20} MiB). "
        + "Ask for less, or read them as they come.");

    private StatementOutcome OutOfMemory() =>
        Refused(StatementStatus.OutOfMemory, $"Query error: The query needs more memory than the {pool.Options.MemoryBytes >> 20} MiB that a query may use. Filter or aggregate more, or work in steps.");

    private StatementOutcome TooComplex() => Refused(StatementStatus.EngineError, "Query error: The query could not be worked out; it is nested too deeply or is too large. Split it into smaller queries.");

    private StatementOutcome WriteTables(Scope scope, int limit)
    {
        var (body, rows, truncated) = ShowTables.Write(scope, limit);
        output.Write(body);
        return new(StatementStatus.Ok, null, null, rows, body.Length, truncated, false, [], [], pool.Time.GetElapsedTime(_started));
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
