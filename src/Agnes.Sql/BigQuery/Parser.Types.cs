namespace Agnes.Sql.BigQuery;

/// <summary>Types, windows and orders.</summary>
public sealed partial class Parser
{
    private SqlType Type() => Deeper(() =>
    {
        if (Current.Kind != TokenKind.Word) throw Unexpected("a type");
        var name = Current.Text.ToUpperInvariant();
        if (name is "ARRAY" or "RANGE")
        {
            _next++;
            return new SqlType(name, [InAngles(() => new TypeField(null, Type()))], []);
        }

        if (name == "STRUCT")
        {
            _next++;
            // Without fields the two angles are one token.
            return new SqlType(name, TakeSymbol("<>") ? [] : InAngles(() => IsSymbol(">") ? [] : CommaList(TypeField)), []);
        }

        if (!Words.Types.Contains(name)) throw Unexpected("a type");
        _next++;
        return new SqlType(name, [], IsSymbol("(") ? InBrackets(() => CommaList(TypeParameter)) : []);
    });

    private TypeField TypeField()
    {
        var isNamed = IsIdentifier(Current) && Ahead(1).Kind == TokenKind.Word;
        var name = isNamed ? Take().Text : null;
        return new TypeField(name, Type());
    }

    private string TypeParameter()
    {
        if (TakeWord("MAX")) return "MAX";
        return Current.Kind == TokenKind.Integer ? Hexadecimal(Take().Text) : throw Unexpected("a length");
    }

    private WindowSpec Window()
    {
        if (!IsSymbol("(")) return new WindowSpec(Identifier("a window"), IsNameAlone: true, [], [], null);
        return InBrackets(() =>
        {
            var isNamed = IsIdentifier(Current);
            var name = isNamed ? Take().Text : null;
            NodeList<Expression> partition = TakeWords("PARTITION", "BY") ? CommaList(Expression) : [];
            NodeList<OrderItem> order = TakeWords("ORDER", "BY") ? CommaList(OrderItem) : [];
            var frame = TakeOneOf("ROWS", "RANGE") is { } unit ? Frame(unit) : null;
            return new WindowSpec(name, IsNameAlone: false, partition, order, frame);
        });
    }

    private WindowFrame Frame(string unit)
    {
        if (!TakeWord("BETWEEN")) return new WindowFrame(unit, FrameBound(), null);
        var start = FrameBound();
        ExpectWord("AND");
        return new WindowFrame(unit, start, FrameBound());
    }

    private FrameBound FrameBound()
    {
        if (TakeWords("CURRENT", "ROW")) return new FrameBound("CURRENT ROW", null);
        if (TakeWord("UNBOUNDED")) return new FrameBound($"UNBOUNDED {Side()}", null);
        var distance = Operation(0);
        return new FrameBound(Side(), distance);
    }

    private string Side() => TakeOneOf("PRECEDING", "FOLLOWING") ?? throw Unexpected("PRECEDING or FOLLOWING");

    private OrderItem OrderItem()
    {
        var value = Expression();
        var direction = TakeOneOf("ASC", "DESC");
        string? nulls = null;
        if (TakeWord("NULLS")) nulls = TakeOneOf("FIRST", "LAST") ?? throw Unexpected("FIRST or LAST");
        return new OrderItem(value, direction, nulls);
    }

    /// <summary>How many rows: a whole number or a parameter.</summary>
    private Expression Count() =>
        Current.Kind is TokenKind.Integer or TokenKind.Parameter ? Primary() : throw Unexpected("a number of rows");
}
