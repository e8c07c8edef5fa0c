using Agnes.Sql;
using Agnes.Sql.BigQuery;

namespace Agnes.Engine.Query;

/// <summary>What came of a statement that was read in BigQuery's dialect.</summary>
/// <param name="Sql">Written anew, to be run by <paramref name="Plan"/>; null where it is refused.</param>
/// <param name="NamesTheirs">It names a table of BigQuery's, or a path of its.</param>
internal sealed record BigQueryReading(
    string? Sql, StatementPlan? Plan, Refusal? Refusal, RefusedPath? Path, bool NamesTheirs);

/// <summary>Statements about tables that BigQuery has: which those are, and what they are written as for it.</summary>
internal static class BigQueryStatements
{
    /// <summary>The catalog that a table of BigQuery's is in by the contract: <c>bq.dataset.table</c>.</summary>
    private const string Catalog = "bq";

    /// <summary>
    /// Whether a statement that the engine could read is BigQuery's all the same: it names tables of it, and none of those that it names
    /// is known to be anywhere else.
    /// </summary>
    public static bool IsTheirs(ParsedStatement statement, Scope scope)
    {
        if (scope.Paths is null || statement.Shape == StatementShape.ShowTables) return false;
        var any = false;
        foreach (var named in statement.Tables)
        {
            if (EngineNames.Same(named.Catalog, Catalog))
            {
                any = true;
                continue;
            }

            if ((named.IsOurs ? scope.Find(named.Name) : AtPath(named, scope)) is not { } table) continue;
            if (!IsTheirs(table)) return false;
            any = true;
        }

        return any;
    }

    /// <summary>What stands in no schema of the engine's may be a path of BigQuery's.</summary>
    private static ScopedTable? AtPath(NamedTable named, Scope scope)
    {
        var form = named.Catalog.Length > 0 ? ReferenceForm.Project : ReferenceForm.Dataset;
        return scope.Paths!(new TableReference(form, named.Catalog.Length > 0 ? named.Catalog : null, named.Schema, named.Name, 0)).Table;
    }

    /// <summary>Reads a statement and resolves all that it names in the asker's scope.</summary>
    public static BigQueryReading Read(string sql, Scope scope)
    {
        var tables = new List<ScopedTable>();
        var names = new Dictionary<TableReference, RefusedPath>();
        var namesTheirs = false;
        var read = StatementRewriter.Rewrite(sql, reference =>
        {
            if (reference.Form != ReferenceForm.Bare)
            {
                namesTheirs = true;
                var path = scope.Paths!(reference);
                if (path.Table is { } at) return Found(at);
                var refused = new RefusedPath(reference.Path, scope.NothingHidden, path.ExpectedProject);
                names[reference] = refused;
                return new Resolution.Refused(
                    new Refusal(RefusalKind.TableDenied, $"Access denied to table '{refused.Path}'", refused.Path));
            }

            // The same steps for a hidden and for a never-existing name.
            if (scope.Find(reference.Table) is not { } table || !EngineNames.Same(table.Name, reference.Table))
                return Missing(reference, scope);
            if (IsTheirs(table)) return Found(table);
            return new Resolution.Refused(new Refusal(
                RefusalKind.Broken,
                $"Query error: '{StatementGuard.Shorten(table.Name)}' is not in BigQuery. A statement in BigQuery's dialect names its "
                + "tables only; one in DuckDB's joins both.", table.Name));
        });
        if (read.Refusal is { } why)
            return new BigQueryReading(null, null, why, read.Reference is { } of ? names.GetValueOrDefault(of) : null, namesTheirs);
        var systems = tables.Select(table => ((RowSource.Remote)table.Source).System.Connection).Distinct(StringComparer.Ordinal).Count();
        return systems switch
        {
            0 => new BigQueryReading(null, null, new Refusal(RefusalKind.Broken, "The statement names no table."), null, namesTheirs),
            1 => new BigQueryReading(read.Sql, StatementPlan.Of(tables), null, null, namesTheirs),
            _ => new BigQueryReading(null, null, new Refusal(
                RefusalKind.Broken, "Query error: the statement names tables of several connections. Ask for each alone."),
                null, namesTheirs),
        };

        Resolution Found(ScopedTable table)
        {
            namesTheirs = true;
            tables.Add(table);
            var relation = ((RowSource.Remote)table.Source).Relation;
            var parts = relation.Split('.');
            return new Resolution.Table(parts.Length > 2 ? string.Join('.', parts[..^2]) : Unset, parts[^2], parts[^1]);
        }
    }

    /// <summary>
    /// Reads a query over whatever a connection may read in the projects that it may name. Names are whole: a bare one would be looked up
    /// in a data set that nobody named.
    /// </summary>
    public static BigQueryReading Read(SourceQuery query)
    {
        var tables = new List<ScopedTable>();
        var read = StatementRewriter.Rewrite(query.Sql, reference =>
        {
            if (reference.Dataset is not { } dataset) return Refused(reference, "has no data set. Name it as dataset.table.");
            var own = query.Projects.Count > 0 ? query.Projects[0] : Unset;
            var project = reference.Project ?? own;
            if (reference.Project is not null && !query.Projects.Contains(project, StringComparer.Ordinal))
                return Refused(reference, $"is in another project than the connection's, '{own}'.");
            var name = project == own ? $"{dataset}.{reference.Table}" : $"{project}.{dataset}.{reference.Table}";
            var source = new RowSource.Remote(query.System, $"{project}.{dataset}.{reference.Table}") { Dialect = SqlDialect.BigQuery };
            tables.Add(new ScopedTable(name, name, 0, "", [], source));
            return new Resolution.Table(project, dataset, reference.Table);
        });
        if (read.Refusal is { } why) return new BigQueryReading(null, null, why, null, NamesTheirs: true);
        List<ScopedTable> named = [.. tables.DistinctBy(table => table.Name, StringComparer.Ordinal)];
        return new BigQueryReading(read.Sql, new StatementPlan.PushDown(query.System, named), null, null, NamesTheirs: true);

        static Resolution.Refused Refused(TableReference reference, string why)
        {
            var shown = StatementGuard.Shorten(reference.Path);
            return new(new Refusal(RefusalKind.TableDenied, $"'{shown}' {why}", shown));
        }
    }

    /// <summary>Stands for the project of a connection that has none; it is refused when the connection is opened.</summary>
    private const string Unset = "project-not-set";

    private static bool IsTheirs(ScopedTable table) => table.Source is RowSource.Remote { Dialect: SqlDialect.BigQuery };

    private static Resolution.Refused Missing(TableReference reference, Scope scope)
    {
        var name = StatementGuard.Shorten(reference.Table);
        if (!scope.NothingHidden) return new(new Refusal(RefusalKind.TableDenied, $"Access denied to table '{name}'", name));
        var nearest = NearestNames.Of(reference.Table, scope.All().Select(table => table.Name));
        var text = $"Query error: Table '{name}' does not exist.{StatementGuard.DidYouMean(nearest)}";
        return new(new Refusal(RefusalKind.TableUnknown, text, name) { Nearest = nearest });
    }
}
