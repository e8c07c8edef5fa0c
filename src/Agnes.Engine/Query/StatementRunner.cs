using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Scans;
using Agnes.Engine.Query.Workers;
using Agnes.Protocol;
using Agnes.Sql;

namespace Agnes.Engine.Query;

/// <summary>Runs analysts' statements: parsed and executed in a query worker, checked here against the asker's scope.</summary>
public sealed class StatementRunner(WorkerPool pool) : IAsyncDisposable
{
    /// <summary>Of a predicate's text, in UTF-8.</summary>
    public const int PredicateBytesMax = 32 << 10;

    /// <summary>JSON levels of its tree; an expression takes two or three of them.</summary>
    private const int PredicateDepthMax = 600;

    private readonly ParseCache _parsed = new();
    private readonly CallerSlots _callers = new();

    /// <summary>What has a place now.</summary>
    public RunningStatements Running { get; } = new();

    /// <summary>
    /// Writes <c>{"columns":[…],"rows":[[…]],"row_count":n,"truncated":b}</c>. Nothing is written (let alone flushed) before the statement has succeeded
    /// or has made its first mebibyte, so that nearly every failure leaves the output untouched; see <see cref="StatementOutcome.BodyStarted"/>.
    /// The output is not completed, and its last bytes are not flushed.
    /// </summary>
    /// <param name="limit">Rows at most; one more is looked for, to tell <c>truncated</c>.</param>
    /// <param name="client">Fires when the client has gone: the statement is ended, with <see cref="StatementStatus.ClientGone"/>.</param>
    /// <param name="leaving">
    /// Awaited with the tables' names before rows leave ahead of the statement's end, at most once; where it throws, none leave and the call throws the same.
    /// An answer for which it is not called has not left when the call returns.
    /// </param>
    public Task<StatementOutcome> RunAsync(
        Lease lease, Scope scope, string sql, int limit, PipeWriter output, StatementLimits limits, CancellationToken client, Func<IReadOnlyList<string>, Task>? leaving = null) =>
        InSlotAsync(lease, sql, limits, output, client, run =>
        {
            run.Leaving = leaving;
            if (Encoding.UTF8.GetByteCount(sql) > StatementLimits.SqlBytesMax)
                return Task.FromResult(run.Refused(StatementStatus.TooLarge, $"A query's text may be {StatementLimits.SqlBytesMax >> 10} KiB long at most."));
            return sql.Contains('\0')
                ? Task.FromResult(run.Refused(StatementStatus.ParseError, "Query error: Parser Error: a query must not contain a NUL character."))
                : run.RunAsync(scope, sql, limit);
        }, refused => refused);

    /// <summary>
    /// Has BigQuery answer statements first, each for itself and as if it were asked alone, and runs another over their answers and the
    /// tables of the scope.
    /// </summary>
    /// <param name="limit">Of rows; see <see cref="RunAsync"/>.</param>
    /// <param name="most">What all answers of BigQuery may be together.</param>
    public Task<HybridOutcome> RunHybridAsync(
        Lease lease, Scope scope, HybridStatement statement, int limit, AnswersMost most, PipeWriter output, StatementLimits limits,
        CancellationToken client) =>
        InSlotAsync(
            lease, statement.Sql, limits, output, client, run => run.RunHybridAsync(scope, statement, limit, most),
            refused => new HybridOutcome(refused, null, HybridFault.Query));

    /// <summary>Writes the first rows of a table as an array of JSON objects, e.g. <c>[{"id":1},{"id":2}]</c>. Nested values are JSON there, not text.</summary>
    public Task<StatementOutcome> SampleAsync(Lease lease, ScopedTable table, int rows, PipeWriter output, StatementLimits limits, CancellationToken client) =>
        InSlotAsync(
            lease, $"sample of {table.Name}", limits, output, client,
            run => run.SampleAsync(SampleOf(table, rows), table, rows), refused => refused);

    /// <summary>
    /// Parses a statement and, where its tables have data, has the engine resolve its names and types over them without reading a row.
    /// </summary>
    /// <param name="prefix">A <c>WITH</c> clause that the statement will be run under, or nothing.</param>
    public async Task<StatementCheck> CheckAsync(Lease lease, Scope scope, string sql, string prefix, StatementLimits limits, CancellationToken client)
    {
        if (Encoding.UTF8.GetByteCount(sql) > StatementLimits.SqlBytesMax || sql.Contains('\0'))
            return new StatementCheck(StatementStatus.ParseError, $"The statement holds a NUL character or is longer than {StatementLimits.SqlBytesMax >> 10} KiB.", []) { IsSelect = false };
        return await InSlotAsync(lease, sql, limits, PipeWriter.Create(Stream.Null), client, run => run.CheckAsync(scope, sql, prefix),
            refused => new StatementCheck(refused.Status, refused.Message, []) { IsSelect = false });
    }

