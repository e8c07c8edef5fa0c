namespace Agnes.Sql.BigQuery;

/// <summary>Literals, names, calls and everything else that needs no operator.</summary>
public sealed partial class Parser
{
    private Expression Primary()
    {
        switch (Current.Kind)
        {
            case TokenKind.Integer: return new Literal(LiteralKind.Integer, Hexadecimal(Take().Text));
            case TokenKind.Float: return new Literal(LiteralKind.Float, Take().Text.ToUpperInvariant());
            case TokenKind.String: return new Literal(LiteralKind.String, Take().Text);
            case TokenKind.Bytes: return new Literal(LiteralKind.Bytes, Take().Text);
            case TokenKind.Parameter: return new Parameter(Take().Text);
            case TokenKind.Quoted: return Named();
            case TokenKind.Word: return IsIdentifier(Current) ? Named() : Keyword();
        }

        if (TakeSymbol("[")) return new ArrayLiteral(null, Elements());
        return IsSymbol("(") ? Bracketed() : throw Unexpected("a value");
    }

    private static string Hexadecimal(string written) =>
        written.Length > 1 && written[1] is 'x' or 'X' ? string.Concat("0x", written[2..].ToUpperInvariant()) : written;

    private Expression Keyword()
    {
        var keyword = Current;
        var isCalled = IsSymbol(Ahead(1), "(");
        switch (keyword.Text.ToUpperInvariant())
        {
            case "NULL": return TakeLiteral(LiteralKind.Null);
            case "TRUE": return TakeLiteral(LiteralKind.True);
            case "FALSE": return TakeLiteral(LiteralKind.False);
            case "CASE": return Case();
            case "CAST" when isCalled: return Cast(isSafe: false);
            case "EXTRACT" when isCalled: return Extract();
            case "INTERVAL": return Interval();
            case "ARRAY": return Array();
            case "STRUCT": return Struct();
            case "EXISTS" when isCalled:
                _next++;
                return new Exists(InBrackets(Query));
            case "IF" or "LEFT" or "RIGHT" or "GROUPING" or "COLLATE" or "RANGE" when isCalled:
                _next++;
                return CallOf([keyword.Text]);
            case "WITH": throw NotSupported("WITH as an expression", keyword);
            case "NEW": throw NotSupported("NEW", keyword);
            default: throw Unexpected("a value");
        }
    }

    private Literal TakeLiteral(LiteralKind kind)
    {
        _next++;
        return new Literal(kind, "");
    }

    /// <summary>A column, a function, or a type before the text of a literal.</summary>
    private Expression Named()
    {
        var first = Current;
        if (first.Kind == TokenKind.Word)
        {
            if (Ahead(1).Kind == TokenKind.String && Words.Literals.Contains(first.Text))
            {
                _next++;
                return new TypedLiteral(first.Text.ToUpperInvariant(), Take().Text);
            }

            if (IsWord("SAFE_CAST") && IsSymbol(Ahead(1), "(")) return Cast(isSafe: true);
        }

        var names = new List<string> { Take().Text };
        while (IsSymbol(".") && Ahead(1).Kind is TokenKind.Word or TokenKind.Quoted)
        {
            _next++;
            names.Add(Take().Text);
        }

        if (IsSymbol("("))
        {
            var parts = names.SelectMany(name => name.Split('.')).ToList();
            if (parts.Contains("")) throw Fault(SyntaxFaultKind.Unparseable, "A name in backticks has an empty part", first);
            return CallOf(new NodeList<string>(parts));
        }

        if (names.Count == 1 && first.Kind == TokenKind.Word && Words.BareFunctions.Contains(first.Text)) return new Call([first.Text], []);
        return new NamePath(new NodeList<string>(names));
    }

    /// <summary>A value in brackets, several of them, or a query.</summary>
    private Expression Bracketed()
    {
        Expect("(");
        if (BeginsQuery())
        {
            var query = Query();
            Expect(")");
            return new Subquery(query);
        }

        var first = Expression();
        // What began as a query in brackets of its own may be the first of several.
        if (first is Subquery { Query: var begun } && ContinuesQuery())
        {
            var whole = QueryAfter(new NestedQuery(begun));
            Expect(")");
            return new Subquery(whole);
        }

        if (TakeSymbol(")")) return first;
        var items = new List<Expression> { first };
        while (TakeSymbol(",")) items.Add(Expression());
        Expect(")");
        return items.Count > 1 ? new TupleLiteral(new NodeList<Expression>(items)) : first;
    }

