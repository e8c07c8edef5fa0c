using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using Agnes.Sql;

namespace Agnes.Engine.Query;

/// <summary>What a statement would do.</summary>
internal sealed partial class StatementRun
{
    /// <summary>Checks a statement as if it were run, and asks the systems that would be asked what it would cost.</summary>
    public async Task<StatementExplanation> ExplainAsync(Scope scope, string sql, int limit)
    {
        var (parsed, refusal) = await ParsedAsync(sql);
        if (parsed is null) return new StatementExplanation(refusal, StatementPath.Local, []);
        if (InBigQuery(parsed, scope, sql) is { } theirs) return await ExplainInBigQueryAsync(theirs, limit);
        var verdict = Guard.Check(parsed, scope);
        if (verdict.Plan is not { } plan)
            return new StatementExplanation(Refused(verdict.Status, verdict.Message!, verdict.Name, verdict.Nearest), StatementPath.Local, []);
        return plan switch
        {
            StatementPlan.PushDown one => new(null, StatementPath.PushDown, [await AskedAsync(one.System, one.Tables, PushedAsync(one, parsed, sql, limit))]),
            StatementPlan.Mixed mixed => new(null, StatementPath.Mixed, await MixedAsync(mixed, parsed.Rewritten ?? sql)),
            _ => new(null, StatementPath.Local, [new ExplainedStep(null, plan.Tables, null, null, null)]),
        };
    }

    private async Task<StatementExplanation> ExplainInBigQueryAsync(BigQueryReading reading, int limit)
    {
        if (reading.Refusal is { } refusal)
        {
            var verdict = GuardVerdict.Refuse(refusal);
            var refused = Refused(verdict.Status, verdict.Message!, verdict.Name, verdict.Nearest) with { Path = reading.Path };
            return new StatementExplanation(refused, StatementPath.PushDown, []);
        }

        var plan = (StatementPlan.PushDown)reading.Plan!;
        var step = await AskedAsync(plan.System, plan.Tables, stop => plan.System.EstimateAsync(QuestionOf(plan, reading.Sql!, limit), stop));
        return new StatementExplanation(null, StatementPath.PushDown, [step]);
    }

    private Func<CancellationToken, Task<RemoteEstimate>> PushedAsync(StatementPlan.PushDown plan, ParsedStatement parsed, string sql, int limit) =>
        async stop => await plan.System.EstimateAsync(QuestionOf(plan, await InDialectAsync(plan, parsed.Rewritten ?? sql), limit), stop);

    private async Task<IReadOnlyList<ExplainedStep>> MixedAsync(StatementPlan.Mixed plan, string sql)
    {
        var needs = await NeedsAsync(plan.Tables, sql, cancellation);
        var steps = new List<ExplainedStep>(plan.Tables.Count);
        foreach (var table in plan.Tables)
        {
            if (table.Source is not RowSource.Remote remote) continue;
            var need = needs.GetValueOrDefault(table.Name, TableNeed.Whole);
            var question = RemoteRows.PartOf(table, remote, need, limits);
            var step = await AskedAsync(remote.System, [table], stop => remote.System.EstimateAsync(question, stop));
            steps.Add(step with { Columns = need.Columns?.Select(column => column.Name).ToList(), Where = need.Where });
        }

        steps.Add(new ExplainedStep(null, [.. plan.Tables.Where(table => table.Source is not RowSource.Remote)], null, null, null));
        return steps;
    }

    private async Task<ExplainedStep> AskedAsync(
        IRemoteTables system, IReadOnlyList<ScopedTable> tables, Func<CancellationToken, Task<RemoteEstimate>> ask)
    {
        var (failure, found) = await FindAsync(StatementPlan.Of([.. tables]), ask);
        var fault = failure?.Message ?? RemoteRows.TooMuch(system, found!, limits);
        return new ExplainedStep(system.Connection, tables, found, found?.ScanBytesMax ?? limits.RemoteScanBytes, fault);
    }
}
