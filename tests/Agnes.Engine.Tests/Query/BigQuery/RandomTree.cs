using Agnes.Sql.BigQuery;

namespace Agnes.Engine.Tests.Query.BigQuery;

/// <summary>Trees as the parser could have made them, of every kind of node, with names and texts that want to be something else.</summary>
internal sealed class RandomTree(int seed)
{
    private static readonly string[] Names =
    [
        "a", "b1", "_x", "Orders", "select", "DATE", "current_date", "safe_cast", "offset", "my col", "9x", "a`b", "ü", "😀", "'", "\\",
        "--", "/*", "#", ";", "a\nb", "pivot", "bq",
    ];

    private static readonly string[] Texts =
        ["", "x", "it's", "\"", "\\", "\\'", "--", "/* */", "a\nb", "\0", "\u2028", "ÿ", "😀", "'''", "`", "@p", "\t\r", ") OR (1=1"];

    private static readonly string[] Parts = ["DAY", "HOUR", "MICROSECOND", "YEAR", "ISOWEEK"];

    private readonly Random _random = new(seed);

    public Expression Expression(int depth)
    {
        if (depth <= 0) return Leaf();
        var d = depth - 1;
        return _random.Next(24) switch
        {
            0 => new Logical(Pick("AND", "OR"), Many(2, 3, () => Expression(d))),
            1 => new Unary(Pick("-", "+", "~", "NOT"), Expression(d)),
            2 or 3 =>
                new Binary(Pick("+", "-", "*", "/", "||", "|", "&", "^", "<<", ">>", "=", "<", ">", "<=", ">=", "!="), Expression(d),
                Expression(d)),
            4 => new IsTest(Expression(d), Flip(), Pick("NULL", "TRUE", "FALSE", "UNKNOWN")),
            5 => new IsDistinct(Expression(d), Flip(), Expression(d)),
            6 => new Between(Expression(d), Flip(), Expression(d), Expression(d)),
            7 => new Like(Expression(d), Flip(), Expression(d)),
            8 => new LikeMany(Expression(d), Flip(), Pick("ANY", "SOME", "ALL"), Values(d)),
            9 => new In(Expression(d), Flip(), Values(d)),
            10 => new CaseExpression(Maybe(() => Expression(d)), Many(1, 2, () => new CaseBranch(Expression(d), Expression(d))),
                Maybe(() => Expression(d))),
            11 => Cast(d),
            12 => new Extract(Pick("DAY", "DATE", "WEEK(MONDAY)", "YEAR"), Expression(d), Maybe(() => Expression(d))),
            13 => new IntervalLiteral(Expression(d), Pick(Parts), Maybe(() => Pick(Parts))),
            14 => new ElementAccess(Expression(d), Maybe(() => Pick("OFFSET", "ORDINAL", "SAFE_OFFSET", "SAFE_ORDINAL")), Expression(d)),
            15 => new FieldAccess(Expression(d), Name()),
            16 => new ArrayLiteral(Maybe(() => Type(1)), Many(0, 2, () => Expression(d))),
            17 => new StructLiteral(Maybe(() => new SqlType("STRUCT", Many(0, 2, () => new TypeField(Maybe(Name), Type(1))), [])),
                Many(0, 2, () => new StructField(Expression(d), Maybe(Name)))),
            18 => new TupleLiteral(Many(2, 3, () => Expression(d))),
            19 => _random.Next(3) switch { 0 => new Subquery(Query(d)), 1 => new Exists(Query(d)), _ => new ArraySubquery(Query(d)) },
            _ => Call(d),
        };
    }

    public QueryExpression Query(int depth)
    {
        var body = Body(depth);
        var with = Many(0, 1, () => new CommonTable(Name(), Query(depth - 2)));
        var order = Many(0, 1, () => Order(depth - 1));
        var limit = Maybe(Count);
        if (body is NestedQuery nested && with.Count + order.Count == 0 && limit is null) return nested.Query;
        return new QueryExpression(with, body, order, limit, limit is null ? null : Maybe(Count));
    }

    private QueryBody Body(int depth) => (depth > 0 ? _random.Next(4) : 9) switch
    {
        0 => new SetOperation(Pick("UNION ALL", "UNION DISTINCT", "INTERSECT DISTINCT", "EXCEPT DISTINCT"),
            Many(2, 3, () => Operand(depth - 1))),
        _ => Operand(depth),
    };

    private QueryBody Operand(int depth) => depth > 0 && _random.Next(4) == 0 ? new NestedQuery(Query(depth - 1)) : Select(depth - 1);

    private Select Select(int d) => new(Flip(), Maybe(() => Pick("STRUCT", "VALUE")), Many(1, 2, () => Item(d)))
    {
        From = _random.Next(4) == 0 ? null : From(d),
        Where = Maybe(() => Expression(d)),
        GroupBy = Maybe(() => _random.Next(3) == 0 ? new GroupBy(true, []) : new GroupBy(false, Many(1, 2, () => Grouping(2, d)))),
        Having = Maybe(() => Expression(d)),
        Qualify = Maybe(() => Expression(d)),
        Windows = Many(0, 1, () => new NamedWindow(Name(), Window(d))),
    };

    private SelectItem Item(int d)
    {
        if (_random.Next(3) > 0) return new SelectedValue(Expression(d), Maybe(Name));
        Expression? of = _random.Next(5) switch
        {
            0 => Path(),
            1 => new FieldAccess(Path(), Name()),
            2 => new ElementAccess(Path(), null, Leaf()),
            3 => Call(d),
            _ => null,
        };
        return new SelectedStar(of, Many(0, 2, Name), Many(0, 1, () => new Replacement(Expression(d), Name())));
    }

