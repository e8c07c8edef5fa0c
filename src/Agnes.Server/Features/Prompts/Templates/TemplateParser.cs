using System.Globalization;

namespace Agnes.Server.Features.Prompts.Templates;

/// <summary>Reads the part of Jinja2 that the documentation of the prompts names; everything else is an error with its line.</summary>
internal sealed class TemplateParser(IReadOnlyList<Token> tokens)
{
    private const int DepthMax = 60;

    /// <summary>Links of one chain (<c>a ~ b ~ c</c>, <c>x|f|g</c>): each is a level for whoever evaluates it, and a level takes of the stack.</summary>
    private const int LinksMax = 250;
    private static readonly HashSet<string> Reserved = new(StringComparer.Ordinal) { "and", "or", "not", "in", "if", "else", "elif", "for", "is", "endif", "endfor", "set" };

    private int _at;
    private int _depth;

    public IReadOnlyList<Node> Read()
    {
        var body = Body();
        return Current.Kind == TokenKind.End ? body : throw Fault($"'{Keyword()}' has no beginning");
    }

    private Token Current => tokens[_at];

    /// <summary>Until the end, or a block that is not a beginning; that block is left for the caller.</summary>
    private List<Node> Body()
    {
        Enter();
        var nodes = new List<Node>();
        while (true)
        {
            var token = Current;
            switch (token.Kind)
            {
                case TokenKind.Text:
                    _at++;
                    nodes.Add(new TextNode(token.Text, token.Line));
                    break;
                case TokenKind.OutputStart:
                    _at++;
                    nodes.Add(new OutputNode(Value(), token.Line));
                    Expect(TokenKind.OutputEnd, "}}");
                    break;
                case TokenKind.BlockStart when Keyword() is "if" or "for" or "set":
                    nodes.Add(Block());
                    break;
                default:
                    _depth--;
                    return nodes;
            }
        }
    }

    private Node Block()
    {
        var keyword = Keyword();
        var line = Current.Line;
        _at += 2;
        return keyword switch { "if" => If(line), "for" => For(line), _ => Set(line) };
    }

    private IfNode If(int line)
    {
        var branches = new List<(Expression?, IReadOnlyList<Node>)>();
        Expression? condition = Value();
        while (true)
        {
            Expect(TokenKind.BlockEnd, "%}");
            branches.Add((condition, Body()));
            var next = EndOf(line, "if");
            if (next is "endif") break;
            if (condition is null) throw Fault($"'{next}' after 'else'");
            condition = next switch { "elif" => Value(), "else" => null, _ => throw Fault($"'{next}' within the 'if' of line {line}") };
        }
        Expect(TokenKind.BlockEnd, "%}");
        return new IfNode(branches, line);
    }

    private ForNode For(int line)
    {
        var name = Name();
        if (!TakeName("in")) throw Fault("'for' needs 'in'");
        var items = Value();
        Expect(TokenKind.BlockEnd, "%}");
        var body = Body();
        IReadOnlyList<Node> otherwise = [];
        var next = EndOf(line, "for");
        if (next is "else")
        {
            Expect(TokenKind.BlockEnd, "%}");
            otherwise = Body();
            next = EndOf(line, "for");
        }
        if (next is not "endfor") throw Fault($"'{next}' within the 'for' of line {line}");
        Expect(TokenKind.BlockEnd, "%}");
        return new ForNode(name, items, body, otherwise, line);
    }

    private SetNode Set(int line)
    {
        var name = Name();
        Symbol("=");
        var value = Value();
        Expect(TokenKind.BlockEnd, "%}");
        return new SetNode(name, value, line);
    }

    /// <summary>The keyword of the block at hand, taken.</summary>
    private string EndOf(int line, string what)
    {
        if (Current.Kind != TokenKind.BlockStart) throw Fault($"the '{what}' of line {line} has no end");
        var keyword = Keyword();
        _at += 2;
        return keyword;
    }

    private Expression Value()
    {
        Enter();
        var then = Or();
        if (TakeName("if"))
        {
            var condition = Or();
            then = new Choice(then, condition, TakeName("else") ? Value() : null, then.Line);
        }
        _depth--;
        return then;
    }

    private Expression Or() => Chain(And, TakeWord("or"));

    private Expression And() => Chain(Not, TakeWord("and"));

    private Expression Not()
    {
        var line = Current.Line;
        if (!TakeName("not")) return Comparison();
        Enter();
        var operand = new Unary("not", Not(), line);
        _depth--;
        return operand;
    }

    private Expression Comparison()
    {
        var left = Joined();
        for (var links = 0; ; links++)
        {
            var line = Current.Line;
            RefuseLong(links);
            if (TakeSymbol("==", "!=", "<", ">", "<=", ">=") is { } comparison) left = new Binary(comparison, left, Joined(), line);
            else if (TakeName("in")) left = new Binary("in", left, Joined(), line);
            else if (IsName("not") && tokens[_at + 1] is { Kind: TokenKind.Name, Text: "in" })
            {
                _at += 2;
                left = new Unary("not", new Binary("in", left, Joined(), line), line);
            }
            else if (TakeName("is")) left = Test(left, line);
            else return left;
        }
    }

