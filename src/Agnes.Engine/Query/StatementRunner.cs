using System.IO.Pipelines;
using Agnes.Engine.Query.Workers;

namespace Agnes.Engine.Query;

/// <summary>Runs analysts' statements: parsed and executed in a query worker, checked here against the asker's scope.</summary>
public sealed class StatementRunner : IAsyncDisposable
{
    private readonly WorkerPool _pool;

    public StatementRunner(WorkerPool pool) => _pool = pool;

    /// <summary>
    /// Writes <c>{"columns":[…],"rows":[[…]],"row_count":n,"truncated":b}</c>. Nothing is written (let alone flushed) before the statement has succeeded
    /// or has made its first mebibyte, so that nearly every failure leaves the output untouched; see <see cref="StatementOutcome.BodyStarted"/>.
    /// </summary>
    /// <param name="limit">Rows at most; one more is looked for, to tell <c>truncated</c>.</param>
    /// <exception cref="OperationCanceledException">The client has gone; the statement has been ended.</exception>
    public Task<StatementOutcome> RunAsync(Scope scope, string sql, int limit, PipeWriter output, StatementLimits limits, CancellationToken cancellation) =>
        Task.FromResult(new StatementOutcome(StatementStatus.Busy, "The query workers are not there yet.", null, 0, 0, false, false, [], [], TimeSpan.Zero));

    /// <summary>Writes the first rows of a table as an array of JSON objects, e.g. <c>[{"id":1},{"id":2}]</c>.</summary>
    public Task<StatementOutcome> SampleAsync(ScopedTable table, int rows, PipeWriter output, StatementLimits limits, CancellationToken cancellation) =>
        Task.FromResult(new StatementOutcome(StatementStatus.Busy, "The query workers are not there yet.", null, 0, 0, false, false, [], [], TimeSpan.Zero));

    public ValueTask DisposeAsync() => _pool.DisposeAsync();
}
