namespace Agnes.Sql.BigQuery;

/// <summary>
/// Makes a tree anew, node by node. Whoever looks at a tree does it from here, so that no kind of node is passed over: one that is not
/// known is an error.
/// </summary>
public abstract class TreeMap
{
    public virtual Expression Map(Expression expression) => expression switch
    {
        Literal or TypedLiteral or Parameter or Star or NamePath => expression,
        Logical logical => logical with { Operands = Map(logical.Operands) },
        Unary unary => unary with { Operand = Map(unary.Operand) },
        Binary binary => binary with { Left = Map(binary.Left), Right = Map(binary.Right) },
        IsTest test => test with { Operand = Map(test.Operand) },
        IsDistinct distinct => distinct with { Left = Map(distinct.Left), Right = Map(distinct.Right) },
        Between between => between with { Operand = Map(between.Operand), Low = Map(between.Low), High = Map(between.High) },
        Like like => like with { Operand = Map(like.Operand), Pattern = Map(like.Pattern) },
        LikeMany many => many with { Operand = Map(many.Operand), Patterns = Map(many.Patterns) },
        In within => within with { Operand = Map(within.Operand), Values = Map(within.Values) },
        CaseExpression one => one with
        {
            Of = MapOptional(one.Of),
            Branches = one.Branches.Map(branch => new CaseBranch(Map(branch.When), Map(branch.Then))),
            Else = MapOptional(one.Else),
        },
        Cast cast => cast with { Operand = Map(cast.Operand), Format = MapOptional(cast.Format), Zone = MapOptional(cast.Zone) },
        Extract extract => extract with { From = Map(extract.From), Zone = MapOptional(extract.Zone) },
        IntervalLiteral interval => interval with { Amount = Map(interval.Amount) },
        FieldAccess field => field with { Of = Map(field.Of) },
        ElementAccess element => element with { Of = Map(element.Of), Index = Map(element.Index) },
        Call call => Map(call),
        ArrayLiteral array => array with { Items = Map(array.Items) },
        StructLiteral structure => structure with { Fields = structure.Fields.Map(field => field with { Value = Map(field.Value) }) },
        TupleLiteral tuple => tuple with { Items = Map(tuple.Items) },
        Subquery subquery => new Subquery(Map(subquery.Query)),
        Exists exists => new Exists(Map(exists.Query)),
        ArraySubquery array => new ArraySubquery(Map(array.Query)),
        _ => throw new InvalidOperationException($"{expression.GetType().Name} is not known."),
    };

    /// <summary>A query inside of an expression.</summary>
    protected abstract QueryExpression Map(QueryExpression query);

    protected virtual Expression Map(Call call) => call with
    {
        Arguments = call.Arguments.Map(argument => argument with { Value = Map(argument.Value) }),
        Having = call.Having is null ? null : call.Having with { By = Map(call.Having.By) },
        OrderBy = Map(call.OrderBy),
        Limit = MapOptional(call.Limit),
        Over = call.Over is null ? null : Map(call.Over),
    };

    protected virtual ManyValues Map(ManyValues values) => values switch
    {
        ListedValues listed => new ListedValues(Map(listed.Items)),
        ArrayValues array => new ArrayValues(Map(array.Array)),
        QueriedValues queried => new QueriedValues(Map(queried.Query)),
        _ => throw new InvalidOperationException($"{values.GetType().Name} is not known."),
    };

    protected NodeList<Expression> Map(NodeList<Expression> expressions) => expressions.Map(Map);

    protected Expression? MapOptional(Expression? expression) => expression is null ? null : Map(expression);

    protected NodeList<OrderItem> Map(NodeList<OrderItem> items) => items.Map(item => item with { Value = Map(item.Value) });

    protected WindowSpec Map(WindowSpec window) => window with
    {
        PartitionBy = Map(window.PartitionBy),
        OrderBy = Map(window.OrderBy),
        Frame = window.Frame is null ? null
            : window.Frame with { Start = Map(window.Frame.Start), End = window.Frame.End is null ? null : Map(window.Frame.End) },
    };

    private FrameBound Map(FrameBound bound) => bound with { Distance = MapOptional(bound.Distance) };
}
