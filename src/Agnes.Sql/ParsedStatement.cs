namespace Agnes.Sql;

/// <summary>What a text turned out to be, as far as the guard is concerned.</summary>
public enum StatementShape : byte
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

    /// <summary>The message is a word of the text that the engine leaves out of the tree, in a statement that cannot be written anew without it.</summary>
    Unseen,
}

/// <summary>A table as the statement names it; CTEs in scope have been taken out already.</summary>
public readonly record struct NamedTable(string Catalog, string Schema, string Name)
{
    /// <summary>Unqualified or in <c>main</c>: the only place where tables of ours are.</summary>
    public bool IsOurs => Catalog.Length == 0 && (Schema.Length == 0 || EngineNames.Same(Schema, "main"));

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
public sealed record ParsedStatement(
    StatementShape Shape,
    string? Message,
    IReadOnlyList<NamedTable> Tables,
    IReadOnlyList<string> Functions,
    IReadOnlyList<string> TableFunctions)
{
    /// <summary>What is to be run instead of the text: the same statement without what the engine left out of the tree. Null: the text itself, every word of which was looked at.</summary>
    public string? Rewritten { get; init; }

    /// <summary>Columns as they are written, each with what stands before it (a table, or the column that it is a field of); with the names of lambda parameters.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Columns { get; init; } = [];

    /// <summary>A statement for which nothing was named, or none at all.</summary>
    public static ParsedStatement Of(StatementShape shape, string? message = null) => new(shape, message, [], [], []);
}
