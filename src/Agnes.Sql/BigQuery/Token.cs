namespace Agnes.Sql.BigQuery;

internal enum TokenKind
{
    /// <summary>A word without quotes: a keyword or an identifier.</summary>
    Word,

    /// <summary>An identifier in backticks, its escapes resolved.</summary>
    Quoted,
    Integer,
    Float,
    String,

    /// <summary>Each character stands for a byte.</summary>
    Bytes,
    Symbol,

    /// <summary><c>@name</c>, <c>?</c> or <c>@@name</c>, as written.</summary>
    Parameter,
    End,
}

/// <param name="Text">The word, the number as written, the symbol, or what a quoted text means.</param>
/// <param name="At">Where it begins, in characters.</param>
/// <param name="End">The character after it: two tokens touch where this is the other's <paramref name="At"/>.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int At, int End)
{
    /// <summary>A text in single pairs of <c>"</c>, which other dialects take for a name.</summary>
    public bool IsDoubleQuoted { get; init; }
}
