namespace Agnes.Sql.BigQuery;

/// <summary>
/// Checks a statement in BigQuery's dialect and writes it anew. Each table becomes its full name, so that nothing which BigQuery would
/// look up remains; a query of WITH is named exactly as it was defined, so that no rule of upper and lower case decides between the two;
/// an array behind a comma becomes UNNEST, which is no table to anybody. What is not known here is refused.
/// </summary>
public sealed partial class StatementRewriter : TreeMap
{
    private readonly Func<TableReference, Resolution> _resolve;
    private readonly List<ResolvedReference> _tables = [];

    /// <summary>Queries of WITH that can be named here, the nearest last.</summary>
    private CommonNames? _common;

    /// <summary>Tables whose columns can be named here, the nearest last.</summary>
    private RowNames? _rows;

    private StatementRewriter(Func<TableReference, Resolution> resolve) => _resolve = resolve;

    /// <param name="resolve">Says of each table that is named what it is, or why the asker may not read it.</param>
    public static RewrittenStatement Rewrite(string statement, Func<TableReference, Resolution> resolve)
    {
        try
        {
            var rewriter = new StatementRewriter(resolve);
            var tree = rewriter.Map(Parser.ParseStatement(statement));
            return new RewrittenStatement(Renderer.Render(tree), rewriter._tables, null, null);
        }
        catch (SyntaxFault fault)
        {
            return new RewrittenStatement(null, [], new Refusal(Kind(fault), fault.Describe(statement), fault.Name), null);
        }
        catch (RefusedStatement refused)
        {
            return new RewrittenStatement(null, [], refused.Refusal, refused.Reference);
        }
    }

    private static RefusalKind Kind(SyntaxFault fault) => fault.Kind switch
    {
        SyntaxFaultKind.SeveralStatements or SyntaxFaultKind.NotAQuery => RefusalKind.NotASelect,
        SyntaxFaultKind.TableFunction => RefusalKind.FunctionDenied,
        SyntaxFaultKind.TooLarge => RefusalKind.TooLarge,
        _ => RefusalKind.Broken,
    };

    /// <summary>What an expression may say: no parameters, which nobody would give, and functions of the list.</summary>
    public override Expression Map(Expression expression)
    {
        if (expression is Parameter parameter)
        {
            var isVariable = parameter.Text.StartsWith("@@", StringComparison.Ordinal);
            var shown = StatementGuard.Shorten(parameter.Text);
            throw new RefusedStatement(new Refusal(
                isVariable ? RefusalKind.FunctionDenied : RefusalKind.Broken, isVariable ? $"'{shown}' is not allowed in a query."
                    : $"There is no value for '{shown}'; write it into the query.", shown));
        }

        return base.Map(expression);
    }

    protected override Expression Map(Call call)
    {
        var name = call.Name.Count > 1 && EngineNames.Same(call.Name[0], "SAFE") ? call.Name.Skip(1) : call.Name;
        if (CalledFunctions.Allows(string.Join('.', name))) return base.Map(call);
        var shown = StatementGuard.Shorten(string.Join('.', call.Name));
        var nearest = CalledFunctions.Nearest(shown);
        throw new RefusedStatement(new Refusal(RefusalKind.FunctionDenied,
            $"Function '{shown}' is not allowed in a query.{StatementGuard.DidYouMean(nearest)}", shown)
        { Nearest = nearest });
    }

    protected override QueryExpression Map(QueryExpression query)
    {
        var (common, rows) = (_common, _rows);
        var with = query.With.Map(Define);
        var body = Map(query.Body);
        // Their names are those of the columns and, after one SELECT, of its tables; arrays in a query within need no more.
        if (query.Body is not Select) _rows = rows;
        var mapped = new QueryExpression(with, body, Map(query.OrderBy), MapOptional(query.Limit), MapOptional(query.Offset));
        (_common, _rows) = (common, rows);
        return mapped;
    }

    /// <summary>A query sees those that were defined before it, not itself, and no row of a query around it.</summary>
    private CommonTable Define(CommonTable defined)
    {
        var rows = _rows;
        _rows = null;
        var query = Map(defined.Query);
        _rows = rows;
        if (!TablePaths.IsName(defined.Name, isProject: false))
            throw new RefusedStatement(new Refusal(RefusalKind.Broken,
                $"'{StatementGuard.Shorten(defined.Name)}' is no name for a query of WITH."));
        _common = new CommonNames(defined.Name, _common);
        return new CommonTable(defined.Name, query);
    }

    /// <summary>Leaves the names of its tables behind, for the order of its rows.</summary>
    private QueryBody Map(QueryBody body)
    {
        var rows = _rows;
        switch (body)
        {
            case NestedQuery nested: return new NestedQuery(Map(nested.Query));
            case SetOperation operation:
                return operation with
                {
                    Inputs = operation.Inputs.Map(input =>
                    {
                        _rows = rows;
                        return Map(input);
                    }),
                };
            case Select select: return Map(select);
            default: throw new InvalidOperationException($"{body.GetType().Name} is not known.");
        }
    }

    private Select Map(Select select)
    {
        var from = select.From is null ? null : Map(select.From, _rows);
        return select with
        {
            From = from,
            Items = select.Items.Map(Map),
            Where = MapOptional(select.Where),
            GroupBy = select.GroupBy is null ? null : select.GroupBy with { Items = select.GroupBy.Items.Map(Map) },
            Having = MapOptional(select.Having),
            Qualify = MapOptional(select.Qualify),
            Windows = select.Windows.Map(window => window with { Spec = Map(window.Spec) }),
        };
    }

    private SelectItem Map(SelectItem item) => item switch
    {
        SelectedValue value => value with { Value = Map(value.Value) },
        SelectedStar star =>
            star with { Of = MapOptional(star.Of), Replace = star.Replace.Map(one => one with { Value = Map(one.Value) }) },
        _ => throw new InvalidOperationException($"{item.GetType().Name} is not known."),
    };

    private Grouping Map(Grouping grouping) => grouping with { Values = Map(grouping.Values), Sets = grouping.Sets.Map(Map) };

    private sealed record CommonNames(string Name, CommonNames? Before);

    private sealed record RowNames(string Name, RowNames? Before);
}
