namespace Agnes.Sql.BigQuery;

/// <summary>What stands behind FROM.</summary>
public sealed partial class Parser
{
    /// <summary>What the source itself is called before a data set: <c>bq."ds"."t"</c>.</summary>
    public const string SourceName = "bq";

    private TableExpression From()
    {
        var left = Table();
        var levels = 0;
        while (JoinKind() is { } kind)
        {
            Descend(1);
            levels++;
            left = Joined(left, kind, Table());
        }

        _depth -= levels;
        if (IsPivot()) throw NotSupported(Current.Text.ToUpperInvariant(), Current);
        return left;
    }

    private string? JoinKind()
    {
        if (TakeSymbol(",")) return ",";
        if (TakeWord("JOIN")) return "INNER";
        var isPlain = IsWord(Ahead(1), "JOIN");
        if ((IsWord("CROSS") || IsWord("INNER")) && isPlain)
        {
            var kind = TakeOneOf("CROSS", "INNER");
            _next++;
            return kind;
        }

        if (TakeOneOf("LEFT", "RIGHT", "FULL") is not { } side) return null;
        TakeWord("OUTER");
        ExpectWord("JOIN");
        return side;
    }

    private Join Joined(TableExpression left, string kind, TableExpression right)
    {
        if (kind is not ("," or "CROSS"))
        {
            if (TakeWord("ON")) return new Join(left, kind, right, Expression(), []);
            if (TakeWord("USING")) return new Join(left, kind, right, null, InBrackets(() => CommaList(() => Identifier("a column"))));
        }

        return new Join(left, kind, right, null, []);
    }

    private TableExpression Table() => Deeper(() =>
    {
        if (IsSymbol("(")) return BracketedTable();
        if (!IsWord("UNNEST")) return NamedTable();
        _next++;
        var array = InBrackets(Expression);
        var alias = Alias();
        return new Unnest(array, alias, OffsetAlias());
    });

    /// <summary>A query, or tables that are joined first.</summary>
    private TableExpression BracketedTable()
    {
        Expect("(");
        if (BeginsQuery()) return Derived(Query());
        var first = From();
        if (first is DerivedTable { Alias: null, Query: var begun })
        {
            if (ContinuesQuery()) return Derived(QueryAfter(new NestedQuery(begun)));
            return Derived(begun);
        }

        if (first is not Join) throw Unexpected("JOIN");
        Expect(")");
        return first;
    }

    private DerivedTable Derived(QueryExpression query)
    {
        Expect(")");
        return new DerivedTable(query, Alias());
    }

    private string? OffsetAlias()
    {
        if (!TakeWords("WITH", "OFFSET")) return null;
        return Alias() ?? "";
    }

    private TableName NamedTable()
    {
        var at = Current.At;
        var parts = TablePath();
        if (IsSymbol("("))
        {
            var function = string.Join('.', parts);
            throw new SyntaxFault(SyntaxFaultKind.TableFunction, $"Function '{StatementGuard.Shorten(function)}' is not allowed in FROM",
                at, function);
        }

        var early = SystemTime();
        var table = new TableName(parts, Alias(), at);
        table = table with { OffsetAlias = OffsetAlias(), SystemTime = early ?? SystemTime() };
        if (!TakeWord("TABLESAMPLE")) return table;
        ExpectWord("SYSTEM");
        return table with
        {
            SamplePercent = InBrackets(() =>
            {
                var share = Current.Kind is TokenKind.Integer or TokenKind.Float or TokenKind.Parameter ? Primary()
                    : throw Unexpected("a number");
                ExpectWord("PERCENT");
                return share;
            }),
        };
    }

    private Expression? SystemTime()
    {
        if (!TakeWord("FOR")) return null;
        if (!TakeWords("SYSTEM", "TIME")) ExpectWord("SYSTEM_TIME");
        ExpectWord("AS");
        ExpectWord("OF");
        return Expression();
    }

    private NodeList<string> TablePath()
    {
        var parts = new List<string>();
        var first = Current;
        var endsInDot = false;
        if (first is { Kind: TokenKind.String, IsDoubleQuoted: true } && EngineNames.Same(first.Text, SourceName)) parts.Add(Take().Text);
        else if (first.Kind == TokenKind.Quoted) AddQuoted(parts);
        else parts.Add(DashedName(out endsInDot));
        var isOfSource = EngineNames.Same(parts[0], SourceName);
        if (first.Kind == TokenKind.String && !IsSymbol(".")) throw Unexpected("'.' behind the source");
        while (endsInDot || TakeSymbol("."))
        {
            endsInDot = false;
            if (Current.Kind == TokenKind.Quoted) AddQuoted(parts);
            else if (isOfSource && Current is { Kind: TokenKind.String, IsDoubleQuoted: true }) parts.Add(Take().Text);
            else parts.Add(NameAfterDot());
        }

        return new NodeList<string>(parts);
    }

    /// <summary>A project may have dashes without backticks, as long as no blank stands between.</summary>
    private string DashedName(out bool endsInDot)
    {
        endsInDot = false;
        if (Current.Kind == TokenKind.String)
            throw Fault(SyntaxFaultKind.Unparseable, "A table is named in backticks; text in quotes is a value", Current);
        var name = Identifier("a table");
        while (!endsInDot && IsSymbol("-") && _tokens[_next - 1].End == Current.At && Touch(0, 1))
        {
            var after = Ahead(1);
            endsInDot = after.Kind == TokenKind.Float && after.Text.EndsWith('.')
                && after.Text.AsSpan(0, after.Text.Length - 1).IndexOfAnyExceptInRange('0', '9') < 0;
            if (!endsInDot && after.Kind is not (TokenKind.Word or TokenKind.Integer))
                throw Unexpected("a name without '-', or backticks around it");
            name = $"{name}-{after.Text.TrimEnd('.')}";
            _next += 2;
        }

        return name;
    }

    /// <summary>Dots in backticks divide, but for those of the domain that a project may begin with: <c>example.com:project</c>.</summary>
    private void AddQuoted(List<string> parts)
    {
        var token = Take();
        var afterDomain = parts.Count == 0 ? token.Text.IndexOf(':', StringComparison.Ordinal) + 1 : 0;
        var names = token.Text[afterDomain..].Split('.');
        names[0] = token.Text[..afterDomain] + names[0];
        if (names.Contains("")) throw Fault(SyntaxFaultKind.Unparseable, "A name in backticks has an empty part", token);
        parts.AddRange(names);
    }
}
