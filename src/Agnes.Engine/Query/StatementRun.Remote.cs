using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Workers;
using Agnes.Protocol;

namespace Agnes.Engine.Query;

/// <summary>What a statement needs of another system.</summary>
internal sealed partial class StatementRun
{
    /// <summary>What the rows are called that another system answered with.</summary>
    private const string AnswerName = "answer";

    private readonly List<RemoteCharge> _asked = [];

    private const string AnswerStatement = $"SELECT * FROM {AnswerName}";

    private string? _firstRowsOf;

    /// <summary>What another system would have to read for a statement of our own making over one of its tables.</summary>
    public Task<(StatementOutcome? Failure, RemoteEstimate? Found)> EstimateAsync(string sql, ScopedTable table, int limit)
    {
        var plan = (StatementPlan.PushDown)StatementPlan.Of([table]);
        return FindAsync(plan, async stop => await plan.System.EstimateAsync(QuestionOf(plan, await InDialectAsync(plan, sql), limit), stop));
    }

    /// <summary>What another system says of a table that it holds.</summary>
    public Task<(StatementOutcome? Failure, RemoteDescription? Found)> DescribeAsync(ScopedTable table)
    {
        var source = (RowSource.Remote)table.Source;
        return FindAsync(StatementPlan.Of([table]), stop => source.System.DescribeAsync(source.Relation, stop));
    }

    /// <summary>The first rows of a table; another system may hand them out without running the statement.</summary>
    public Task<StatementOutcome> SampleAsync(string sql, ScopedTable table, int rows)
    {
        _firstRowsOf = (table.Source as RowSource.Remote)?.Relation;
        return RunTrustedAsync(sql, [table], rows);
    }

    private async Task<(StatementOutcome? Failure, T? Found)> FindAsync<T>(StatementPlan plan, Func<CancellationToken, Task<T>> ask)
        where T : class
    {
        T? found = null;
        var outcome = await EndedAsync(() => AtSystemAsync(plan, async stop =>
        {
            found = await ask(stop);
            return Refused(StatementStatus.Ok, "");
        }));
        return outcome.IsOk ? (null, found) : (outcome, null);
    }

    /// <summary>Resolves names and types here, over tables of which no row is asked for: a check costs the other system nothing.</summary>
    private async Task<StatementOutcome> BindAsync(StatementPlan plan, KnownStatement statement, string sql)
    {
        using var rows = new RemoteRows(pool.Fetched, limits, _asked);
        return await AtSystemAsync(plan, async stop =>
        {
            var footprint = await LocalAsync(plan.Tables, (table, remote) => rows.FetchEmptyAsync(table, remote, stop));
            var request = new RunRequest(0, RowsForm.Table, statement.Parsed.Rewritten ?? sql, 1, limits.ResultBytes, "", []);
            return await RunOnPoolAsync(null, statement, footprint, request);
        });
    }

    /// <summary>Asks another system, for as long as the statement has, and puts its failures into words.</summary>
    private async Task<StatementOutcome> AtSystemAsync(StatementPlan plan, Func<CancellationToken, Task<StatementOutcome>> ask)
    {
        Reads(plan);
        using var deadline = new CancellationTokenSource(_left, pool.Time);
        using var stopped = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        try
        {
            return await ask(stopped.Token);
        }
        catch (RemoteException e)
        {
            var status = e.Quota is not null ? StatementStatus.OverQuota
                : e.Scan is not null ? StatementStatus.RemoteTooLarge
                : e.Fault == RemoteFault.Question ? StatementStatus.EngineError : StatementStatus.RemoteFailed;
            var message = e.Failure is null ? $"Query error: {e.Message}" : e.Message;
            return Refused(status, message) with { Scan = e.Scan, Quota = e.Quota, Failure = e.Failure, IsPassing = e.IsPassing };
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return TimedOut();
        }
    }

    /// <summary>One row more than wanted tells that there are more.</summary>
    private async Task<Footprint> AnswerOfAsync(StatementPlan.PushDown plan, RemoteRows rows, string sql, int limit, CancellationToken stop)
    {
        var files = await rows.AskAsync(plan.System, QuestionOf(plan, sql, limit), stop);
        return Footprint.ForOneStatement([new ScopedTable(AnswerName, AnswerName, 0, "", [], new RowSource.Parts(files))]);
    }

    private RemoteQuestion QuestionOf(StatementPlan.PushDown plan, string sql, int limit)
    {
        var tables = plan.Tables.Select(table => new RemoteTable(table.Name, ((RowSource.Remote)table.Source).Relation));
        return RemoteSql.Question(plan.Dialect, sql, [.. tables], limit + 1L, limits.ResultBytes) with { FirstRowsOf = _firstRowsOf };
    }

    /// <summary>What is in a system's own dialect was written by us already.</summary>
    private async Task<string> InDialectAsync(StatementPlan.PushDown plan, string sql) =>
        plan.Dialect == SqlDialect.Engine ? await CanonicalAsync(sql) : sql;

    /// <summary>
    /// The statement as the engine writes it. Another system may see something else in what an asker wrote: an escape in a text, the end of
    /// a comment. The engine writes some names without their quotes, so that its own text can be another statement: that is not sent.
    /// </summary>
    /// <exception cref="RemoteException">It cannot be written so.</exception>
    private async Task<string> CanonicalAsync(string sql)
    {
        var (worker, parsed, failure) = await ParseOnPoolAsync(sql, rewrites: true);
        if (worker is not null) pool.Return(worker);
        return parsed?.Rewritten ?? throw new RemoteException(RemoteFault.Question, failure?.Message
            ?? "The statement cannot be written for the source as it is meant. Write it in another way, or give its columns and tables "
            + "plain names (AS).");
    }
}
