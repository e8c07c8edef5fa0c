using Agnes.Engine.Query.Remote;

namespace Agnes.Engine.Query;

/// <summary>By which path a statement goes that may run: where the tables are decides.</summary>
/// <param name="Tables">What it names, without doubles.</param>
internal abstract record StatementPlan(IReadOnlyList<ScopedTable> Tables)
{
    /// <summary>No table at all, as in <c>SELECT 1</c>.</summary>
    public static StatementPlan Nothing { get; } = new Local(Footprint.Empty);

    public static StatementPlan Of(IReadOnlyCollection<ScopedTable> tables)
    {
        var elsewhere = tables.Select(table => table.Source).OfType<RowSource.Remote>().ToList();
        if (elsewhere.Count == 0) return new Local(Footprint.Of(tables));
        List<ScopedTable> named = [.. tables.DistinctBy(table => table.Name, StringComparer.OrdinalIgnoreCase)];
        var system = elsewhere[0].System;
        return elsewhere.Count == tables.Count && elsewhere.TrueForAll(source => source.System.Connection == system.Connection)
            ? new PushDown(system, named)
            : new Mixed(named);
    }

    /// <summary>All of it is here: a worker runs it.</summary>
    public sealed record Local(Footprint Footprint) : StatementPlan(Footprint.Tables);

    /// <summary>All of it is with one other system, which answers the whole statement.</summary>
    public sealed record PushDown(IRemoteTables System, IReadOnlyList<ScopedTable> Tables) : StatementPlan(Tables)
    {
        /// <summary>What the statement is in that it answers, which names a table.</summary>
        public SqlDialect Dialect => ((RowSource.Remote)Tables[0].Source).Dialect;
    }

    /// <summary>In several places: what is elsewhere is fetched for this statement, then a worker runs it.</summary>
    public sealed record Mixed(IReadOnlyList<ScopedTable> Tables) : StatementPlan(Tables);
}