    private Grouping Grouping(int sets, int d) => _random.Next(5) switch
    {
        0 => new Grouping(Pick("ROLLUP", "CUBE"), Many(1, 2, () => Expression(d)), []),
        1 when sets > 0 => new Grouping("GROUPING SETS", [], Many(1, 2, () => Grouping(sets - 1, d))),
        2 => new Grouping(null, [new TupleLiteral([])], []),
        _ => new Grouping(null, [Expression(d)], []),
    };

    private TableExpression From(int d)
    {
        if (d > 0 && _random.Next(3) == 0)
        {
            var kind = Pick(",", "CROSS", "INNER", "LEFT", "RIGHT", "FULL");
            var isBound = kind is not ("," or "CROSS");
            var on = isBound ? Maybe(() => Expression(d - 1)) : null;
            return new Join(From(d - 1), kind, From(d - 1), on, isBound && on is null ? Many(0, 2, Name) : []);
        }

        return _random.Next(4) switch
        {
            0 => new Unnest(Expression(d), Maybe(Name), Offset()),
            1 when d > 0 => new DerivedTable(Query(d - 1), Maybe(Name)),
            _ => new TableName(Many(1, 3, Name), Maybe(Name))
            {
                OffsetAlias = Offset(),
                SystemTime = Maybe(() => Expression(d - 1)),
                SamplePercent = Maybe(() => new Literal(LiteralKind.Float, "1.5")),
            },
        };
    }

    private string? Offset() => _random.Next(4) switch { 0 => "", 1 => Name(), _ => null };

    private Call Call(int d)
    {
        var name = _random.Next(4) == 0 ? Many(1, 3, Name)
            : [Pick("UPPER", "if", "DATE", "current_date", "cast", "COUNT", "left", "safe_cast")];
        if (_random.Next(6) == 0) return new Call(name, [new Argument(null, new Star())]) { Over = Maybe(() => Window(d)) };
        if (_random.Next(6) == 0) return new Call(name, []);
        return new Call(name, Many(1, 3, () => new Argument(_random.Next(6) == 0 ? Name() : null, Expression(d))))
        {
            IsDistinct = _random.Next(6) == 0,
            Nulls = _random.Next(6) == 0 ? Pick("IGNORE", "RESPECT") : null,
            Having = _random.Next(6) == 0 ? new AggregateHaving(Pick("MAX", "MIN"), Expression(d)) : null,
            OrderBy = Many(0, 1, () => Order(d)),
            Limit = Maybe(Count),
            Over = Maybe(() => Window(d)),
        };
    }

    private WindowSpec Window(int d)
    {
        if (_random.Next(3) == 0) return new WindowSpec(Name(), true, [], [], null);
        var frame = Maybe(() => new WindowFrame(Pick("ROWS", "RANGE"), Bound(d), Maybe(() => Bound(d))));
        return new WindowSpec(Maybe(Name), false, Many(0, 2, () => Expression(d)), Many(0, 1, () => Order(d)), frame);
    }

    private FrameBound Bound(int d) =>
        Flip() ? new FrameBound(Pick("CURRENT ROW", "UNBOUNDED PRECEDING", "UNBOUNDED FOLLOWING"), null)
            : new FrameBound(Pick("PRECEDING", "FOLLOWING"), Expression(d));

    private OrderItem Order(int d) => new(Expression(d), Maybe(() => Pick("ASC", "DESC")), Maybe(() => Pick("FIRST", "LAST")));

    private Cast Cast(int d)
    {
        var format = Maybe(() => Expression(d));
        return new Cast(Expression(d), Type(2), Flip(), format, format is null ? null : Maybe(() => Expression(d)));
    }

    private SqlType Type(int depth) => (depth > 0 ? _random.Next(4) : 9) switch
    {
        0 => new SqlType("ARRAY", [new TypeField(null, Type(depth - 1))], []),
        1 => new SqlType("STRUCT", Many(0, 2, () => new TypeField(Maybe(Name), Type(depth - 1))), []),
        2 => new SqlType("NUMERIC", [], ["10", "2"]),
        _ => new SqlType(Pick("INT64", "STRING", "DATE", "INTERVAL"), [], []),
    };

    private ManyValues Values(int d) => _random.Next(3) switch
    {
        0 => new ArrayValues(Expression(d)),
        1 => new QueriedValues(Query(d)),
        _ => new ListedValues(Many(1, 3, () => Expression(d))),
    };

    private Expression Leaf() => _random.Next(8) switch
    {
        0 => new Literal(LiteralKind.Integer, Pick("0", "17", "0xFF", "99999999999999999999")),
        1 => new Literal(LiteralKind.Float, Pick("1.5", ".5", "1.", "1E10", "1.E-5")),
        2 => new Literal(LiteralKind.String, Pick(Texts)),
        3 => new Literal(LiteralKind.Bytes, Pick("", "x", "\0ÿ'", "\\n")),
        4 => new Literal((LiteralKind)_random.Next(3), ""),
        5 => new TypedLiteral(Pick("DATE", "TIMESTAMP", "NUMERIC", "JSON"), Pick(Texts)),
        6 => new Parameter(Pick("@p", "?", "@@error.message")),
        _ => Path(),
    };

    private NamePath Path() => new(Many(1, 3, Name));

    private Literal Count() => new(LiteralKind.Integer, "10");

    private string Name() => Pick(Names);

    private string Pick(params ReadOnlySpan<string> from) => from[_random.Next(from.Length)];

    private bool Flip() => _random.Next(2) == 0;

    private T? Maybe<T>(Func<T> make)
        where T : class => _random.Next(3) == 0 ? make() : null;

    private NodeList<T> Many<T>(int min, int max, Func<T> make) =>
        new([.. Enumerable.Range(0, _random.Next(min, max + 1)).Select(_ => make())]);
}
