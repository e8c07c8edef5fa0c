using Agnes.Engine.Query;
using Agnes.Protocol;

namespace Agnes.Server.Features.Metrics;

/// <summary>
/// What one metric reads, as the engine binds it: its statements as they are, its expressions in a statement over its tables. Nothing here reads SQL; what the engine cannot
/// bind reads nobody knows what.
/// </summary>
internal sealed class MetricBinding(MetricCheck check, Asker asker, MetricRow metric, List<string> faults, List<string> warnings)
{
    /// <summary>More are not joined to try an expression on.</summary>
    private const int JoinedTablesMax = 20;

    private readonly SortedSet<string> _reads = new(StringComparer.OrdinalIgnoreCase);
    private bool _isBound = true;

    public async Task<MetricRow> RunAsync(CancellationToken stop)
    {
        var (isSqlBound, isSelect) = (false, true);
        foreach (var (key, sql) in metric.Statements())
        {
            var found = await check.CheckAsync(asker, sql, "", stop);
            _reads.UnionWith(found.Tables);
            if (found.IsBound)
            {
                isSqlBound |= key == "sql";
                continue;
            }
            _isBound = false;
            isSelect &= found.IsSelect;
            if (found.IsSelect) warnings.Add($"{metric.Id}: {key}: {found.Message}");
            else faults.Add($"{metric.Id}: {key} is not one SELECT: {found.Message}");
        }
        if (isSelect) await BindExpressionsAsync([.. Sources(isSqlBound)], stop);
        return metric with { SqlTables = MetricJson.Write([.. _reads]), Bound = _isBound };
    }

    /// <summary>What its expressions may be about: its table, all of its tables, or what its statement gives.</summary>
    private IEnumerable<string> Sources(bool isSqlBound)
    {
        if (metric.TableName is { } main) yield return $"FROM {SqlText.Identifier(main)}";
        var all = (metric with { SqlTables = MetricJson.Write([.. _reads]) }).DeclaredTables().ToList();
        if (all.Count is > 0 and <= JoinedTablesMax && !(all.Count == 1 && metric.TableName is not null)) yield return $"FROM {string.Join(", ", all.Select(SqlText.Identifier))}";
        if (isSqlBound) yield return $"FROM (\n{MetricCheck.Bare(metric.Sql)}\n)";
    }

    private async Task BindExpressionsAsync(IReadOnlyList<string> sources, CancellationToken stop)
    {
        var open = metric.Expressions().ToList();
        var first = new Dictionary<(string, string), string?>();
        foreach (var source in sources)
        {
            if (open.Count == 0) break;
            // Together if the engine takes them together, which it mostly does; else each by itself, so that one does not hold up the others.
            if (await BindsAsync(open.Select(expression => expression.Sql), source, stop) is null) open.Clear();
            for (var at = 0; at < open.Count;)
            {
                var (key, sql) = open[at];
                var fault = await BindsAsync([sql], source, stop);
                if (fault is not null && key is "dimensions" or "time_column") fault = await BindsAsync([SqlText.Identifier(sql)], source, stop) is null ? null : fault;
                first.TryAdd(open[at], fault);
                if (fault is null) open.RemoveAt(at);
                else at++;
            }
        }
        if (open.Count == 0) return;
        _isBound = false;
        foreach (var (key, sql) in open) warnings.Add($"{metric.Id}: {key}: '{MetricRules.Short(sql)}' is no expression over its tables: {first.GetValueOrDefault((key, sql)) ?? "it has none that can be read"}");
    }

    /// <returns>Why not, or null.</returns>
    private async Task<string?> BindsAsync(IEnumerable<string> expressions, string source, CancellationToken stop)
    {
        var found = await check.CheckAsync(asker, $"SELECT {string.Join(", ", expressions.Select(expression => $"(\n{expression}\n)"))}\n{source}", "", stop);
        if (!found.IsBound) return found.Message ?? "";
        _reads.UnionWith(found.Tables);
        return null;
    }
}