    private Call CallOf(NodeList<string> name)
    {
        Expect("(");
        if (BeginsQuery()) throw Unexpected("an argument; a query stands in brackets of its own");
        if (IsSymbol("*") && IsSymbol(Ahead(1), ")"))
        {
            _next += 2;
            return Windowed(new Call(name, [new Argument(null, new Star())]));
        }

        var isDistinct = TakeWord("DISTINCT");
        var call = new Call(name, IsSymbol(")") ? [] : CommaList(Argument)) { IsDistinct = isDistinct };
        if (TakeOneOf("IGNORE", "RESPECT") is { } nulls)
        {
            ExpectWord("NULLS");
            call = call with { Nulls = nulls };
        }

        if (TakeWord("HAVING"))
        {
            var which = TakeOneOf("MAX", "MIN") ?? throw Unexpected("MAX or MIN");
            call = call with { Having = new AggregateHaving(which, Expression()) };
        }

        if (TakeWords("ORDER", "BY")) call = call with { OrderBy = CommaList(OrderItem) };
        if (TakeWord("LIMIT")) call = call with { Limit = Count() };
        Expect(")");
        return Windowed(call);
    }

    private Call Windowed(Call call) => TakeWord("OVER") ? call with { Over = Window() } : call;

    private Argument Argument()
    {
        if (IsIdentifier(Current) && IsSymbol(Ahead(1), "=>"))
        {
            var name = Take().Text;
            _next++;
            return new Argument(name, Expression());
        }

        if ((IsWord("MODEL") || IsWord("TABLE") || IsWord("CONNECTION")) && Ahead(1).Kind is TokenKind.Word or TokenKind.Quoted)
            throw NotSupported($"{Current.Text.ToUpperInvariant()} as an argument", Current);
        var value = Expression();
        return IsSymbol("->") ? throw NotSupported("A lambda", Current) : new Argument(null, value);
    }

    private CaseExpression Case()
    {
        _next++;
        var of = IsWord("WHEN") ? null : Expression();
        var branches = new List<CaseBranch>();
        while (TakeWord("WHEN"))
        {
            var when = Expression();
            ExpectWord("THEN");
            branches.Add(new CaseBranch(when, Expression()));
        }

        if (branches.Count == 0) throw Unexpected("WHEN");
        var otherwise = TakeWord("ELSE") ? Expression() : null;
        ExpectWord("END");
        return new CaseExpression(of, new NodeList<CaseBranch>(branches), otherwise);
    }

    private Cast Cast(bool isSafe)
    {
        _next++;
        return InBrackets(() =>
        {
            var operand = Expression();
            ExpectWord("AS");
            var type = Type();
            var format = TakeWord("FORMAT") ? Expression() : null;
            return new Cast(operand, type, isSafe, format, format is null ? null : Zone());
        });
    }

    private Expression? Zone()
    {
        if (!TakeWord("AT")) return null;
        ExpectWord("TIME");
        ExpectWord("ZONE");
        return Expression();
    }

    private Extract Extract()
    {
        _next++;
        return InBrackets(() =>
        {
            var part = DatePart();
            if (part == "WEEK" && IsSymbol("("))
            {
                part = $"WEEK({InBrackets(WeekDay)})";
            }

            ExpectWord("FROM");
            var from = Expression();
            return new Extract(part, from, Zone());
        });
    }

    private string WeekDay() =>
        IsIdentifier(Current) && Words.WeekDays.Contains(Current.Text)
            ? Take().Text.ToUpperInvariant()
            : throw Unexpected("a day of the week");

    private string DatePart() =>
        Current.Kind == TokenKind.Word && Words.DateParts.Contains(Current.Text) ? Take().Text.ToUpperInvariant()
            : throw Unexpected("a part of a date");

    private IntervalLiteral Interval()
    {
        _next++;
        var amount = Expression();
        var part = DatePart();
        return new IntervalLiteral(amount, part, TakeWord("TO") ? DatePart() : null);
    }

    private Expression Array()
    {
        _next++;
        if (IsSymbol("(")) return new ArraySubquery(InBrackets(Query));
        var item = IsSymbol("<") ? InAngles(() => Type()) : null;
        Expect("[");
        return new ArrayLiteral(item, Elements());
    }

    private NodeList<Expression> Elements()
    {
        if (TakeSymbol("]")) return [];
        var items = CommaList(Expression);
        Expect("]");
        return items;
    }

    private StructLiteral Struct()
    {
        var type = IsSymbol(Ahead(1), "<") || IsSymbol(Ahead(1), "<>") ? Type() : null;
        if (type is null) _next++;
        var fields = InBrackets(() => IsSymbol(")") ? [] : CommaList(StructField));
        return new StructLiteral(type, fields);
    }

    private StructField StructField()
    {
        var value = Expression();
        return new StructField(value, TakeWord("AS") ? Identifier("a name after AS") : null);
    }

    private T InAngles<T>(Func<T> inside)
    {
        Expect("<");
        var value = inside();
        Expect(">");
        return value;
    }
}
