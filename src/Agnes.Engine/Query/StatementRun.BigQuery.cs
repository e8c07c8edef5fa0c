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
            return reading.NamesTheirs || sql.Contains(Backtick, StringComparison.Ordinal) ? reading : null;
        }

        return BigQueryStatements.IsTheirs(parsed, scope) ? BigQueryStatements.Read(sql, scope) : null;
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
