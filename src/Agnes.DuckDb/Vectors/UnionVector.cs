namespace DuckDB.NET.Data.Vectors;

/// <summary>UNION as the value of the member that is set.</summary>
internal sealed class UnionVector(DuckDBColumn column) : ColumnVector(column)
{
    private readonly ColumnVector[] _members = [.. column.Children.Select(Create)];

    internal override Type ClrType => typeof(object);

    internal override object GetValue(int row) => _members[Column.UnionTag(row)].GetValueOrNull(row) ?? DBNull.Value;

    internal override string GetString(int row)
    {
        var tag = Column.UnionTag(row);
        return Column.Children[tag].IsNull(row) ? "NULL" : _members[tag].GetString(row);
    }
}
