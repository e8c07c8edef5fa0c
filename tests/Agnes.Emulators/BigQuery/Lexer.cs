using System.Text;

namespace Agnes.Emulators.BigQuery;

internal enum Kind
{
    Word,
    Name,
    Text,
    Bytes,
    Number,
    Sign,
    Parameter,
    Group,
}

/// <summary>A token of GoogleSQL, or a pair of brackets with what is in them.</summary>
/// <param name="Value">What it means: a text without quotes and escapes, a group's opening bracket.</param>
/// <param name="Touches">Nothing stands between it and the token before.</param>
internal sealed record Node(Kind Kind, string Value, int Position, bool Touches, IReadOnlyList<Node> Inner)
{
    public bool Is(string word) => Kind is Kind.Word or Kind.Sign && Value.Equals(word, StringComparison.OrdinalIgnoreCase);

    public bool IsParenthesis => Kind == Kind.Group && Value == "(";

    public bool IsName => Kind is Kind.Word or Kind.Name;
}

/// <summary>Reads GoogleSQL into tokens, nested by brackets. Knows what a query of ours is written with; the rest is an error.</summary>
internal sealed class Lexer(string sql)
{
    private static readonly string[] Signs = ["<=", ">=", "<>", "!=", "||", "=>", "<", ">", "=", "+", "-", "*", "/", ",", ".", ";", "&",
        "|", "^", "~", "?", ":"];
    private int _at;
    private int _end;

    /// <exception cref="BigQueryError"/>
    public static IReadOnlyList<Node> Read(string sql)
    {
        var lexer = new Lexer(sql);
        var nodes = lexer.Group('\0');
        return nodes;
    }

    private List<Node> Group(char closing)
    {
        var nodes = new List<Node>();
        while (true)
        {
            Blank();
            if (_at >= sql.Length) return closing == '\0' ? nodes : throw Syntax($"Expected \"{closing}\" but got end of script");
            var (start, touches) = (_at, _at == _end);
            var next = sql[_at];
            if (next is ')' or ']')
            {
                if (next != closing) throw Syntax($"Unexpected \"{next}\"");
                _at++;
                _end = _at;
                return nodes;
            }

            if (next is '(' or '[')
            {
                _at++;
                nodes.Add(new Node(Kind.Group, next.ToString(), start, touches, Group(next == '(' ? ')' : ']')));
                continue;
            }

            var (kind, value) = Token(next);
            _end = _at;
            nodes.Add(new Node(kind, value, start, touches, []));
        }
    }

    private (Kind Kind, string Value) Token(char next)
    {
        if (next == '`') return (Kind.Name, Quoted("`", isRaw: false));
        if (next is '\'' or '"') return (Kind.Text, Quoted(Quote(), isRaw: false));
        if (next == '@')
        {
            return sql.AsSpan(_at).StartsWith("@@") ? throw Syntax("System variables are not kept here") : (Kind.Parameter, Parameter());
        }
        if (char.IsAsciiDigit(next) || (next == '.' && _at + 1 < sql.Length && char.IsAsciiDigit(sql[_at + 1])))
        {
            return (Kind.Number, Number());
        }
        if (char.IsAsciiLetter(next) || next == '_') return Word();
        if (Array.Find(Signs, sign => sql.AsSpan(_at).StartsWith(sign, StringComparison.Ordinal)) is not { } found)
        {
            throw Syntax($"Illegal input character \"{next}\"");
        }
        _at += found.Length;
        return (Kind.Sign, found);
    }

    private (Kind Kind, string Value) Word()
    {
        var start = _at;
        while (_at < sql.Length && (char.IsAsciiLetterOrDigit(sql[_at]) || sql[_at] == '_')) _at++;
        var word = sql[start.._at];
        if (_at >= sql.Length || sql[_at] is not ('\'' or '"')) return (Kind.Word, word);
        return word.ToUpperInvariant() switch
        {
            "R" => (Kind.Text, Quoted(Quote(), isRaw: true)),
            "B" => (Kind.Bytes, Quoted(Quote(), isRaw: false)),
            "RB" or "BR" => (Kind.Bytes, Quoted(Quote(), isRaw: true)),
            _ => (Kind.Word, word),
        };
    }

    private string Parameter()
    {
        var start = ++_at;
        while (_at < sql.Length && (char.IsAsciiLetterOrDigit(sql[_at]) || sql[_at] == '_')) _at++;
        return _at > start ? sql[start.._at] : throw Syntax("A parameter has no name");
    }

    private string Number()
    {
        var start = _at;
        while (_at < sql.Length
            && (char.IsAsciiLetterOrDigit(sql[_at]) || sql[_at] == '.' || (sql[_at] is '+' or '-' && sql[_at - 1] is 'e' or 'E'))) _at++;
        return sql[start.._at];
    }

    private string Quote()
    {
        var one = sql[_at].ToString();
        return sql.AsSpan(_at).StartsWith(one + one + one) ? one + one + one : one;
    }

    private string Quoted(string quote, bool isRaw)
    {
        _at += quote.Length;
        var text = new StringBuilder();
        while (!sql.AsSpan(_at).StartsWith(quote))
        {
            if (_at >= sql.Length || (sql[_at] == '\n' && quote.Length == 1)) throw Syntax("Unclosed string literal");
            if (sql[_at] != '\\')
            {
                text.Append(sql[_at++]);
                continue;
            }

            if (_at + 1 >= sql.Length) throw Syntax("Unclosed string literal");
            if (isRaw) text.Append(sql, _at, 2);
            else text.Append(Escaped(sql[_at + 1]));
            _at += 2;
        }

        _at += quote.Length;
        return text.ToString();
    }

    private char Escaped(char letter) => letter switch
    {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '\\' or '\'' or '"' or '`' or '?' => letter,
        _ => throw Syntax($"Escape \\{letter} is not kept here"),
    };

    private void Blank()
    {
        while (_at < sql.Length)
        {
            var rest = sql.AsSpan(_at);
            if (char.IsWhiteSpace(rest[0]))
            {
                _at++;
            }
            else if (rest[0] == '#' || rest.StartsWith("--"))
            {
                var line = rest.IndexOf('\n');
                _at += line < 0 ? rest.Length : line + 1;
            }
            else if (rest.StartsWith("/*"))
            {
                var close = rest[2..].IndexOf("*/");
                _at += close < 0 ? throw Syntax("Unclosed comment") : close + 4;
            }
            else
            {
                return;
            }
        }
    }

    private BigQueryError Syntax(string what) => BigQueryError.Invalid($"Syntax error: {what} at [1:{_at + 1}]");
}
