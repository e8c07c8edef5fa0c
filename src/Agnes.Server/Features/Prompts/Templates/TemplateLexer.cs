using System.Globalization;
using System.Text;

namespace Agnes.Server.Features.Prompts.Templates;

internal enum TokenKind : byte
{
    /// <summary>Text outside of all marks.</summary>
    Text,
    OutputStart,
    OutputEnd,
    BlockStart,
    BlockEnd,
    Name,
    String,
    Integer,
    Real,
    Symbol,
    End,
}

internal readonly record struct Token(TokenKind Kind, string Text, int Line);

/// <summary>Cuts a template into text and what stands between its marks.</summary>
internal sealed class TemplateLexer
{
    private static readonly string[] Symbols = ["==", "!=", "<=", ">=", "<", ">", "+", "-", "~", "|", ".", ",", "(", ")", "[", "]", "=", ":"];

    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private int _at;
    private int _line = 1;

    private TemplateLexer(string source) => _source = source;

    public static IReadOnlyList<Token> Read(string source)
    {
        var lexer = new TemplateLexer(source.ReplaceLineEndings("\n"));
        lexer.Run();
        return lexer._tokens;
    }

    private void Run()
    {
        var trimNext = false;
        while (_at < _source.Length)
        {
            var mark = NextMark();
            var text = _source[_at..mark];
            var line = _line;
            Count(text);
            _at = mark;
            var trimsBefore = mark < _source.Length && mark + 2 < _source.Length && _source[mark + 2] == '-';
            if (trimNext) text = text.TrimStart();
            if (trimsBefore) text = text.TrimEnd();
            if (text.Length > 0) _tokens.Add(new Token(TokenKind.Text, text, line));
            if (mark == _source.Length) break;
            trimNext = _source[mark + 1] switch
            {
                '#' => Comment(),
                '{' => Inside(TokenKind.OutputStart, TokenKind.OutputEnd, "}}", trimsBefore),
                _ => Inside(TokenKind.BlockStart, TokenKind.BlockEnd, "%}", trimsBefore),
            };
        }
        _tokens.Add(new Token(TokenKind.End, "", _line));
    }

    private int NextMark()
    {
        for (var at = _at; at + 1 < _source.Length; at++)
        {
            if (_source[at] == '{' && _source[at + 1] is '{' or '%' or '#') return at;
        }
        return _source.Length;
    }

    private bool Comment()
    {
        var end = _source.IndexOf("#}", _at + 2, StringComparison.Ordinal);
        if (end < 0) throw new TemplateException($"line {_line}: a comment has no end '#}}'");
        Count(_source[_at..end]);
        _at = end + 2;
        return _source[end - 1] == '-';
    }

    private bool Inside(TokenKind start, TokenKind end, string closing, bool trimsBefore)
    {
        _tokens.Add(new Token(start, "", _line));
        _at += trimsBefore ? 3 : 2;
        while (true)
        {
            SkipSpace();
            if (_at >= _source.Length) throw new TemplateException($"line {_line}: '{closing}' is missing");
            if (Is(closing) || Is("-" + closing))
            {
                var trims = _source[_at] == '-';
                _at += closing.Length + (trims ? 1 : 0);
                _tokens.Add(new Token(end, "", _line));
                return trims;
            }
            One();
        }
    }

    private void One()
    {
        var c = _source[_at];
        if (char.IsAsciiLetter(c) || c == '_') Add(TokenKind.Name, Take(character => char.IsAsciiLetterOrDigit(character) || character == '_'));
        else if (char.IsAsciiDigit(c)) Number();
        else if (c is '\'' or '"') Text(c);
        else if (Array.Find(Symbols, Is) is { } symbol)
        {
            Add(TokenKind.Symbol, symbol);
            _at += symbol.Length;
        }
        else throw new TemplateException($"line {_line}: '{c}' is not understood");
    }

    private void Number()
    {
        var digits = Take(char.IsAsciiDigit);
        if (_at + 1 < _source.Length && _source[_at] == '.' && char.IsAsciiDigit(_source[_at + 1]))
        {
            _at++;
            Add(TokenKind.Real, $"{digits}.{Take(char.IsAsciiDigit)}");
            return;
        }
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out _)) throw new TemplateException($"line {_line}: the number {digits} is too large");
        Add(TokenKind.Integer, digits);
    }

    private void Text(char quote)
    {
        var text = new StringBuilder();
        for (_at++; _at < _source.Length && _source[_at] != quote; _at++)
        {
            if (_source[_at] == '\n') _line++;
            if (_source[_at] != '\\' || _at + 1 == _source.Length)
            {
                text.Append(_source[_at]);
                continue;
            }
            _at++;
            text.Append(_source[_at] switch { 'n' => '\n', 't' => '\t', var other => other });
        }
        if (_at == _source.Length) throw new TemplateException($"line {_line}: a text has no end");
        _at++;
        Add(TokenKind.String, text.ToString());
    }

    private string Take(Func<char, bool> belongs)
    {
        var start = _at;
        while (_at < _source.Length && belongs(_source[_at])) _at++;
        return _source[start.._at];
    }

    private void SkipSpace()
    {
        for (; _at < _source.Length && char.IsWhiteSpace(_source[_at]); _at++)
        {
            if (_source[_at] == '\n') _line++;
        }
    }

    private bool Is(string text) => string.CompareOrdinal(_source, _at, text, 0, text.Length) == 0;

    private void Add(TokenKind kind, string text) => _tokens.Add(new Token(kind, text, _line));

    private void Count(string text) => _line += text.AsSpan().Count('\n');
}
