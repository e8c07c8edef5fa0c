namespace Agnes.Sql;

public enum RefusalKind
{
    NotASelect,
    Broken,
    TooLarge,
    TableDenied,
    TableUnknown,
    TableNotReady,
    FunctionDenied,
}

/// <param name="Name">What it is about.</param>
public sealed record Refusal(RefusalKind Kind, string Message, string? Name = null)
{
    /// <summary>What may have been meant.</summary>
    public IReadOnlyList<string> Nearest { get; init; } = [];
}

/// <summary>Whether a statement may run. The server and the program on people's machines ask the same; they differ in whose tables there are.</summary>
public static class StatementGuard
{
    public const string OnlySelect = "Only single SELECT queries are allowed";
    public const string MustStart = "Query must start with SELECT or WITH";

    /// <summary>A name is given back to the asker no longer than this.</summary>
    private const int NameCharactersMax = 200;

    /// <param name="table">Says why a table may not be read, or null.</param>
    /// <param name="moreTableFunctions">Allowed in a FROM clause beside those that always are.</param>
    public static Refusal? Check(ParsedStatement statement, Func<NamedTable, Refusal?> table, IReadOnlySet<string>? moreTableFunctions = null) => statement.Shape switch
    {
        StatementShape.Select => CheckNames(statement, table, moreTableFunctions),
        StatementShape.ShowTables => null,
        StatementShape.Empty => new Refusal(RefusalKind.NotASelect, MustStart),
        StatementShape.Several or StatementShape.NotSelect => new Refusal(RefusalKind.NotASelect, OnlySelect),
        StatementShape.Broken => new Refusal(RefusalKind.Broken, $"Query error: Parser Error: {statement.Message}"),
        StatementShape.TooComplex => new Refusal(RefusalKind.TooLarge, "The query is nested too deeply or is too large. Split it into smaller queries."),
        StatementShape.Unseen => new Refusal(RefusalKind.NotASelect, $"'{Shorten(statement.Message ?? "")}' cannot be followed through the query. Leave it out where nothing uses it; write a window where it is used: OVER (…).", Shorten(statement.Message ?? "")),
        _ => new Refusal(RefusalKind.FunctionDenied, $"'{Shorten(statement.Message ?? "")}' is not allowed in a query", statement.Message),
    };

    public static string DidYouMean(IReadOnlyList<string> names) => names.Count == 0 ? "" : $" Did you mean {string.Join(" or ", names.Select(name => $"'{name}'"))}?";

    public static string Shorten(string name) => name.Length <= NameCharactersMax ? name : string.Concat(name.AsSpan(0, NameCharactersMax), "…");

    private static Refusal? CheckNames(ParsedStatement statement, Func<NamedTable, Refusal?> table, IReadOnlySet<string>? moreTableFunctions)
    {
        foreach (var named in statement.Tables)
            if (table(named) is { } refusal) return refusal;
        foreach (var function in statement.TableFunctions)
            if (!FunctionList.Tables.Contains(function) && moreTableFunctions?.Contains(function) != true) return RefuseFunction(function, FunctionList.Tables);
        foreach (var function in statement.Functions)
            if (!FunctionList.Values.Contains(function)) return RefuseFunction(function, FunctionList.Values);
        return null;
    }

    private static Refusal RefuseFunction(string function, IReadOnlySet<string> allowed)
    {
        if (BareFunctions.CalledBy(function) is not null) return new Refusal(RefusalKind.FunctionDenied, $"Function '{function}' is not allowed in a query. A column of that name is written with its table: t.{function}", function);
        var nearest = NearestNames.Of(function, allowed);
        return new Refusal(RefusalKind.FunctionDenied, $"Function '{Shorten(function)}' is not allowed in a query.{DidYouMean(nearest)}", Shorten(function)) { Nearest = nearest };
    }
}
