namespace Agnes.Sql.BigQuery;

/// <summary>Something with a value. The tree has no brackets: they are where the printed text needs them.</summary>
public abstract record Expression;

public enum LiteralKind
{
    Null,
    True,
    False,

    /// <summary>As written, of any length; hexadecimal ones begin with <c>0x</c>.</summary>
    Integer,
    Float,
    String,

    /// <summary>Each character is a byte.</summary>
    Bytes,
}

public sealed record Literal(LiteralKind Kind, string Text) : Expression;

/// <summary><c>DATE '2026-01-31'</c></summary>
public sealed record TypedLiteral(string Type, string Text) : Expression;

/// <summary><c>INTERVAL 3 DAY</c>, <c>INTERVAL '1-2' YEAR TO MONTH</c></summary>
public sealed record IntervalLiteral(Expression Amount, string Part, string? To) : Expression;

/// <summary>A column, perhaps behind its table's name, perhaps followed by fields.</summary>
public sealed record NamePath(NodeList<string> Names) : Expression;

/// <summary>A field of something that is no path.</summary>
public sealed record FieldAccess(Expression Of, string Name) : Expression;

/// <param name="Count">How <paramref name="Index"/> counts: <c>OFFSET</c>, <c>ORDINAL</c> or their SAFE_ forms; null in plain
/// brackets.</param>
public sealed record ElementAccess(Expression Of, string? Count, Expression Index) : Expression;

/// <param name="Operator"><c>-</c>, <c>+</c>, <c>~</c> or <c>NOT</c>.</param>
public sealed record Unary(string Operator, Expression Operand) : Expression;

public sealed record Binary(string Operator, Expression Left, Expression Right) : Expression;

/// <param name="Operator"><c>AND</c> or <c>OR</c>.</param>
/// <param name="Operands">Two or more.</param>
public sealed record Logical(string Operator, NodeList<Expression> Operands) : Expression;

/// <param name="What"><c>NULL</c>, <c>TRUE</c>, <c>FALSE</c> or <c>UNKNOWN</c>.</param>
public sealed record IsTest(Expression Operand, bool IsNegated, string What) : Expression;

public sealed record IsDistinct(Expression Left, bool IsNegated, Expression Right) : Expression;

public sealed record Between(Expression Operand, bool IsNegated, Expression Low, Expression High) : Expression;

public sealed record Like(Expression Operand, bool IsNegated, Expression Pattern) : Expression;

/// <param name="Quantifier"><c>ANY</c>, <c>SOME</c> or <c>ALL</c>.</param>
public sealed record LikeMany(Expression Operand, bool IsNegated, string Quantifier, ManyValues Patterns) : Expression;

public sealed record In(Expression Operand, bool IsNegated, ManyValues Values) : Expression;

/// <summary>What IN and LIKE ANY look through.</summary>
public abstract record ManyValues;

public sealed record ListedValues(NodeList<Expression> Items) : ManyValues;

public sealed record ArrayValues(Expression Array) : ManyValues;

public sealed record QueriedValues(QueryExpression Query) : ManyValues;

public sealed record CaseExpression(Expression? Of, NodeList<CaseBranch> Branches, Expression? Else) : Expression;

public sealed record CaseBranch(Expression When, Expression Then);

public sealed record Cast(Expression Operand, SqlType Type, bool IsSafe, Expression? Format, Expression? Zone) : Expression;

/// <param name="Part">In upper case: a part of a date, or <c>WEEK(MONDAY)</c>.</param>
public sealed record Extract(string Part, Expression From, Expression? Zone) : Expression;

/// <param name="Name">One name, or more before which a prefix, a data set or a project stands.</param>
/// <param name="Nulls"><c>IGNORE</c> or <c>RESPECT</c>.</param>
/// <param name="Having"><c>HAVING MAX</c> or <c>MIN</c> of an aggregate.</param>
public sealed record Call(NodeList<string> Name, NodeList<Argument> Arguments) : Expression
{
    public bool IsDistinct { get; init; }

    public string? Nulls { get; init; }

    public AggregateHaving? Having { get; init; }

    public NodeList<OrderItem> OrderBy { get; init; } = [];

    public Expression? Limit { get; init; }

    public WindowSpec? Over { get; init; }

    /// <summary>Whether anything but the arguments was said.</summary>
    public bool IsPlain => !IsDistinct && Nulls is null && Having is null && OrderBy.Count == 0 && Limit is null && Over is null;
}

/// <param name="Name">Of <c>name =&gt; value</c>.</param>
public sealed record Argument(string? Name, Expression Value);

public sealed record AggregateHaving(string Which, Expression By);

/// <summary>The star of <c>COUNT(*)</c>.</summary>
public sealed record Star : Expression;

/// <param name="Item">The type of what is in it; null where it is not said.</param>
public sealed record ArrayLiteral(SqlType? Item, NodeList<Expression> Items) : Expression;

/// <param name="Type">With the fields' names and types; null where only values are given.</param>
public sealed record StructLiteral(SqlType? Type, NodeList<StructField> Fields) : Expression;

public sealed record StructField(Expression Value, string? Alias);

/// <summary>A structure without names: <c>(1, 2)</c>. Without any item it is the empty grouping set.</summary>
public sealed record TupleLiteral(NodeList<Expression> Items) : Expression;

public sealed record Subquery(QueryExpression Query) : Expression;

public sealed record Exists(QueryExpression Query) : Expression;

public sealed record ArraySubquery(QueryExpression Query) : Expression;

/// <param name="Text"><c>@name</c>, <c>?</c> or <c>@@name</c>.</param>
public sealed record Parameter(string Text) : Expression;

/// <param name="Name">In upper case.</param>
/// <param name="Fields">Of ARRAY and RANGE the one type that is in it, of STRUCT its fields.</param>
/// <param name="Parameters">Lengths and precisions.</param>
public sealed record SqlType(string Name, NodeList<TypeField> Fields, NodeList<string> Parameters);

public sealed record TypeField(string? Name, SqlType Type);

/// <param name="Direction"><c>ASC</c> or <c>DESC</c>, where it is said.</param>
/// <param name="Nulls"><c>FIRST</c> or <c>LAST</c>, where it is said.</param>
public sealed record OrderItem(Expression Value, string? Direction, string? Nulls);

/// <param name="Name">A window of the WINDOW clause that this one is or begins with.</param>
/// <param name="IsNameAlone">Written without brackets.</param>
public sealed record WindowSpec(string? Name, bool IsNameAlone, NodeList<Expression> PartitionBy, NodeList<OrderItem> OrderBy,
    WindowFrame? Frame);

/// <param name="Unit"><c>ROWS</c> or <c>RANGE</c>.</param>
/// <param name="End">Null unless written with BETWEEN.</param>
public sealed record WindowFrame(string Unit, FrameBound Start, FrameBound? End);

/// <param name="Kind"><c>UNBOUNDED PRECEDING</c>, <c>PRECEDING</c>, <c>CURRENT ROW</c>, <c>FOLLOWING</c> or <c>UNBOUNDED
/// FOLLOWING</c>.</param>
public sealed record FrameBound(string Kind, Expression? Distance);