    /// <summary>Says where a statement would run, and what it would cost there, without running it.</summary>
    /// <param name="limit">Of rows, as in <see cref="RunAsync"/>.</param>
    public Task<StatementExplanation> ExplainAsync(Lease lease, Scope scope, string sql, int limit, StatementLimits limits, CancellationToken client) =>
        InSlotAsync(
            lease, sql, limits, PipeWriter.Create(Stream.Null), client,
            run => Encoding.UTF8.GetByteCount(sql) > StatementLimits.SqlBytesMax || sql.Contains('\0')
                ? Task.FromResult(new StatementExplanation(run.Refused(StatementStatus.TooLarge, TooLong), StatementPath.Local, []))
                : run.ExplainAsync(scope, sql, limit),
            refused => new StatementExplanation(refused, StatementPath.Local, []));

    /// <summary>
    /// Looks at a predicate over one table: an expression, and nothing that names another table or calls what is not on the list. The engine parses it, in a worker.
    /// </summary>
    /// <param name="alias">What the predicate may call the table.</param>
    public async Task<PredicateCheck> CheckPredicateAsync(
        Lease lease, ScopedTable table, string predicate, string alias, StatementLimits limits, CancellationToken client)
    {
        if (Encoding.UTF8.GetByteCount(predicate) > PredicateBytesMax || predicate.Contains('\0')) return new PredicateCheck(null, new PredicateFault(PredicateFault.Unparseable), null);
        if (table.Source is RowSource.Remote { Dialect: SqlDialect.BigQuery }) return CheckInBigQuery(lease, table, predicate, alias);
        var text = predicate.TrimEnd();
        if (text.EndsWith(';')) text = text[..^1].TrimEnd();
        if (text.EndsWith(';')) return new PredicateCheck(null, new PredicateFault(PredicateFault.SeveralStatements), null);
        // On lines of its own: a comment at its end hides nothing of ours.
        var whole = $"SELECT * FROM {SqlText.Identifier(table.Name)} AS {SqlText.Identifier(alias)} WHERE\n{text}\n";
        var question = $"""
            SELECT tree::VARCHAR AS tree, CASE WHEN tree->>'$.error' = 'false' THEN json_deserialize_sql(tree) END AS canonical, json_serialize_sql({SqlText.Literal(text)}::VARCHAR)->>'$.error_type' AS alone
            FROM (SELECT json_serialize_sql({SqlText.Literal(whole)}::VARCHAR) AS tree)
            """;
        lease.Reads([table]); // what is wrong with a predicate tells of the table
        using var answer = new MemoryStream();
        var output = PipeWriter.Create(answer, new StreamPipeWriterOptions(leaveOpen: true));
        var outcome = await InSlotAsync(lease, predicate, limits, output, client, run => run.RunTrustedAsync(question, [], 1), refused => refused);
        await output.CompleteAsync();
        if (!outcome.IsOk) return new PredicateCheck(outcome, null, null);
        try
        {
            using var rows = JsonDocument.Parse(answer.ToArray());
            var row = rows.RootElement[0];
            using var tree = JsonDocument.Parse(row.GetProperty("tree").GetString()!, new JsonDocumentOptions { MaxDepth = PredicateDepthMax });
            var fault = PredicateTree.Check(tree.RootElement, row.GetProperty("alone").GetString(), table.Columns, alias);
            if (fault is { Kind: PredicateFault.Unparseable } && SqlWords.HasSeveralStatements(text)) fault = new PredicateFault(PredicateFault.SeveralStatements);
            // The engine reads a WINDOW clause and keeps nothing of it in the tree.
            SqlWords.Of(text, "window", out var hasWindow);
            if (fault is null && hasWindow) fault = new PredicateFault(PredicateFault.Unparseable);
            return new PredicateCheck(null, fault, fault is null ? row.GetProperty("canonical").GetString() : null);
        }
        catch (JsonException)
        {
            return new PredicateCheck(null, new PredicateFault(PredicateFault.Disallowed), null); // the engine writes valid JSON, so it is the depth
        }
    }

    /// <summary>Writes a part of a table into a file. A result above <see cref="StatementLimits.ResultBytes"/> is cut to its first rows, as many as fit.</summary>
    /// <param name="file">Made, or replaced; the caller deletes it.</param>
    public Task<StatementOutcome> ScanAsync(Lease lease, ScanStatement scan, ScanForm form, string file, StatementLimits limits, CancellationToken client) =>
        InSlotAsync(lease, scan.ToSql(), limits, PipeWriter.Create(Stream.Null), client,
            run => run.RunToFileAsync(scan, form == ScanForm.Parquet ? RowsForm.Parquet : RowsForm.Arrow, file), refused => refused);

