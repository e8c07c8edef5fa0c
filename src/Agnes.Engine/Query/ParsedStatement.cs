namespace Agnes.Engine.Query;

/// <summary>What a text turned out to be, as far as the guard is concerned.</summary>
internal enum StatementShape : byte
{
    /// <summary>Exactly one SELECT in any of its forms, DESCRIBE or SUMMARIZE.</summary>
    Select,

    /// <summary>SHOW TABLES, SHOW ALL TABLES or a bare DESCRIBE as the whole statement: answered from the scope.</summary>
    ShowTables,

    /// <summary>Nothing but space and comments.</summary>
    Empty,

    /// <summary>More than one statement.</summary>
    Several,

    /// <summary>One statement that is no SELECT.</summary>
    NotSelect,

    /// <summary>Not SQL; the message says where.</summary>
    Broken,

    /// <summary>A SELECT with something in it that the walker does not know, and therefore does not let pass.</summary>
    Unknown,

    /// <summary>Nested deeper, or larger once parsed, than is looked at.</summary>
    TooComplex,
}

/// <summary>A table as the statement names it; CTEs in scope have been taken out already.</summary>
internal readonly record struct NamedTable(string Catalog, string Schema, string Name)
{
    /// <summary>Unqualified or in <c>main</c>: the only place where tables of ours are.</summary>
    public bool IsOurs => Catalog.Length == 0 && (Schema.Length == 0 || Schema.Equals("main", StringComparison.OrdinalIgnoreCase));

    public override string ToString() => (Catalog.Length, Schema.Length) switch
    {
        ( > 0, _) => $"{Catalog}.{Schema}.{Name}",
        (_, > 0) when !IsOurs => $"{Schema}.{Name}",
        _ => Name,
    };
}

/// <summary>All that a statement names, in the order of the text's tree, without doubles.</summary>
/// <param name="Message">For <see cref="StatementShape.Broken"/> the parser's words, for <see cref="StatementShape.Unknown"/> the construct.</param>
/// <param name="Functions">Scalar, aggregate and window functions, operators and macros; lower case.</param>
internal sealed record ParsedStatement(
    StatementShape Shape,
    string? Message,
    IReadOnlyList<NamedTable> Tables,
    IReadOnlyList<string> Functions,
    IReadOnlyList<string> TableFunctions)
{
    public static ParsedStatement Of(StatementShape shape, string? message = null) => new(shape, message, [], [], []);
}
