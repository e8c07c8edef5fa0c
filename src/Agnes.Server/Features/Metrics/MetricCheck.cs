using Agnes.Engine.Query;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Metrics;

/// <summary>Has the statements of a definition parsed, and resolved over the tables as they are, by a query worker.</summary>
internal sealed class MetricCheck(StatementRunner runner, Scopes scopes)
{
    /// <summary>The row with the tables that its statements name, which decide who may see it.</summary>
    /// <param name="faults">Why it cannot be stored: a statement that is not exactly one SELECT.</param>
    /// <param name="warnings">Why it could not be run at present: a missing table, an unknown column, a table without data.</param>
    public async Task<MetricRow> ReadAsync(Asker asker, MetricRow metric, List<string> faults, List<string> warnings, CancellationToken stop)
    {
        var names = new SortedSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, sql) in metric.Statements())
        {
            var check = await CheckAsync(asker, sql, "", stop);
            names.UnionWith(check.Tables);
            if (!check.IsSelect) faults.Add($"{metric.Id}: {key} is not one SELECT: {check.Message}");
            else if (!check.IsBound) warnings.Add($"{metric.Id}: {key}: {check.Message}");
        }
        return metric with { SqlTables = MetricJson.Write([.. names]) };
    }

    /// <param name="prefix">A <c>WITH</c> clause that the statement is run under.</param>
    /// <exception cref="ProblemException">The workers have no time for it now, or access was taken away meanwhile, so that nothing is
    /// known.</exception>
    public async Task<StatementCheck> CheckAsync(Asker asker, string sql, string prefix, CancellationToken stop)
    {
        var check = await runner.CheckAsync(asker.Lease, scopes.Of(asker.Snapshot, asker.Caller), Bare(sql), prefix, StatementLimits.Default, stop);
        if (check.Status is StatementStatus.Revoked) throw new ProblemException(StatusCodes.Status403Forbidden, check.Message!);
        if (check.Status is StatementStatus.Busy or StatementStatus.ClientGone)
            throw new ProblemException(StatusCodes.Status429TooManyRequests, check.Message ?? "All query workers are busy. Try again in a moment.");
        return check;
    }

    /// <summary>Without the semicolon that people end a statement with.</summary>
    public static string Bare(string sql) => sql.AsSpan().TrimEnd().TrimEnd(';').ToString();
}

/// <summary>Whose tables a definition is tried on, and on whose behalf.</summary>
internal sealed record Asker(Platform.State.Snapshot Snapshot, Caller Caller, Lease Lease)
{
    public static Asker Of(HttpContext context) => new(context.Snapshot(), context.Caller(), context.Lease());
}