    /// <summary>What a scan would cost of a table that another system holds.</summary>
    /// <returns>Why it cannot be said, or what that system says.</returns>
    public Task<(StatementOutcome? Failure, RemoteEstimate? Found)> EstimateAsync(
        Lease lease, ScanStatement scan, StatementLimits limits, CancellationToken client) =>
        InSlotAsync<(StatementOutcome? Failure, RemoteEstimate? Found)>(
            lease, scan.ToSql(), limits, PipeWriter.Create(Stream.Null), client,
            run => run.EstimateAsync(scan.ToSql(), scan.Table, scan.Limit), refused => (refused, null));

    /// <summary>What another system says of a table that it holds.</summary>
    /// <returns>Why that cannot be said, or what that system says.</returns>
    public Task<(StatementOutcome? Failure, RemoteDescription? Found)> DescribeAsync(
        Lease lease, ScopedTable table, StatementLimits limits, CancellationToken client) =>
        InSlotAsync<(StatementOutcome? Failure, RemoteDescription? Found)>(
            lease, $"columns of {table.Name}", limits, PipeWriter.Create(Stream.Null), client, run => run.DescribeAsync(table), refused => (refused, null));

    /// <summary>
    /// Every row of a statement over a scope, into one Parquet file. A result larger than <see cref="StatementLimits.ResultBytes"/> is
    /// refused.
    /// </summary>
    /// <param name="file">Made, or replaced; the caller deletes it.</param>
    public Task<StatementOutcome> TakeAsync(
        Lease lease, Scope scope, string sql, string file, StatementLimits limits, CancellationToken client) =>
        InSlotAsync(lease, sql, limits, PipeWriter.Create(Stream.Null), client, run => run.TakeAsync(scope, sql, file), refused => refused);

    /// <summary>Every row of a query that one other system answers, into Parquet files: see <see cref="AnswerFiles"/>.</summary>
    /// <param name="folder">Not there yet.</param>
    /// <param name="limits">Of <see cref="StatementLimits.RemoteScanBytes"/>, 0 disables.</param>
    public Task<StatementOutcome> TakeFromSourceAsync(
        Lease lease, SourceQuery query, string folder, StatementLimits limits, CancellationToken client) =>
        InSlotAsync(
            lease, query.Sql, limits, PipeWriter.Create(Stream.Null), client, run => run.TakeAsync(query, folder), refused => refused);

    /// <summary>
    /// Whether the system would answer such a query; no row is asked for. <see cref="StatementOutcome.Tables"/> are what it names.
    /// </summary>
    public Task<StatementOutcome> CheckAtSourceAsync(Lease lease, SourceQuery query, StatementLimits limits, CancellationToken client) =>
        InSlotAsync(lease, query.Sql, limits, PipeWriter.Create(Stream.Null), client, run => run.CheckAsync(query), refused => refused);

    public ValueTask DisposeAsync() => pool.DisposeAsync();

    /// <summary>
    /// The one way to a worker: counted by the lease's caller, and ended with the lease, the client or by somebody's word, whichever is first.
    /// </summary>
    /// <param name="text">What is asked, for whoever looks at what runs.</param>
    /// <param name="refused">Puts a refusal into the answer's form.</param>
    private async Task<T> InSlotAsync<T>(
        Lease lease, string text, StatementLimits limits, PipeWriter output, CancellationToken client, Func<StatementRun, Task<T>> work,
        Func<StatementOutcome, T> refused)
    {
        using var entry = Running.Enter(lease.Caller, text, pool.Time.GetUtcNow());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(client, lease.Ended, entry.Killed);
        var run = new StatementRun(pool, _parsed, lease, limits, output, stop.Token) { Entry = entry };
        if (!_callers.TryEnter(lease.Caller, limits.PerCaller)) return refused(run.Refused(StatementStatus.Busy, Busy(limits.PerCaller)));
        try
        {
            return await work(run);
        }
        finally
        {
            _callers.Leave(lease.Caller);
        }
    }

    private static readonly string TooLong = $"A query's text holds no NUL character and is {StatementLimits.SqlBytesMax >> 10} KiB long at most.";

    private static string SampleOf(ScopedTable table, int rows) => table.Source is RowSource.Remote { Dialect: SqlDialect.BigQuery } remote
        ? RemoteSql.Sample(remote.Relation, rows)
        : $"SELECT * FROM {SqlText.Identifier(table.Name)} LIMIT {rows}";

    /// <summary>The engine does not read that dialect; a parser of ours does, here.</summary>
    private static PredicateCheck CheckInBigQuery(Lease lease, ScopedTable table, string predicate, string alias)
    {
        lease.Reads([table]);
        var (fault, sql) = Sql.BigQuery.Predicate.Check(predicate, table.Columns.Select(column => column.Name), [alias]);
        return new PredicateCheck(null, fault, sql);
    }

    private static string Busy(int perCaller) => $"You have {perCaller} queries running or waiting already. Wait for one of them to end.";
}
