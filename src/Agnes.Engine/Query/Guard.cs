using Agnes.Sql;

namespace Agnes.Engine.Query;

/// <summary>What the guard says: either a plan to run by, or a refusal.</summary>
internal sealed record GuardVerdict(StatementPlan? Plan, StatementStatus Status, string? Message, string? Name, IReadOnlyList<string> Nearest)
{
    public static GuardVerdict Allow(StatementPlan plan) => new(plan, StatementStatus.Ok, null, null, []);

    public static GuardVerdict Refuse(Refusal refusal) => new(null, StatusOf(refusal.Kind), refusal.Message, refusal.Name, refusal.Nearest);

    private static StatementStatus StatusOf(RefusalKind kind) => kind switch
    {
        RefusalKind.Broken => StatementStatus.ParseError,
        RefusalKind.TooLarge => StatementStatus.TooLarge,
        RefusalKind.TableDenied => StatementStatus.TableDenied,
        RefusalKind.TableUnknown => StatementStatus.TableUnknown,
        RefusalKind.TableNotReady => StatementStatus.TableNotReady,
        RefusalKind.FunctionDenied => StatementStatus.FunctionDenied,
        _ => StatementStatus.NotASelect,
    };
}

/// <summary>Decides whether a parsed statement may run in a scope. Pure: the same statement and scope always get the same answer.</summary>
internal static class Guard
{
    /// <summary>Tables of one statement; each is a view to build.</summary>
    private const int TablesMax = 500;

    public static GuardVerdict Check(ParsedStatement statement, Scope scope)
    {
        var tables = new List<ScopedTable>(statement.Tables.Count);
        if (StatementGuard.Check(statement, named => CheckTable(named, scope, tables)) is { } refusal) return GuardVerdict.Refuse(refusal);
        if (statement.Shape == StatementShape.ShowTables) return GuardVerdict.Allow(StatementPlan.Nothing);
        return tables.Count > TablesMax
            ? GuardVerdict.Refuse(new Refusal(RefusalKind.TooLarge, $"A query may name {TablesMax} tables at most."))
            : GuardVerdict.Allow(StatementPlan.Of(tables));
    }

    /// <param name="tables">Gets the table, where the scope has it.</param>
    private static Refusal? CheckTable(NamedTable named, Scope scope, List<ScopedTable> tables)
    {
        // The same steps for a hidden and for a never-existing name: the scope knows neither. It may fold case more widely than the engine does.
        if ((named.IsOurs ? scope.Find(named.Name) : null) is not { } table || !EngineNames.Same(table.Name, named.Name)) return RefuseTable(named, scope);
        if (table.IsEmpty)
            return new Refusal(RefusalKind.TableNotReady, $"Table '{table.Name}' is registered but has no data yet. Ask an admin to run its sync.", table.Name);
        tables.Add(table);
        return null;
    }

    private static Refusal RefuseTable(NamedTable named, Scope scope)
    {
        var name = StatementGuard.Shorten(named.ToString());
        if (!scope.NothingHidden || !named.IsOurs) return new Refusal(RefusalKind.TableDenied, $"Access denied to table '{name}'", name);
        var nearest = NearestNames.Of(named.Name, scope.All().Select(table => table.Name));
        return new Refusal(RefusalKind.TableUnknown, $"Query error: Table '{name}' does not exist.{StatementGuard.DidYouMean(nearest)}", name) { Nearest = nearest };
    }
}
