using System.Text;

namespace Agnes.Sql.BigQuery;

/// <summary>
/// Reads GoogleSQL by recursive descent into records. What is read becomes part of the tree or is a fault: nothing is skipped, so that
/// what is printed from the tree is all that was said.
/// </summary>
/// <remarks>
/// Grammar: "Query syntax", "Operators" and "Lexical structure" of GoogleSQL's documentation, without pipe syntax, scripts and whatever
/// writes.
/// </remarks>
public sealed partial class Parser
{
    /// <summary>Of a statement, in UTF-8.</summary>
    public const int StatementBytesMax = 256 << 10;

    /// <summary>Of a predicate, in UTF-8.</summary>
    public const int PredicateBytesMax = 32 << 10;

    /// <summary>Of the tree. Everything that walks one may recurse.</summary>
    public const int DepthMax = 200;

    private readonly List<Token> _tokens;
    private int _next;
    private int _depth;

    private Parser(List<Token> tokens) => _tokens = tokens;

    /// <summary>Reads one query. A semicolon may end it.</summary>
    /// <exception cref="SyntaxFault">It is none.</exception>
    public static QueryExpression ParseStatement(string text)
    {
        var parser = Begin(text, StatementBytesMax);
        if (parser.Current is { Kind: TokenKind.Word } first && Words.Statements.Contains(first.Text))
            throw Fault(SyntaxFaultKind.NotAQuery, "Only queries are run here, which begin with SELECT or WITH", first, first.Text);
        if (parser.IsWord("FROM")) throw parser.NotSupported("Pipe syntax", parser.Current);
        var query = parser.Query();
        parser.EndOfText();
        return query;
    }

    /// <summary>Reads one expression. A semicolon may end it.</summary>
    /// <exception cref="SyntaxFault">It is none.</exception>
    public static Expression ParseExpression(string text, int bytesMax = PredicateBytesMax)
    {
        var parser = Begin(text, bytesMax);
        try
        {
            var expression = parser.Expression();
            if (parser.SetOperator() is { } operation)
                throw Fault(SyntaxFaultKind.SetOperation, $"{operation} is no part of an expression", parser.Current);
            parser.EndOfText();
            return expression;
        }
        catch (SyntaxFault) when (parser.IsWrite)
        {
            throw Fault(SyntaxFaultKind.NotAQuery, "An expression is wanted, not a statement", parser._tokens[0], parser._tokens[0].Text);
        }
    }

    /// <summary>Whether the text begins as a statement that writes: such a word, and another one. Alone the word may be a column.</summary>
    private bool IsWrite =>
        _tokens[0] is { Kind: TokenKind.Word } first && Words.Writes.Contains(first.Text)
        && _tokens[1].Kind is TokenKind.Word or TokenKind.Quoted;

    private static Parser Begin(string text, int bytesMax)
    {
        if (Encoding.UTF8.GetByteCount(text) > bytesMax)
            throw new SyntaxFault(SyntaxFaultKind.TooLarge, $"The text is longer than {bytesMax >> 10} KiB", 0);
        return new Parser(Lexer.Read(text));
    }

    /// <summary>After a semicolon may only come the end.</summary>
    private void EndOfText()
    {
        if (TakeSymbol(";") && Current.Kind != TokenKind.End)
            throw Fault(SyntaxFaultKind.SeveralStatements, "Only one statement is run at a time", Current);
        if (Current.Kind != TokenKind.End) throw Unexpected("the end");
    }

    private Token Current => _tokens[_next];

    private Token Ahead(int by) => _tokens[Math.Min(_next + by, _tokens.Count - 1)];

    private Token Take()
    {
        var token = Current;
        if (token.Kind != TokenKind.End) _next++;
        return token;
    }

    private static bool IsWord(Token token, string word) => token.Kind == TokenKind.Word && EngineNames.Same(token.Text, word);

    private static bool IsSymbol(Token token, string symbol) => token.Kind == TokenKind.Symbol && token.Text == symbol;

    private bool IsWord(string word) => IsWord(Current, word);

    private bool IsSymbol(string symbol) => IsSymbol(Current, symbol);

    private bool TakeWord(string word)
    {
        var isThere = IsWord(word);
        if (isThere) _next++;
        return isThere;
    }

    /// <summary>Two words, or neither.</summary>
    private bool TakeWords(string first, string second)
    {
        var areThere = IsWord(first) && IsWord(Ahead(1), second);
        if (areThere) _next += 2;
        return areThere;
    }

    private bool TakeSymbol(string symbol)
    {
        var isThere = IsSymbol(symbol);
        if (isThere) _next++;
        return isThere;
    }

    /// <returns>The one that is there, as given, or null.</returns>
    private string? TakeOneOf(params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
            if (TakeWord(word)) return word;
        return null;
    }

    private void Expect(string symbol)
    {
        if (!TakeSymbol(symbol)) throw Unexpected($"'{symbol}'");
    }

    private void ExpectWord(string word)
    {
        if (!TakeWord(word)) throw Unexpected(word);
    }

    /// <summary>A name in backticks, or a word that is not reserved.</summary>
    private string Identifier(string what)
    {
        if (!IsIdentifier(Current)) throw Unexpected(what);
        return Take().Text;
    }

    private static bool IsIdentifier(Token token) =>
        token.Kind == TokenKind.Quoted || (token.Kind == TokenKind.Word && !Words.Reserved.Contains(token.Text));

    /// <summary>A name behind a dot: there any word is one.</summary>
    private string NameAfterDot()
    {
        if (Current.Kind is not (TokenKind.Word or TokenKind.Quoted)) throw Unexpected("a name");
        return Take().Text;
    }

    /// <summary>With AS any name, without it one that begins no clause.</summary>
    private string? Alias()
    {
        if (TakeWord("AS")) return Identifier("a name after AS");
        return IsIdentifier(Current) && !IsPivot() ? Take().Text : null;
    }

    private bool IsPivot() =>
        (IsWord("PIVOT") || IsWord("UNPIVOT") || IsWord("MATCH_RECOGNIZE")) && (IsSymbol(Ahead(1), "(") || Ahead(1).Kind == TokenKind.Word);

    private NodeList<T> CommaList<T>(Func<T> item)
    {
        var items = new List<T>();
        do items.Add(item());
        while (TakeSymbol(","));
        return new NodeList<T>(items);
    }

    private T InBrackets<T>(Func<T> inside)
    {
        Expect("(");
        var value = inside();
        Expect(")");
        return value;
    }

    private T Deeper<T>(Func<T> inside)
    {
        Descend(1);
        var value = inside();
        _depth--;
        return value;
    }

    private void Descend(int levels)
    {
        _depth += levels;
        if (_depth > DepthMax) throw Fault(SyntaxFaultKind.TooLarge, $"The text is nested deeper than {DepthMax} levels", Current);
    }

    private SyntaxFault Unexpected(string wanted)
    {
        if (IsSymbol("|>")) return NotSupported("Pipe syntax", Current);
        var found = Current.Kind == TokenKind.End ? "the text ends" : $"there is '{StatementGuard.Shorten(Current.Text)}'";
        return Fault(SyntaxFaultKind.Unparseable, $"Expected {wanted}, but {found}", Current);
    }

    private SyntaxFault NotSupported(string what, Token at) =>
        Fault(SyntaxFaultKind.NotSupported, $"{what} is not supported here", at, what);

    private static SyntaxFault Fault(SyntaxFaultKind kind, string message, Token at, string? name = null) =>
        new(kind, message, at.At, name);
}
