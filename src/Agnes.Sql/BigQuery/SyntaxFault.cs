namespace Agnes.Sql.BigQuery;

/// <summary>Why a text is not one that is read here.</summary>
public enum SyntaxFaultKind
{
    Unparseable,

    /// <summary>Something follows a semicolon.</summary>
    SeveralStatements,

    /// <summary>Data or definitions would be changed, or a procedure run.</summary>
    NotAQuery,

    /// <summary>GoogleSQL has it, but what it names is not followed here.</summary>
    NotSupported,

    /// <summary>A function stands where rows are read from.</summary>
    TableFunction,

    /// <summary>UNION and the like follow what is whole without them.</summary>
    SetOperation,

    /// <summary>Longer or nested deeper than is read.</summary>
    TooLarge,
}

/// <summary>Leaves the lexer or the parser; it never leaves this folder's answers.</summary>
/// <param name="at">Characters before the place in the text.</param>
public sealed class SyntaxFault(SyntaxFaultKind kind, string message, int at, string? name = null) : Exception(message)
{
    public SyntaxFaultKind Kind { get; } = kind;

    public int At { get; } = at;

    /// <summary>The function or word that it is about.</summary>
    public string? Name { get; } = name;

    /// <summary>The message with the place as people count it, from one.</summary>
    public string Describe(string text)
    {
        var before = text.AsSpan(0, Math.Min(At, text.Length));
        var line = before.Count('\n') + 1;
        var column = before.Length - (before.LastIndexOf('\n') + 1) + 1;
        return $"{Message} (line {line}, column {column})";
    }
}