    private Defined Test(Expression operand, int line)
    {
        var negated = TakeName("not");
        var test = Name();
        return test switch { "defined" => new Defined(operand, negated, line), "undefined" => new Defined(operand, !negated, line), _ => throw Fault($"the test '{test}' is not known; there is 'defined'") };
    }

    private Expression Joined() => Chain(Sum, () => TakeSymbol("~"));

    private Expression Sum() => Chain(Sign, () => TakeSymbol("+", "-"));

    private Expression Sign()
    {
        var line = Current.Line;
        if (TakeSymbol("-") is null) return Postfix();
        Enter();
        var operand = new Unary("-", Sign(), line);
        _depth--;
        return operand;
    }

    private Expression Postfix()
    {
        var value = Primary();
        for (var links = 0; ; links++)
        {
            var line = Current.Line;
            RefuseLong(links);
            if (TakeSymbol(".") is not null) value = new Member(value, new Constant(Current.Kind == TokenKind.Integer ? Number() : Name(), line), line);
            else if (TakeSymbol("[") is not null)
            {
                value = new Member(value, Value(), line);
                Symbol("]");
            }
            else if (TakeSymbol("|") is not null) value = Filter(value, line);
            else return value;
        }
    }

    private Filter Filter(Expression input, int line)
    {
        var name = Name();
        var arguments = new List<Expression>();
        var named = new Dictionary<string, Expression>(StringComparer.Ordinal);
        if (TakeSymbol("(") is null) return new Filter(name, input, arguments, named, line);
        while (TakeSymbol(")") is null)
        {
            if (arguments.Count + named.Count > 0) Symbol(",");
            if (Current.Kind == TokenKind.Name && tokens[_at + 1] is { Kind: TokenKind.Symbol, Text: "=" })
            {
                var key = Name();
                Symbol("=");
                named[key] = Value();
            }
            else arguments.Add(Value());
        }
        return new Filter(name, input, arguments, named, line);
    }

    private Expression Primary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.String:
                _at++;
                return new Constant(token.Text, token.Line);
            case TokenKind.Integer:
                return new Constant(Number(), token.Line);
            case TokenKind.Real:
                _at++;
                return new Constant(double.Parse(token.Text, CultureInfo.InvariantCulture), token.Line);
            case TokenKind.Name when token.Text is "true" or "True" or "false" or "False":
                _at++;
                return new Constant(token.Text is "true" or "True", token.Line);
            case TokenKind.Name when token.Text is "none" or "None":
                _at++;
                return new Constant(null, token.Line);
            case TokenKind.Name:
                return new Variable(Name(), token.Line);
            case TokenKind.Symbol when token.Text == "(":
                _at++;
                var inner = Value();
                Symbol(")");
                return inner;
            default:
                throw Fault(token.Kind == TokenKind.Symbol ? $"a value was expected, not '{token.Text}'" : "a value was expected");
        }
    }

    private Expression Chain(Func<Expression> operand, Func<string?> take)
    {
        var left = operand();
        var links = 0;
        for (var line = Current.Line; take() is { } found; line = Current.Line)
        {
            RefuseLong(++links);
            left = new Binary(found, left, operand(), line);
        }

        return left;
    }

    private long Number() => long.Parse(tokens[_at++].Text, CultureInfo.InvariantCulture);

    private string Name()
    {
        if (Current.Kind != TokenKind.Name || Reserved.Contains(Current.Text)) throw Fault("a name was expected");
        return tokens[_at++].Text;
    }

    private string Keyword() => tokens[_at + 1] is { Kind: TokenKind.Name } word ? word.Text : "";

    private bool IsName(string text) => Current.Kind == TokenKind.Name && Current.Text == text;

    private bool TakeName(string text)
    {
        if (!IsName(text)) return false;
        _at++;
        return true;
    }

    private Func<string?> TakeWord(string word) => () => TakeName(word) ? word : null;

    private string? TakeSymbol(params string[] symbols)
    {
        if (Current.Kind != TokenKind.Symbol || !symbols.Contains(Current.Text, StringComparer.Ordinal)) return null;
        return tokens[_at++].Text;
    }

    private void Symbol(string symbol)
    {
        if (TakeSymbol(symbol) is null) throw Fault($"'{symbol}' was expected");
    }

    private void Expect(TokenKind kind, string text)
    {
        if (Current.Kind != kind) throw Fault($"'{text}' was expected");
        _at++;
    }

    private void RefuseLong(int links)
    {
        if (links > LinksMax) throw Fault($"more than {LinksMax} filters, fields or operators in a row: keep a part under a name with 'set'");
    }

    private void Enter()
    {
        if (++_depth > DepthMax) throw Fault($"it is nested deeper than {DepthMax} levels");
    }

    private TemplateException Fault(string what) => new($"line {Current.Line}: {what}");
}
