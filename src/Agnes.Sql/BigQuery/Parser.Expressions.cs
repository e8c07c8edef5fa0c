namespace Agnes.Sql.BigQuery;

/// <summary>Operators, loosest first: OR, AND, NOT, comparisons, |, ^, &amp;, shifts, sums, products, signs, fields and elements.</summary>
public sealed partial class Parser
{
    private static readonly string[] Comparisons = ["=", "<", ">", "<=", ">=", "!=", "<>"];

    private Expression Expression() => Deeper(() => Logical("OR", () => Logical("AND", Negation)));

    private Expression Logical(string word, Func<Expression> operand)
    {
        var first = operand();
        if (!IsWord(word)) return first;
        var operands = new List<Expression> { first };
        while (TakeWord(word)) operands.Add(operand());
        return new Logical(word, new NodeList<Expression>(operands));
    }

    private Expression Negation() => TakeWord("NOT") ? Deeper(() => new Unary("NOT", Negation())) : Comparison();

    /// <summary>None of these follows another without brackets.</summary>
    private Expression Comparison()
    {
        var left = Operation(0);
        if (ComparisonOperator() is { } comparison) return new Binary(comparison, left, Operation(0));
        if (TakeWord("IS")) return Is(left);
        var isNegated = IsWord("NOT")
            && (IsWord(Ahead(1), "LIKE") || IsWord(Ahead(1), "ILIKE") || IsWord(Ahead(1), "IN") || IsWord(Ahead(1), "BETWEEN"));
        if (isNegated) _next++;
        if (TakeWord("BETWEEN"))
        {
            var low = Operation(0);
            ExpectWord("AND");
            return new Between(left, isNegated, low, Operation(0));
        }

        if (TakeWord("LIKE")) return Like(left, isNegated);
        // Of the contract too. It is no keyword here, so behind a value it may also be an alias, which nothing with a value follows.
        if (IsWord("ILIKE") && (isNegated || BeginsValue(Ahead(1))))
        {
            _next++;
            return new Like(Function("LOWER", left), isNegated, Function("LOWER", Operation(0)));
        }

        return TakeWord("IN") ? new In(left, isNegated, Many()) : left;
    }

    private static bool BeginsValue(Token token) =>
        IsIdentifier(token) || IsSymbol(token, "(")
            || token.Kind is TokenKind.String or TokenKind.Integer or TokenKind.Float or TokenKind.Bytes or TokenKind.Parameter;

    private static Call Function(string name, params ReadOnlySpan<Expression> arguments)
    {
        var values = new List<Argument>();
        foreach (var argument in arguments) values.Add(new Argument(null, argument));
        return new Call([name], new NodeList<Argument>(values));
    }

    private string? ComparisonOperator()
    {
        if (Current.Kind != TokenKind.Symbol) return null;
        if (IsSymbol(">") && IsSymbol(Ahead(1), "=") && Touch(0, 1))
        {
            _next += 2;
            return ">=";
        }

        if (!Comparisons.Contains(Current.Text)) return null;
        var written = Take().Text;
        return written == "<>" ? "!=" : written;
    }

    private Expression Is(Expression left)
    {
        var isNegated = TakeWord("NOT");
        if (TakeWord("DISTINCT"))
        {
            ExpectWord("FROM");
            return new IsDistinct(left, isNegated, Operation(0));
        }

        return new IsTest(left, isNegated, TakeOneOf("NULL", "TRUE", "FALSE", "UNKNOWN")
            ?? throw Unexpected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM"));
    }

    private Expression Like(Expression left, bool isNegated) =>
        TakeOneOf("ANY", "SOME", "ALL") is { } quantifier ? new LikeMany(left, isNegated, quantifier, Many())
            : new Like(left, isNegated, Operation(0));

    private ManyValues Many()
    {
        if (TakeWord("UNNEST")) return new ArrayValues(InBrackets(Expression));
        return InBrackets<ManyValues>(() =>
        {
            if (BeginsQuery()) return new QueriedValues(Query());
            var items = CommaList(Expression);
            // What began as a query in brackets of its own may be the first of several.
            return items is [Subquery { Query: var begun }] && ContinuesQuery() ? new QueriedValues(QueryAfter(new NestedQuery(begun)))
                : new ListedValues(items);
        });
    }

    private bool BeginsQuery() => IsWord("SELECT") || (IsWord("WITH") && !IsSymbol(Ahead(1), "("));

    /// <summary>Operators that bind left to right, from the rank given upwards. Each makes the tree one higher.</summary>
    private Expression Operation(int rank)
    {
        var left = Signed();
        var levels = 0;
        while (ArithmeticOperator() is { } found && found.Rank >= rank)
        {
            _next += found.Tokens;
            Descend(1);
            levels++;
            var right = Operation(found.Rank + 1);
            // The contract has it in both dialects, GoogleSQL has the function.
            left = found.Text == "%" ? Function("MOD", left, right) : new Binary(found.Text, left, right);
        }

        _depth -= levels;
        return left;
    }

    private (string Text, int Rank, int Tokens)? ArithmeticOperator()
    {
        if (Current.Kind != TokenKind.Symbol) return null;
        if (IsSymbol(">") && IsSymbol(Ahead(1), ">") && Touch(0, 1)) return (">>", OperatorRank.Of(">>"), 2);
        return OperatorRank.Of(Current.Text) is >= 0 and var rank ? (Current.Text, rank, 1) : null;
    }

    private bool Touch(int first, int second) => Ahead(first).End == Ahead(second).At;

    private Expression Signed() => Current is { Kind: TokenKind.Symbol, Text: "-" or "+" or "~" }
        ? Deeper(() => new Unary(Take().Text, Signed()))
        : WithFields();

    private Expression WithFields()
    {
        var of = Primary();
        var levels = 0;
        for (; ; levels++)
        {
            if (IsSymbol(".") && !IsSymbol(Ahead(1), "*"))
            {
                _next++;
                of = new FieldAccess(of, NameAfterDot());
                if (IsSymbol("(")) throw NotSupported("A call behind a dot", Current);
            }
            else if (TakeSymbol("[")) of = Element(of);
            else break;
            Descend(1);
        }

        _depth -= levels;
        return of;
    }

    private ElementAccess Element(Expression of)
    {
        string? count = null;
        if (IsSymbol(Ahead(1), "(")) count = TakeOneOf("OFFSET", "ORDINAL", "SAFE_OFFSET", "SAFE_ORDINAL");
        var index = count is null ? Expression() : InBrackets(Expression);
        Expect("]");
        return new ElementAccess(of, count, index);
    }
}

/// <summary>How tight a binary operator binds: more is tighter.</summary>
internal static class OperatorRank
{
    public static int Of(string symbol) => symbol switch
    {
        "|" => 0,
        "^" => 1,
        "&" => 2,
        "<<" or ">>" => 3,
        "+" or "-" => 4,
        "*" or "/" or "||" or "%" => 5,
        _ => -1,
    };
}
