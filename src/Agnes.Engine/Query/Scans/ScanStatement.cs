using System.Globalization;
using System.Text;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;

namespace Agnes.Engine.Query.Scans;

/// <summary>A part of one table.</summary>
/// <param name="Columns">As the table spells them; empty for all.</param>
/// <param name="Where">A checked predicate's <see cref="PredicateCheck.Sql"/>; null for all rows.</param>
/// <param name="Limit">Rows at most.</param>
public sealed record ScanStatement(ScopedTable Table, IReadOnlyList<string> Columns, string? Where, IReadOnlyList<ScanOrder> Order, int Limit)
{
    /// <summary>Rows as wide, whichever.</summary>
    internal string RowsLike() => $"SELECT {Selected} FROM {SqlText.Identifier(Table.Name)}";

    private string Selected => Columns.Count == 0 ? "*" : string.Join(", ", Columns.Select(SqlText.Identifier));

    /// <summary>Without the limit, which the writer sets by what fits.</summary>
    internal string ToSql()
    {
        if (Table.Source is RowSource.Remote { Dialect: SqlDialect.BigQuery } remote) return RemoteSql.Scan(this, remote.Relation);
        var sql = new StringBuilder("SELECT ").Append(Selected).Append(" FROM ");
        if (Where is null) sql.Append(SqlText.Identifier(Table.Name));
        else sql.Append('(').Append(Where).Append(") AS ").Append(SqlText.Identifier(Table.Name));
        if (Order.Count > 0) sql.Append(" ORDER BY ").AppendJoin(", ", Order.Select(order => string.Create(CultureInfo.InvariantCulture, $"{SqlText.Identifier(order.Column)} {(order.IsDescending ? "DESC" : "ASC")}")));
        return sql.ToString();
    }
}

/// <summary>What a scan is written as.</summary>
public enum ScanForm
{
    /// <summary>An Arrow IPC stream.</summary>
    Arrow,

    Parquet,
}

public readonly record struct ScanOrder(string Column, bool IsDescending);
