using Agnes.Sql;

namespace Agnes.Engine.Query;

/// <summary>Statements that BigQuery answers, in its own dialect.</summary>
internal sealed partial class StatementRun
{
    /// <summary>The one kind of quotes that the engine has not.</summary>
    private const char Backtick = '`';

    /// <summary>
    /// What a statement is in BigQuery's dialect, or null where it is the engine's: one that names tables of BigQuery's alone, or that the
    /// engine cannot read, or not follow, and BigQuery's parser can.
    /// </summary>
    private static BigQueryReading? InBigQuery(ParsedStatement parsed, Scope scope, string sql)
    {
        if (parsed.Shape is StatementShape.Broken or StatementShape.Unknown or StatementShape.Unseen)
        {
            if (scope.Paths is null) return null;
            var reading = BigQueryStatements.Read(sql, scope);
            var isUnderstood = reading.Refusal is { Kind: RefusalKind.TableDenied or RefusalKind.TableUnknown or RefusalKind.FunctionDenied };
            return reading.NamesTheirs || isUnderstood || sql.Contains(Backtick, StringComparison.Ordinal) ? reading : null;
        }

        return BigQueryStatements.IsTheirs(parsed, scope) ? BigQueryStatements.Read(sql, scope) : null;
    }

    /// <summary>BigQuery itself resolves names and types, in a dry run that costs nothing.</summary>
    private async Task<StatementCheck> CheckInBigQueryAsync(Scope scope, string sql, string prefix)
    {
        var alone = BigQueryStatements.Read(sql, scope);
        if (alone.Refusal is { } refusal)
        {
            var isSelect = refusal.Kind is not (RefusalKind.NotASelect or RefusalKind.Broken);
            return Checked(RefusedBy(GuardVerdict.Refuse(refusal)), [], isSelect);
        }

        var whole = BigQueryStatements.Read($"{prefix}SELECT * FROM (\n{sql}\n)", scope);
        if (whole.Refusal is { } second) return Checked(RefusedBy(GuardVerdict.Refuse(second)), [], isSelect: true);
        var plan = (StatementPlan.PushDown)whole.Plan!;
        var (failure, _) = await FindAsync(plan, stop => plan.System.EstimateAsync(QuestionOf(plan, whole.Sql!, 1), stop));
        List<string> names = [.. plan.Tables.Select(table => table.Name)];
        return Checked(failure ?? Refused(StatementStatus.Ok, ""), names, isSelect: true) with { IsAllowed = true };
    }

    private async Task<StatementOutcome> RunInBigQueryAsync(BigQueryReading reading, int limit)
    {
        if (reading.Refusal is { } refusal)
        {
            var verdict = GuardVerdict.Refuse(refusal);
            return Refused(verdict.Status, verdict.Message!, verdict.Name, verdict.Nearest) with { Path = reading.Path };
        }

        var statement = new KnownStatement(ParsedStatement.Of(StatementShape.Select), int.MaxValue);
        return await RunPlannedAsync(null, statement, reading.Plan!, reading.Sql!, limit);
    }
}
