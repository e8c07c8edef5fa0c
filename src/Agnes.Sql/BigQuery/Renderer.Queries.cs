namespace Agnes.Sql.BigQuery;

/// <summary>Queries and what stands behind FROM.</summary>
public sealed partial class Renderer
{
    private void Write(QueryExpression query)
    {
        if (query.With.Count > 0)
        {
            _sql.Append("WITH ");
            WriteList(query.With, common =>
            {
                _sql.Append(BigQueryText.Identifier(common.Name));
                WriteEnclosed(" AS (", common.Query);
            });
            _sql.Append(' ');
        }

        Write(query.Body);
        WriteOrder(query.OrderBy);
        WriteOptional(" LIMIT ", query.Limit);
        WriteOptional(" OFFSET ", query.Offset);
    }

    private void Write(QueryBody body)
    {
        switch (body)
        {
            case NestedQuery nested: WriteEnclosed("(", nested.Query); break;
            case SetOperation operation: WriteList(operation.Inputs, Write, $" {operation.Operator} "); break;
            case Select select: Write(select); break;
            default: throw new InvalidOperationException($"{body.GetType().Name} cannot be written.");
        }
    }

    private void Write(Select select)
    {
        _sql.Append(select.IsDistinct ? "SELECT DISTINCT " : "SELECT ");
        if (select.As is not null) _sql.Append("AS ").Append(select.As).Append(' ');
        WriteList(select.Items, Write);
        if (select.From is not null)
        {
            _sql.Append(" FROM ");
            Write(select.From);
        }

        WriteOptional(" WHERE ", select.Where);
        if (select.GroupBy is { } group)
        {
            _sql.Append(" GROUP BY ");
            if (group.IsAll) _sql.Append("ALL");
            WriteList(group.Items, Write);
        }

        WriteOptional(" HAVING ", select.Having);
        WriteOptional(" QUALIFY ", select.Qualify);
        if (select.Windows.Count == 0) return;
        _sql.Append(" WINDOW ");
        WriteList(select.Windows, window =>
        {
            _sql.Append(BigQueryText.Identifier(window.Name)).Append(" AS ");
            Write(window.Spec);
        });
    }

    private void Write(SelectItem item)
    {
        if (item is SelectedValue value)
        {
            Write(value.Value, OfOr);
            WriteAlias(value.Alias);
            return;
        }

        var star = (SelectedStar)item;
        if (star.Of is not null)
        {
            Write(star.Of, OfPrimary);
            _sql.Append('.');
        }

        _sql.Append('*');
        if (star.Except.Count > 0) WriteColumns(" EXCEPT (", star.Except);
        if (star.Replace.Count == 0) return;
        _sql.Append(" REPLACE (");
        WriteList(star.Replace, replacement =>
        {
            Write(replacement.Value, OfOr);
            WriteAlias(replacement.Column);
        });
        _sql.Append(')');
    }

    private void Write(Grouping grouping)
    {
        if (grouping.Kind is null)
        {
            WriteList(grouping.Values);
            return;
        }

        _sql.Append(grouping.Kind).Append(" (");
        WriteList(grouping.Values);
        WriteList(grouping.Sets, Write);
        _sql.Append(')');
    }

    private void Write(TableExpression table)
    {
        switch (table)
        {
            case TableName name: Write(name); break;
            case Unnest unnest:
                WriteEnclosed("UNNEST(", [unnest.Array], ")");
                WriteAlias(unnest.Alias);
                WriteOffset(unnest.OffsetAlias);
                break;
            case DerivedTable derived:
                WriteEnclosed("(", derived.Query);
                WriteAlias(derived.Alias);
                break;
            case Join join: Write(join); break;
            default: throw new InvalidOperationException($"{table.GetType().Name} cannot be written.");
        }
    }

    private void Write(TableName name)
    {
        // A whole name in one pair of backticks, unless a colon would divide it otherwise.
        var isWhole = name.Parts.Count == 3 && (HasColon(name.Parts[0]) || !name.Parts.Any(HasColon));
        if (isWhole) _sql.Append(BigQueryText.Quote(string.Join('.', name.Parts), '`'));
        else WriteNames(name.Parts);
        WriteAlias(name.Alias);
        WriteOffset(name.OffsetAlias);
        WriteOptional(" FOR SYSTEM_TIME AS OF ", name.SystemTime);
        if (name.SamplePercent is null) return;
        WriteOptional(" TABLESAMPLE SYSTEM (", name.SamplePercent);
        _sql.Append(" PERCENT)");
    }

    private static bool HasColon(string part) => part.Contains(':', StringComparison.Ordinal);

    private void WriteOffset(string? alias)
    {
        if (alias is null) return;
        _sql.Append(" WITH OFFSET");
        if (alias.Length > 0) WriteAlias(alias);
    }

    private void Write(Join join)
    {
        Write(join.Left);
        _sql.Append(join.Kind == "," ? ", " : $" {join.Kind} JOIN ");
        if (join.Right is Join)
        {
            _sql.Append('(');
            Write(join.Right);
            _sql.Append(')');
        }
        else Write(join.Right);

        WriteOptional(" ON ", join.On);
        if (join.Using.Count > 0) WriteColumns(" USING (", join.Using);
    }

    private void WriteColumns(string open, NodeList<string> columns) =>
        _sql.Append(open).AppendJoin(", ", columns.Select(BigQueryText.Identifier)).Append(')');
}
