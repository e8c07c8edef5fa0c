namespace Agnes.Sql.BigQuery;

/// <summary>What can stand in brackets and yields rows.</summary>
public sealed record QueryExpression(NodeList<CommonTable> With, QueryBody Body, NodeList<OrderItem> OrderBy, Expression? Limit,
    Expression? Offset);

public sealed record CommonTable(string Name, QueryExpression Query);

public abstract record QueryBody;

/// <summary>A query in brackets.</summary>
public sealed record NestedQuery(QueryExpression Query) : QueryBody;

/// <param name="Operator"><c>UNION ALL</c>, <c>UNION DISTINCT</c>, <c>INTERSECT DISTINCT</c> or <c>EXCEPT DISTINCT</c>: GoogleSQL mixes
/// none without brackets.</param>
/// <param name="Inputs">Two or more.</param>
public sealed record SetOperation(string Operator, NodeList<QueryBody> Inputs) : QueryBody;

/// <param name="As"><c>STRUCT</c> or <c>VALUE</c>.</param>
public sealed record Select(bool IsDistinct, string? As, NodeList<SelectItem> Items) : QueryBody
{
    public TableExpression? From { get; init; }

    public Expression? Where { get; init; }

    public GroupBy? GroupBy { get; init; }

    public Expression? Having { get; init; }

    public Expression? Qualify { get; init; }

    public NodeList<NamedWindow> Windows { get; init; } = [];
}

public abstract record SelectItem;

public sealed record SelectedValue(Expression Value, string? Alias) : SelectItem;

/// <param name="Of">The table or structure whose columns are meant; null for all.</param>
public sealed record SelectedStar(Expression? Of, NodeList<string> Except, NodeList<Replacement> Replace) : SelectItem;

public sealed record Replacement(Expression Value, string Column);

/// <param name="IsAll"><c>GROUP BY ALL</c>, which has no items.</param>
public sealed record GroupBy(bool IsAll, NodeList<Grouping> Items);

/// <param name="Kind"><c>ROLLUP</c>, <c>CUBE</c>, <c>GROUPING SETS</c>, or null for one value.</param>
/// <param name="Values">Of all kinds but GROUPING SETS.</param>
/// <param name="Sets">Of GROUPING SETS only.</param>
public sealed record Grouping(string? Kind, NodeList<Expression> Values, NodeList<Grouping> Sets);

public sealed record NamedWindow(string Name, WindowSpec Spec);

public abstract record TableExpression;

/// <param name="Parts">What stood between dots, in backticks or not, before anything is known of what it names.</param>
/// <param name="At">Characters before it in the text; two tables at different places are still the same tree.</param>
public sealed record TableName(NodeList<string> Parts, string? Alias, int At = 0) : TableExpression
{
    /// <summary>Of <c>FOR SYSTEM_TIME AS OF</c>.</summary>
    public Expression? SystemTime { get; init; }

    /// <summary>The name of the position, where it is an array; empty for WITH OFFSET without a name.</summary>
    public string? OffsetAlias { get; init; }

    /// <summary>Of <c>TABLESAMPLE SYSTEM (n PERCENT)</c>.</summary>
    public Expression? SamplePercent { get; init; }

    public bool Equals(TableName? other) => other is not null && Parts.Equals(other.Parts) && Alias == other.Alias
        && Equals(SystemTime, other.SystemTime) && OffsetAlias == other.OffsetAlias && Equals(SamplePercent, other.SamplePercent);

    public override int GetHashCode() => HashCode.Combine(Parts, Alias, SystemTime, OffsetAlias, SamplePercent);
}

/// <param name="OffsetAlias">The name of the position; empty for WITH OFFSET without a name, null without it.</param>
public sealed record Unnest(Expression Array, string? Alias, string? OffsetAlias) : TableExpression;

public sealed record DerivedTable(QueryExpression Query, string? Alias) : TableExpression;

/// <param name="Kind"><c>,</c>, <c>CROSS</c>, <c>INNER</c>, <c>LEFT</c>, <c>RIGHT</c> or <c>FULL</c>.</param>
/// <param name="Using">Columns; empty with ON or without a condition.</param>
public sealed record Join(TableExpression Left, string Kind, TableExpression Right, Expression? On, NodeList<string> Using)
    : TableExpression;
