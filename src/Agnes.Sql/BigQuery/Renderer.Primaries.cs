namespace Agnes.Sql.BigQuery;

/// <summary>What needs no operator.</summary>
public sealed partial class Renderer
{
    private void WritePrimary(Expression expression)
    {
        switch (expression)
        {
            case Literal literal: _sql.Append(Text(literal)); break;
            case TypedLiteral typed: _sql.Append(typed.Type).Append(' ').Append(BigQueryText.Literal(typed.Text)); break;
            case Parameter parameter: _sql.Append(parameter.Text); break;
            case Star: _sql.Append('*'); break;
            case NamePath path: WriteNames(path.Names); break;
            case FieldAccess field:
                WriteOwner(field.Of, isField: true);
                _sql.Append('.').Append(BigQueryText.Identifier(field.Name));
                break;
            case ElementAccess element: WriteElement(element); break;
            case IntervalLiteral interval:
                WriteOptional("INTERVAL ", interval.Amount);
                _sql.Append(' ').Append(interval.Part);
                if (interval.To is not null) _sql.Append(" TO ").Append(interval.To);
                break;
            case CaseExpression one: WriteCase(one); break;
            case Cast cast: WriteCast(cast); break;
            case Extract extract:
                _sql.Append("EXTRACT(").Append(extract.Part);
                WriteOptional(" FROM ", extract.From);
                WriteOptional(" AT TIME ZONE ", extract.Zone);
                _sql.Append(')');
                break;
            case Call call: WriteCall(call); break;
            case ArrayLiteral array:
                _sql.Append("ARRAY");
                if (array.Item is not null) Write(new SqlType("", [new TypeField(null, array.Item)], []));
                WriteEnclosed("[", array.Items, "]");
                break;
            case StructLiteral structure: WriteStruct(structure); break;
            case TupleLiteral tuple: WriteEnclosed("(", tuple.Items, ")"); break;
            case Subquery subquery: WriteEnclosed("(", subquery.Query); break;
            case Exists exists: WriteEnclosed("EXISTS(", exists.Query); break;
            case ArraySubquery array: WriteEnclosed("ARRAY(", array.Query); break;
            default: throw new InvalidOperationException($"{expression.GetType().Name} cannot be written.");
        }
    }

    private static string Text(Literal literal) => literal.Kind switch
    {
        LiteralKind.Null => "NULL",
        LiteralKind.True => "TRUE",
        LiteralKind.False => "FALSE",
        LiteralKind.String => BigQueryText.Literal(literal.Text),
        LiteralKind.Bytes => BigQueryText.Bytes(literal.Text),
        _ => literal.Text,
    };

    private void WriteElement(ElementAccess element)
    {
        WriteOwner(element.Of, isField: false);
        _sql.Append('[');
        if (element.Count is null) Write(element.Index, OfOr);
        else WriteEnclosed($"{element.Count}(", [element.Index], ")");
        _sql.Append(']');
    }

    private void WriteCase(CaseExpression one)
    {
        _sql.Append("CASE");
        WriteOptional(" ", one.Of);
        foreach (var branch in one.Branches)
        {
            WriteOptional(" WHEN ", branch.When);
            WriteOptional(" THEN ", branch.Then);
        }

        WriteOptional(" ELSE ", one.Else);
        _sql.Append(" END");
    }

    private void WriteCast(Cast cast)
    {
        WriteOptional(cast.IsSafe ? "SAFE_CAST(" : "CAST(", cast.Operand);
        _sql.Append(" AS ");
        Write(cast.Type);
        WriteOptional(" FORMAT ", cast.Format);
        WriteOptional(" AT TIME ZONE ", cast.Zone);
        _sql.Append(')');
    }

    private void WriteCall(Call call)
    {
        var isKeyword = call.Name.Count == 1 && CalledKeywords.Contains(call.Name[0]);
        _sql.AppendJoin('.', call.Name.Select(name => isKeyword ? name : FunctionName(name))).Append(call.IsDistinct ? "(DISTINCT " : "(");
        WriteList(call.Arguments, argument =>
        {
            if (argument.Name is not null) _sql.Append(BigQueryText.Identifier(argument.Name)).Append(" => ");
            Write(argument.Value, OfOr);
        });
        if (call.Nulls is not null) _sql.Append(' ').Append(call.Nulls).Append(" NULLS");
        if (call.Having is not null) WriteOptional($" HAVING {call.Having.Which} ", call.Having.By);
        WriteOrder(call.OrderBy);
        WriteOptional(" LIMIT ", call.Limit);
        _sql.Append(')');
        if (call.Over is null) return;
        _sql.Append(" OVER ");
        Write(call.Over);
    }

    /// <summary>Names of functions are never in backticks without need: some that are also types and columns are none there.</summary>
    private static string FunctionName(string name) =>
        BigQueryText.IsPlainWord(name) && !Words.Reserved.Contains(name) && !EngineNames.Same(name, "SAFE_CAST") ? name
            : BigQueryText.Quote(name, '`');

    private void WriteStruct(StructLiteral structure)
    {
        if (structure.Type is null) _sql.Append("STRUCT");
        else Write(structure.Type);
        _sql.Append('(');
        WriteList(structure.Fields, field =>
        {
            Write(field.Value, OfOr);
            WriteAlias(field.Alias);
        });
        _sql.Append(')');
    }

    private void Write(SqlType type)
    {
        _sql.Append(type.Name);
        if (type.Fields.Count > 0 || type.Name == "STRUCT")
        {
            _sql.Append('<');
            WriteList(type.Fields, field =>
            {
                if (field.Name is not null) _sql.Append(BigQueryText.Identifier(field.Name)).Append(' ');
                Write(field.Type);
            });
            _sql.Append('>');
        }

        if (type.Parameters.Count > 0) _sql.Append('(').AppendJoin(", ", type.Parameters).Append(')');
    }

    private void Write(WindowSpec window)
    {
        if (window is { IsNameAlone: true, Name: not null })
        {
            _sql.Append(BigQueryText.Identifier(window.Name));
            return;
        }

        _sql.Append('(');
        if (window.Name is not null) _sql.Append(BigQueryText.Identifier(window.Name));
        if (window.PartitionBy.Count > 0)
        {
            _sql.Append(" PARTITION BY ");
            WriteList(window.PartitionBy);
        }

        WriteOrder(window.OrderBy);
        if (window.Frame is { } frame)
        {
            _sql.Append(' ').Append(frame.Unit).Append(frame.End is null ? " " : " BETWEEN ");
            Write(frame.Start);
            if (frame.End is not null)
            {
                _sql.Append(" AND ");
                Write(frame.End);
            }
        }

        _sql.Append(')');
    }

    private void Write(FrameBound bound)
    {
        if (bound.Distance is not null)
        {
            Write(bound.Distance, OfOperation);
            _sql.Append(' ');
        }

        _sql.Append(bound.Kind);
    }

    private void WriteOrder(NodeList<OrderItem> items)
    {
        if (items.Count == 0) return;
        _sql.Append(" ORDER BY ");
        WriteList(items, item =>
        {
            Write(item.Value, OfOr);
            if (item.Direction is not null) _sql.Append(' ').Append(item.Direction);
            if (item.Nulls is not null) _sql.Append(" NULLS ").Append(item.Nulls);
        });
    }

    private void WriteEnclosed(string open, IEnumerable<Expression> items, string close)
    {
        _sql.Append(open);
        WriteList(items);
        _sql.Append(close);
    }

    private void WriteEnclosed(string open, QueryExpression query)
    {
        _sql.Append(open);
        Write(query);
        _sql.Append(')');
    }
}
