using System.Text;

namespace Agnes.Sql.BigQuery;

/// <summary>
/// Writes a tree as GoogleSQL, from nothing but the tree: texts in one kind of quotes, names in backticks where they need them, brackets
/// only where the tree would be read otherwise. Reading what it writes gives the same tree.
/// </summary>
public sealed partial class Renderer
{
    private const int OfOr = 0;
    private const int OfAnd = 1;
    private const int OfNot = 2;
    private const int OfComparison = 3;
    private const int OfOperation = 4;
    private const int OfSign = 10;
    private const int OfPrimary = 11;

    /// <summary>Reserved words that are functions where a bracket follows.</summary>
    private static readonly HashSet<string> CalledKeywords =
        new(EngineNames.Comparer) { "IF", "LEFT", "RIGHT", "GROUPING", "COLLATE", "RANGE" };

    private readonly StringBuilder _sql = new();

    private Renderer()
    {
    }

    public static string Render(Expression expression)
    {
        var renderer = new Renderer();
        renderer.Write(expression, OfOr);
        return renderer._sql.ToString();
    }

    public static string Render(QueryExpression query)
    {
        var renderer = new Renderer();
        renderer.Write(query);
        return renderer._sql.ToString();
    }

    private static int Rank(Expression expression) => expression switch
    {
        Logical logical => logical.Operator == "OR" ? OfOr : OfAnd,
        Unary unary => unary.Operator == "NOT" ? OfNot : OfSign,
        Binary binary => OperatorRank.Of(binary.Operator) is >= 0 and var rank ? OfOperation + rank : OfComparison,
        IsTest or IsDistinct or Between or Like or LikeMany or In => OfComparison,
        _ => OfPrimary,
    };

    /// <param name="rank">How tight it has to bind to stand here without brackets.</param>
    private void Write(Expression expression, int rank)
    {
        if (Rank(expression) >= rank) Write(expression);
        else
        {
            _sql.Append('(');
            Write(expression);
            _sql.Append(')');
        }
    }

    private void Write(Expression expression)
    {
        switch (expression)
        {
            case Logical logical:
                WriteList(logical.Operands, operand => Write(operand, logical.Operator == "OR" ? OfAnd : OfNot), $" {logical.Operator} ");
                break;
            case Unary unary:
                WriteUnary(unary);
                break;
            case Binary binary:
                WriteBinary(binary);
                break;
            case IsTest test:
                WriteTest(test.Operand, test.IsNegated ? " IS NOT " : " IS ");
                _sql.Append(test.What);
                break;
            case IsDistinct distinct:
                WriteTest(distinct.Left, distinct.IsNegated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ");
                Write(distinct.Right, OfOperation);
                break;
            case Between between:
                WriteTest(between.Operand, between.IsNegated ? " NOT BETWEEN " : " BETWEEN ");
                Write(between.Low, OfOperation);
                _sql.Append(" AND ");
                Write(between.High, OfOperation);
                break;
            case Like like:
                WriteTest(like.Operand, like.IsNegated ? " NOT LIKE " : " LIKE ");
                Write(like.Pattern, OfOperation);
                break;
            case LikeMany many:
                WriteTest(many.Operand, many.IsNegated ? " NOT LIKE " : " LIKE ");
                _sql.Append(many.Quantifier).Append(' ');
                Write(many.Patterns);
                break;
            case In within:
                WriteTest(within.Operand, within.IsNegated ? " NOT IN " : " IN ");
                Write(within.Values);
                break;
            default:
                WritePrimary(expression);
                break;
        }
    }

    private void WriteTest(Expression operand, string words)
    {
        Write(operand, OfOperation);
        _sql.Append(words);
    }

    private void WriteUnary(Unary unary)
    {
        _sql.Append(unary.Operator);
        var isNot = unary.Operator == "NOT";
        // Two dashes in a row would begin a comment.
        if (isNot || (unary.Operator == "-" && unary.Operand is Unary { Operator: "-" })) _sql.Append(' ');
        Write(unary.Operand, isNot ? OfNot : OfSign);
    }

    private void WriteBinary(Binary binary)
    {
        var rank = Rank(binary);
        Write(binary.Left, rank == OfComparison ? OfOperation : rank);
        _sql.Append(' ').Append(binary.Operator).Append(' ');
        Write(binary.Right, rank + 1);
    }

    private void Write(ManyValues values)
    {
        switch (values)
        {
            case ArrayValues array:
                _sql.Append("UNNEST(");
                Write(array.Array, OfOr);
                break;
            case QueriedValues queried:
                _sql.Append('(');
                Write(queried.Query);
                break;
            case ListedValues listed:
                _sql.Append('(');
                WriteList(listed.Items);
                break;
        }

        _sql.Append(')');
    }

    /// <summary>What a field or an element is taken of.</summary>
    private void WriteOwner(Expression of, bool isField)
    {
        var isAmbiguous = isField && of is NamePath or Parameter or Literal { Kind: LiteralKind.Integer or LiteralKind.Float };
        Write(of, isField && isAmbiguous ? OfPrimary + 1 : OfPrimary);
    }

    private void WriteNames(IEnumerable<string> names) => _sql.AppendJoin('.', names.Select(BigQueryText.Identifier));

    private void WriteList(IEnumerable<Expression> items) => WriteList(items, item => Write(item, OfOr));

    private void WriteList<T>(IEnumerable<T> items, Action<T> write, string between = ", ")
    {
        var isFirst = true;
        foreach (var item in items)
        {
            if (!isFirst) _sql.Append(between);
            isFirst = false;
            write(item);
        }
    }

    private void WriteOptional(string before, Expression? expression)
    {
        if (expression is null) return;
        _sql.Append(before);
        Write(expression, OfOr);
    }

    private void WriteAlias(string? alias)
    {
        if (alias is not null) _sql.Append(" AS ").Append(BigQueryText.Identifier(alias));
    }
}
