using Agnes.Engine.Query.Remote;
using Agnes.Protocol;

namespace Agnes.Engine.Query;

/// <summary>Statements over what BigQuery answered to others, beside the tables of a scope.</summary>
internal sealed partial class StatementRun
{
    public async Task<HybridOutcome> RunHybridAsync(Scope scope, HybridStatement statement, int limit, AnswersMost most)
    {
        using var rows = new RemoteRows(pool.Fetched, limits, _asked);
        var tables = new Dictionary<string, ScopedTable>(StringComparer.OrdinalIgnoreCase);
        var left = most.Bytes;
        foreach (var (alias, sql) in statement.Asked)
        {
            var (table, failure) = await AnswerAsync(scope, alias, sql, rows, most with { Bytes = left });
            if (table is null) return failure!;
            tables.Add(alias, table);
            left -= table.Paths.Sum(path => new FileInfo(path).Length);
        }

        return new HybridOutcome(await RunAsync(scope.With(tables), statement.Sql, limit), null, HybridFault.Query);
    }

    private async Task<(ScopedTable? Table, HybridOutcome? Failure)> AnswerAsync(
        Scope scope, string alias, string sql, RemoteRows rows, AnswersMost most)
    {
        var reading = BigQueryStatements.Read(sql, scope);
        if (reading.Refusal is { } refusal)
            return Failed(RefusedBy(GuardVerdict.Refuse(refusal)) with { Path = reading.Path }, HybridFault.Query);
        var plan = (StatementPlan.PushDown)reading.Plan!;
        var question = QuestionOf(plan, reading.Sql!, 0) with { RowsMax = most.Rows + 1, BytesMax = Math.Max(0, most.Bytes) };
        IReadOnlyList<string> files = [];
        var isTooLarge = false;
        var started = pool.Time.GetTimestamp();
        var outcome = await EndedAsync(() => AtSystemAsync(plan, async stop =>
        {
            try
            {
                files = await rows.AskAsync(plan.System, question, stop);
            }
            catch (RemoteException e) when (e.IsTooLarge)
            {
                isTooLarge = true;
                throw;
            }

            return Refused(StatementStatus.Ok, "");
        }));
        _left = Max(_left - pool.Time.GetElapsedTime(started), LeftMin);
        if (!outcome.IsOk) return Failed(outcome, isTooLarge ? HybridFault.Memory : FaultOf(outcome));
        var table = new ScopedTable(alias, alias, 0, "", [], new RowSource.Parts(files) { AreForOneStatement = true });
        var (counted, failure) = await TrustedAsync(run => run.RunTrustedAsync(
            $"SELECT count(*) AS n FROM {SqlText.Identifier(alias)}", [table], 1));
        if (counted is null) return Failed(failure!, HybridFault.Query);
        using (counted)
        {
            if (counted.RootElement[0].GetProperty("n").GetInt64() <= most.Rows) return (table, null);
            var tooMany = $"The answer has more than {most.Rows} rows. Filter more, or aggregate.";
            return Failed(Refused(StatementStatus.TooLarge, tooMany), HybridFault.Rows);
        }

        (ScopedTable?, HybridOutcome?) Failed(StatementOutcome why, HybridFault fault) =>
            (null, new HybridOutcome(why with { Asked = _asked }, alias, fault));
    }

    /// <summary>What the asker can mend in the text is the text's fault; a bound on what is read is the system's.</summary>
    private static HybridFault FaultOf(StatementOutcome outcome) =>
        outcome is { Status: StatementStatus.EngineError, Failure.Kind: "bq_bad_request" } ? HybridFault.Query : HybridFault.System;
}
