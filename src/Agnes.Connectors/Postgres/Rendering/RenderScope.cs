using Agnes.Sql;

namespace Agnes.Connectors.Postgres.Rendering;

/// <summary>
/// What names mean in one SELECT. All names that are sent are made here, so that no name of an asker's can mean something else there.
/// </summary>
internal sealed class RenderScope(RenderScope? outer)
{
    private readonly List<Relation> _relations = [];

    public RenderScope? Outer => outer;

    public IReadOnlyList<Relation> Relations => _relations;

    /// <summary>Names that the SELECT list gives, once it is known.</summary>
    public Dictionary<string, Rendered> Aliases { get; } = new(EngineNames.Comparer);

    public void Add(Relation relation)
    {
        if (_relations.Exists(known => EngineNames.Same(known.Name, relation.Name)))
            throw new UnknownFormException(
                $"two tables are called '{StatementGuard.Shorten(relation.Name)}' there; give one of them another name");
        _relations.Add(relation);
    }

    /// <returns>Null where this SELECT and those around it have no such column.</returns>
    public Rendered? Find(IReadOnlyList<string> names)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (scope.FindHere(names) is { } found) return found;
        return null;
    }

    private Rendered? FindHere(IReadOnlyList<string> names)
    {
        if (names is [var table, var name])
        {
            var relation = _relations.Find(relation => EngineNames.Same(relation.Name, table));
            var column = relation?.Columns.FirstOrDefault(column => EngineNames.Same(column.Name, name));
            return column is null ? null : new Rendered(column.Sql, column.Kind);
        }

        if (names.Count != 1) return null;
        var found = _relations.SelectMany(relation => relation.Columns)
            .Where(column => !column.IsMerged && EngineNames.Same(column.Name, names[0])).ToList();
        if (found.Count > 1) throw new UnknownFormException($"more than one table has a column '{StatementGuard.Shorten(names[0])}'");
        if (found.Count == 1) return new Rendered(found[0].Alone ?? found[0].Sql, found[0].Kind);
        return Aliases.TryGetValue(names[0], out var alias) ? alias : null;
    }

    /// <param name="Name">What the question calls it.</param>
    internal sealed record Relation(string Name, IReadOnlyList<Column> Columns);

    internal sealed record Column(string Name, ValueKind Kind, string Sql)
    {
        /// <summary>The value where the table is not named, since USING made one column of two.</summary>
        public string? Alone { get; set; }

        /// <summary>The one of the two that is only there with its table's name.</summary>
        public bool IsMerged { get; set; }
    }
}
