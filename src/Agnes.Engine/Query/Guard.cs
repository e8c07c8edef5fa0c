namespace Agnes.Engine.Query;

/// <summary>What the guard says: either a footprint to run on, or a refusal.</summary>
internal sealed record GuardVerdict(Footprint? Footprint, StatementStatus Status, string? Message, string? Name, IReadOnlyList<string> Nearest)
{
    public static GuardVerdict Allow(Footprint footprint) => new(footprint, StatementStatus.Ok, null, null, []);

    public static GuardVerdict Refuse(StatementStatus status, string message, string? name = null, IReadOnlyList<string>? nearest = null) =>
        new(null, status, message, name, nearest ?? []);
}

/// <summary>Decides whether a parsed statement may run in a scope. Pure: the same statement and scope always get the same answer.</summary>
internal static class Guard
{
    public const string OnlySelect = "Only single SELECT queries are allowed";
    public const string MustStart = "Query must start with SELECT or WITH";

    /// <summary>A name is given back to the asker no longer than this.</summary>
    private const int NameCharactersMax = 200;

    /// <summary>Tables of one statement; each is a view to build.</summary>
    private const int TablesMax = 500;

    public static GuardVerdict Check(ParsedStatement statement, Scope scope) => statement.Shape switch
    {
        StatementShape.Select => CheckNames(statement, scope),
        StatementShape.ShowTables => GuardVerdict.Allow(Footprint.Empty),
        StatementShape.Empty => GuardVerdict.Refuse(StatementStatus.NotASelect, MustStart),
        StatementShape.Several or StatementShape.NotSelect => GuardVerdict.Refuse(StatementStatus.NotASelect, OnlySelect),
        StatementShape.Broken => GuardVerdict.Refuse(StatementStatus.ParseError, $"Query error: Parser Error: {statement.Message}"),
        StatementShape.TooComplex => GuardVerdict.Refuse(StatementStatus.TooLarge, "The query is nested too deeply or is too large. Split it into smaller queries."),
        _ => GuardVerdict.Refuse(StatementStatus.FunctionDenied, $"'{Shorten(statement.Message ?? "")}' is not allowed in a query", statement.Message),
    };

    private static GuardVerdict CheckNames(ParsedStatement statement, Scope scope)
    {
        var tables = new List<ScopedTable>(statement.Tables.Count);
        foreach (var named in statement.Tables)
        {
            // The same steps for a hidden and for a never-existing name: the scope knows neither.
            if ((named.IsOurs ? scope.Find(named.Name) : null) is not { } table) return RefuseTable(named, scope);
            if (table.Paths.Count == 0)
                return GuardVerdict.Refuse(StatementStatus.TableNotReady, $"Table '{table.Name}' is registered but has no data yet. Ask an admin to run its sync.", table.Name);
            tables.Add(table);
        }
        foreach (var function in statement.TableFunctions)
            if (!FunctionList.Tables.Contains(function)) return RefuseFunction(function, FunctionList.Tables);
        foreach (var function in statement.Functions)
            if (!FunctionList.Values.Contains(function)) return RefuseFunction(function, FunctionList.Values);
        return tables.Count > TablesMax
            ? GuardVerdict.Refuse(StatementStatus.TooLarge, $"A query may name {TablesMax} tables at most.")
            : GuardVerdict.Allow(Footprint.Of(tables));
    }

    private static GuardVerdict RefuseTable(NamedTable named, Scope scope)
    {
        var name = Shorten(named.ToString());
        if (!scope.NothingHidden || !named.IsOurs) return GuardVerdict.Refuse(StatementStatus.TableDenied, $"Access denied to table '{name}'", name);
        var nearest = NearestNames.Of(named.Name, scope.All().Select(table => table.Name));
        return GuardVerdict.Refuse(StatementStatus.TableUnknown, $"Query error: Table '{name}' does not exist.{DidYouMean(nearest)}", name, nearest);
    }

    private static GuardVerdict RefuseFunction(string function, IReadOnlySet<string> allowed)
    {
        var nearest = NearestNames.Of(function, allowed);
        return GuardVerdict.Refuse(StatementStatus.FunctionDenied, $"Function '{Shorten(function)}' is not allowed in a query.{DidYouMean(nearest)}", Shorten(function), nearest);
    }

    private static string DidYouMean(IReadOnlyList<string> names) => names.Count == 0 ? "" : $" Did you mean {string.Join(" or ", names.Select(name => $"'{name}'"))}?";

    private static string Shorten(string name) => name.Length <= NameCharactersMax ? name : string.Concat(name.AsSpan(0, NameCharactersMax), "…");
}
