namespace Agnes.Sql.BigQuery;

/// <summary>Queries, from WITH to LIMIT.</summary>
public sealed partial class Parser
{
    private QueryExpression Query() => Deeper(() =>
    {
        NodeList<CommonTable> with = [];
        if (TakeWord("WITH"))
        {
            if (IsWord("RECURSIVE")) throw NotSupported("WITH RECURSIVE", Current);
            with = CommaList(CommonTable);
        }

        var query = QueryAfter(QueryOperand()) with { With = with };
        // Brackets around all of it say nothing.
        return query is { With.Count: 0, Body: NestedQuery inner, OrderBy.Count: 0, Limit: null } ? inner.Query : query;
    });

    private CommonTable CommonTable()
    {
        var name = Identifier("a name for the query");
        ExpectWord("AS");
        return new CommonTable(name, InBrackets(Query));
    }

    private bool ContinuesQuery() => IsWord("UNION") || IsWord("INTERSECT") || IsWord("EXCEPT") || IsWord("ORDER") || IsWord("LIMIT");

    /// <summary>What can follow a first operand: others, an order and a limit.</summary>
    private QueryExpression QueryAfter(QueryBody first)
    {
        var body = SetOperation(first);
        NodeList<OrderItem> order = TakeWords("ORDER", "BY") ? CommaList(OrderItem) : [];
        var limit = TakeWord("LIMIT") ? Count() : null;
        var offset = limit is not null && TakeWord("OFFSET") ? Count() : null;
        return new QueryExpression([], body, order, limit, offset);
    }

    private QueryBody SetOperation(QueryBody first)
    {
        if (SetOperator() is not { } found) return first;
        var inputs = new List<QueryBody> { first };
        string? next = found;
        for (; next is not null; next = SetOperator())
        {
            if (next != found) throw Unexpected("brackets: different set operations do not follow each other");
            inputs.Add(QueryOperand());
        }

        return new SetOperation(found, new NodeList<QueryBody>(inputs));
    }

    private string? SetOperator()
    {
        if (TakeOneOf("UNION", "INTERSECT", "EXCEPT") is not { } word) return null;
        if (word == "UNION" && TakeWord("ALL")) return "UNION ALL";
        ExpectWord("DISTINCT");
        return $"{word} DISTINCT";
    }

    private QueryBody QueryOperand() => IsSymbol("(") ? new NestedQuery(InBrackets(Query)) : Select();

    private Select Select()
    {
        ExpectWord("SELECT");
        var isDistinct = TakeWord("DISTINCT");
        if (!isDistinct) TakeWord("ALL");
        string? form = null;
        if (TakeWord("AS")) form = TakeOneOf("STRUCT", "VALUE") ?? throw Unexpected("STRUCT or VALUE");
        var select = new Select(isDistinct, form, SelectItems());
        if (TakeWord("FROM")) select = select with { From = From() };
        if (TakeWord("WHERE")) select = select with { Where = Expression() };
        if (TakeWords("GROUP", "BY")) select = select with { GroupBy = GroupBy() };
        if (TakeWord("HAVING")) select = select with { Having = Expression() };
        if (TakeWord("QUALIFY")) select = select with { Qualify = Expression() };
        return TakeWord("WINDOW") ? select with { Windows = CommaList(NamedWindow) } : select;
    }

    /// <summary>A comma after the last is allowed.</summary>
    private NodeList<SelectItem> SelectItems()
    {
        var items = new List<SelectItem>();
        do items.Add(SelectItem());
        while (TakeSymbol(",") && !IsWord("FROM") && Current.Kind != TokenKind.End && !IsSymbol(")"));
        return new NodeList<SelectItem>(items);
    }

    private SelectItem SelectItem()
    {
        if (TakeSymbol("*")) return Starred(null);
        var value = Expression();
        if (!IsSymbol(".") || !IsSymbol(Ahead(1), "*")) return new SelectedValue(value, Alias());
        if (value is not (NamePath or FieldAccess or ElementAccess or Call or Subquery or StructLiteral))
            throw Unexpected("a table or a structure before '.*'");
        _next += 2;
        return Starred(value);
    }

    private SelectedStar Starred(Expression? of)
    {
        NodeList<string> except = [];
        if (IsWord("EXCEPT") && IsSymbol(Ahead(1), "("))
        {
            _next++;
            except = InBrackets(() => CommaList(() => Identifier("a column")));
        }

        return new SelectedStar(of, except, TakeWord("REPLACE") ? InBrackets(() => CommaList(Replacement)) : []);
    }

    private Replacement Replacement()
    {
        var value = Expression();
        ExpectWord("AS");
        return new Replacement(value, Identifier("a column"));
    }

    private GroupBy GroupBy() => TakeWord("ALL") ? new GroupBy(true, []) : new GroupBy(false, CommaList(Grouping));

    private Grouping Grouping() => Deeper(() =>
    {
        if (TakeOneOf("ROLLUP", "CUBE") is { } kind) return new Grouping(kind, InBrackets(() => CommaList(Expression)), []);
        if (IsWord("GROUPING") && IsWord(Ahead(1), "SETS"))
        {
            _next += 2;
            return new Grouping("GROUPING SETS", [], InBrackets(() => CommaList(Grouping)));
        }

        if (!IsSymbol("(") || !IsSymbol(Ahead(1), ")")) return new Grouping(null, [Expression()], []);
        _next += 2;
        return new Grouping(null, [new TupleLiteral([])], []);
    });

    private NamedWindow NamedWindow()
    {
        var name = Identifier("a window");
        ExpectWord("AS");
        return new NamedWindow(name, Window());
    }
}
