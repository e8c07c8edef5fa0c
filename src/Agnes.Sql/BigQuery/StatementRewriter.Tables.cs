namespace Agnes.Sql.BigQuery;

/// <summary>What stands behind FROM.</summary>
public sealed partial class StatementRewriter
{
    /// <param name="outer">Names that a query in brackets sees: those around the statement, not those beside it.</param>
    private TableExpression Map(TableExpression table, RowNames? outer)
    {
        switch (table)
        {
            case TableName name: return Map(name);
            case Unnest unnest:
                var mapped = unnest with { Array = Map(unnest.Array) };
                AddRows(unnest.Alias);
                AddRows(unnest.OffsetAlias);
                return mapped;
            case DerivedTable derived:
                var beside = _rows;
                _rows = outer;
                var query = Map(derived.Query);
                _rows = beside;
                AddRows(derived.Alias);
                return derived with { Query = query };
            case Join join:
                var left = Map(join.Left, outer);
                var right = Map(join.Right, outer);
                return join with { Left = left, Right = right, On = MapOptional(join.On) };
            default: throw new InvalidOperationException($"{table.GetType().Name} is not known.");
        }
    }

    private TableExpression Map(TableName name)
    {
        var implied = name.Alias ?? name.Parts[^1];
        if (name.Parts.Count > 1 && IsRow(name.Parts[0])) return Array(name, implied);
        if (name.OffsetAlias is not null)
            throw Broken($"WITH OFFSET stands behind an array, which '{Shown(name)}' is not");
        AddRows(implied);
        if (name.Parts.Count == 1 && Defined(name.Parts[0]) is { } defined)
        {
            if (name.SystemTime is not null) throw Broken("FOR SYSTEM_TIME stands behind a table, not a query of WITH");
            var alias = name.Alias ?? (defined == implied ? null : implied);
            return name with { Parts = [defined], Alias = alias, SamplePercent = MapOptional(name.SamplePercent) };
        }

        var reference = TablePaths.Classify(name);
        var table = _resolve(reference) switch
        {
            Resolution.Table found => found,
            Resolution.Refused refused => throw new RefusedStatement(refused.Why, reference),
            var other => throw new InvalidOperationException($"{other.GetType().Name} is not known."),
        };
        if (!TablePaths.IsName(table.Project, isProject: true) || !TablePaths.IsName(table.Dataset, isProject: false)
            || !TablePaths.IsName(table.Name, isProject: false))
            throw new RefusedStatement(new Refusal(RefusalKind.TableUnknown,
                $"'{StatementGuard.Shorten(reference.Path)}' stands for a table that cannot be named here.", reference.Path), reference);
        _tables.Add(new ResolvedReference(reference, table));
        var full = new NodeList<string>([table.Project, table.Dataset, table.Name]);
        return name with { Parts = full, Alias = implied, SamplePercent = MapOptional(name.SamplePercent) };
    }

    /// <summary>A column of a row at hand, whose first part BigQuery takes for that row before it looks for a data set.</summary>
    private Unnest Array(TableName name, string alias)
    {
        if (name.SystemTime is not null || name.SamplePercent is not null)
            throw Broken($"Neither SYSTEM_TIME nor TABLESAMPLE stands behind an array, which '{Shown(name)}' is");
        AddRows(alias);
        AddRows(name.OffsetAlias);
        return new Unnest(new NamePath(name.Parts), alias, name.OffsetAlias);
    }

    private void AddRows(string? name)
    {
        if (!string.IsNullOrEmpty(name)) _rows = new RowNames(name, _rows);
    }

    private bool IsRow(string name)
    {
        for (var rows = _rows; rows is not null; rows = rows.Before)
            if (EngineNames.Same(rows.Name, name)) return true;
        return false;
    }

    /// <returns>The nearest of that name as it was defined, or null. Only A to Z compare without case: é and É are not taken for one
    /// here, whatever BigQuery does.</returns>
    private string? Defined(string name)
    {
        for (var common = _common; common is not null; common = common.Before)
            if (EngineNames.Same(common.Name, name)) return common.Name;
        return null;
    }

    private static string Shown(TableName name) => StatementGuard.Shorten(string.Join('.', name.Parts));

    private static RefusedStatement Broken(string message) => new(new Refusal(RefusalKind.Broken, message));
}
