namespace Agnes.Sql.BigQuery;

/// <summary>
/// Cuts GoogleSQL into tokens. Comments end here. <c>&gt;</c> is always a token of its own, since <c>&gt;&gt;</c> also closes two types;
/// who wants a shift looks whether the two touch.
/// </summary>
/// <remarks>Rules are those of "Lexical structure and syntax" in the documentation of GoogleSQL.</remarks>
internal sealed class Lexer
{
    private static readonly string[] Symbols = ["<=", "<>", "<<", "!=", "||", "=>", "->", "|>"];

    private readonly string _text;
    private int _at;

    private Lexer(string text) => _text = text;

    /// <exception cref="SyntaxFault">The text has a character, a number or a quote that GoogleSQL has not.</exception>
    public static List<Token> Read(string text)
    {
        var lexer = new Lexer(text);
        var tokens = new List<Token>();
        do tokens.Add(lexer.Next());
        while (tokens[^1].Kind != TokenKind.End);
        return tokens;
    }

    public static bool IsWordStart(char c) => char.IsAsciiLetter(c) || c == '_';

    public static bool IsWord(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    private Token Next()
    {
        SkipBlanks();
        if (_at >= _text.Length) return new Token(TokenKind.End, "", _text.Length, _text.Length);
        var c = _text[_at];
        if (QuotedText.Begins(_text, _at)) return Quoted();
        if (IsWordStart(c)) return Cut(TokenKind.Word, WordEnd(_at));
        if (char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(Peek(1)))) return Number();
        if (c is '@' or '?') return Parameter();
        foreach (var symbol in Symbols)
            if (string.CompareOrdinal(_text, _at, symbol, 0, symbol.Length) == 0) return Cut(TokenKind.Symbol, _at + symbol.Length);
        if ("+-*/%~&^|=<>()[],.;:{}".Contains(c, StringComparison.Ordinal)) return Cut(TokenKind.Symbol, _at + 1);
        throw Fault(c > '\u007f' ? "A name with letters beyond A to Z is written in backticks" : $"Unexpected character '{c}'", _at);
    }

    private Token Quoted()
    {
        var start = _at;
        var quoted = QuotedText.Read(_text, start);
        _at = quoted.End;
        return new Token(quoted.Kind, quoted.Text, start, _at) { IsDoubleQuoted = quoted.Kind == TokenKind.String && IsPlainDouble(start) };
    }

    /// <summary>Neither raw nor in three quotes.</summary>
    private bool IsPlainDouble(int start) => _text[start] == '"' && string.CompareOrdinal(_text, start, "\"\"\"", 0, 3) != 0;

    private void SkipBlanks()
    {
        while (_at < _text.Length)
        {
            var c = _text[_at];
            if (char.IsWhiteSpace(c) || c == '\b') _at++;
            else if (c == '#' || (c == '-' && Peek(1) == '-')) SkipLine();
            else if (c == '/' && Peek(1) == '*') SkipComment();
            else return;
        }
    }

    private void SkipLine()
    {
        while (_at < _text.Length && _text[_at] is not ('\n' or '\r')) _at++;
    }

    /// <summary>Comments do not nest.</summary>
    private void SkipComment()
    {
        var end = _text.IndexOf("*/", _at + 2, StringComparison.Ordinal);
        if (end < 0) throw Fault("A comment is not closed", _at);
        _at = end + 2;
    }

    private Token Number()
    {
        var end = _at;
        if (_text[end] == '0' && Peek(1) is 'x' or 'X')
        {
            end += 2;
            while (end < _text.Length && char.IsAsciiHexDigit(_text[end])) end++;
            if (end == _at + 2) throw Fault("A hexadecimal number has no digits", _at);
            return EndNumber(TokenKind.Integer, end);
        }

        end = DigitsEnd(end);
        var kind = TokenKind.Integer;
        if (end < _text.Length && _text[end] == '.') (kind, end) = (TokenKind.Float, DigitsEnd(end + 1));
        if (end < _text.Length && _text[end] is 'e' or 'E')
        {
            var digits = end + 1 < _text.Length && _text[end + 1] is '+' or '-' ? end + 2 : end + 1;
            if (DigitsEnd(digits) > digits) (kind, end) = (TokenKind.Float, DigitsEnd(digits));
        }

        return EndNumber(kind, end);
    }

    /// <summary>
    /// A word right behind a number is a slip, but for the dashed project in <c>a-1.b</c>, where the parser knows what the dot is.
    /// </summary>
    private Token EndNumber(TokenKind kind, int end)
    {
        var isDotted = kind == TokenKind.Float && _text[end - 1] == '.';
        if (!isDotted && end < _text.Length && IsWord(_text[end])) throw Fault("A number runs into a word", _at);
        return Cut(kind, end);
    }

    private Token Parameter()
    {
        if (_text[_at] == '?') return Cut(TokenKind.Parameter, _at + 1);
        var name = Peek(1) == '@' ? _at + 2 : _at + 1;
        var end = name;
        while (end < _text.Length && (IsWord(_text[end]) || (_text[end] == '.' && end > name))) end++;
        if (end == name) throw Fault("Unexpected character '@'", _at);
        return Cut(TokenKind.Parameter, end);
    }

    private int WordEnd(int at)
    {
        while (at < _text.Length && IsWord(_text[at])) at++;
        return at;
    }

    private int DigitsEnd(int at)
    {
        while (at < _text.Length && char.IsAsciiDigit(_text[at])) at++;
        return at;
    }

    private char Peek(int ahead) => _at + ahead < _text.Length ? _text[_at + ahead] : '\0';

    private Token Cut(TokenKind kind, int end)
    {
        var token = new Token(kind, _text[_at..end], _at, end);
        _at = end;
        return token;
    }

    private static SyntaxFault Fault(string message, int at) => new(SyntaxFaultKind.Unparseable, message, at);
}
