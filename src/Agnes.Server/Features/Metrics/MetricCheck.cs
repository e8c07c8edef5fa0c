using Agnes.Engine.Parts;
using Agnes.Engine.Query;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metrics;

/// <summary>Has SQL that admins stored parsed and bound, over the tables as they are, by the engine in a query worker.</summary>
internal sealed class MetricCheck(StatementRunner runner, Scopes scopes)
{
    /// <summary>The row with the tables that the engine found it to read, which decide who may see it.</summary>
    /// <param name="faults">Why it cannot be stored: a statement that is not exactly one SELECT.</param>
    /// <param name="warnings">Why it could not be run at present, a missing table, an unknown column, a table without data: until that is mended, it is for admins.</param>
    public async Task<MetricRow> ReadAsync(Asker asker, MetricRow metric, List<string> faults, List<string> warnings, CancellationToken stop)
    {
        var reads = new SortedSet<string>(StringComparer.OrdinalIgnoreCase);
        var isBound = true;
        foreach (var (key, sql) in metric.Statements())
        {
            var found = await CheckAsync(asker, sql, "", stop);
            reads.UnionWith(found.Tables);
            isBound &= found.IsBound;
            if (!found.IsSelect) faults.Add($"{metric.Id}: {key} is not one SELECT: {found.Message}");
            else if (!found.IsBound) warnings.Add($"{metric.Id}: {key}: {found.Message}");
        }

        var expressions = metric.Expressions().ToList();
        // Together where the engine takes them together, which it mostly does.
        if (expressions.Count > 1 && await CheckExpressionsAsync(asker, [.. expressions.Select(expression => expression.Sql)], stop) is { IsAllowed: true } all)
        {
            reads.UnionWith(all.Tables);
            expressions.Clear();
        }
        foreach (var (key, sql) in expressions)
        {
            var found = await CheckExpressionsAsync(asker, [sql], stop);
            reads.UnionWith(found.Tables);
            if (found.IsAllowed || IsProse(found)) continue;
            isBound = false;
            warnings.Add($"{metric.Id}: {key}: '{MetricRules.Short(sql)}': {found.Message}");
        }
        return metric with { SqlTables = MetricJson.Write([.. reads]), Bound = isBound };
    }

    /// <param name="prefix">A <c>WITH</c> clause that the statement is run under.</param>
    /// <exception cref="ProblemException">The workers have no time for it now, or access was taken away meanwhile, so that nothing is
    /// known.</exception>
    public async Task<StatementCheck> CheckAsync(Asker asker, string sql, string prefix, CancellationToken stop)
    {
        var check = await CheckedAsync(asker, sql, prefix, stop);
        if (check.Status is StatementStatus.Revoked) throw new ProblemException(StatusCodes.Status403Forbidden, check.Message!);
        if (check.Status is StatementStatus.Busy or StatementStatus.ClientGone)
            throw new ProblemException(StatusCodes.Status429TooManyRequests, check.Message ?? "All query workers are busy. Try again in a moment.");
        return check;
    }

    /// <summary>
    /// Expressions of a definition are read by people, and run by nobody: that their columns fit is not asked for, only what they read. The engine takes them apart where they
    /// are SQL; where they are not, their words are what counts, as in any other text.
    /// </summary>
    private Task<StatementCheck> CheckExpressionsAsync(Asker asker, IReadOnlyList<string> expressions, CancellationToken stop) =>
        CheckAsync(asker, $"SELECT {string.Join(", ", expressions.Select(expression => $"(\n{expression}\n)"))}", "", stop);

    private static bool IsProse(StatementCheck found) => found is { IsSelect: false, Status: StatementStatus.ParseError };

    private async Task<StatementCheck> CheckedAsync(Asker asker, string sql, string prefix, CancellationToken stop)
    {
        var scope = asker.Caller is { } caller ? scopes.Of(asker.Snapshot, caller) : scopes.OfEverything(asker.Snapshot);
        try
        {
            return await runner.CheckAsync(asker.Lease, scope, Bare(sql), prefix, StatementLimits.Default, stop);
        }
        catch (PartDamagedException damaged)
        {
            return new StatementCheck(StatementStatus.PartDamaged, damaged.Message, []) { IsSelect = true };
        }
    }

    /// <summary>Without the semicolon that people end a statement with.</summary>
    public static string Bare(string sql) => sql.AsSpan().TrimEnd().TrimEnd(';').ToString();
}

/// <summary>Whose tables a definition is tried on, and on whose behalf.</summary>
/// <param name="Caller">Null: the server's own, which are all.</param>
internal sealed record Asker(Snapshot Snapshot, Caller? Caller, Lease Lease)
{
    public static Asker Of(HttpContext context) => new(context.Snapshot(), context.Caller(), context.Lease());

    public static Asker Server(Snapshot snapshot, CancellationToken stop) => new(snapshot, null, Lease.OfSystem("definitions", stop));
}
