namespace DuckDB.NET.Data.Vectors;

/// <summary>MAP as a dictionary, in the order of its entries.</summary>
internal sealed class MapVector(DuckDBColumn column) : ColumnVector(column)
{
    private readonly ColumnVector _key = Create(column.Children[0]);
    private readonly ColumnVector _value = Create(column.Children[1]);

    internal override Type ClrType => typeof(Dictionary<object, object?>);

    internal override object GetValue(int row)
    {
        var (offset, length) = Column.Range(row);
        var values = new Dictionary<object, object?>(length);
        for (var i = offset; i < offset + length; i++) values[_key.GetValue(i)] = _value.GetValueOrNull(i);
        return values;
    }

    internal override string GetString(int row)
    {
        var (offset, length) = Column.Range(row);
        return "{" + string.Join(", ", Enumerable.Range(offset, length).Select(Entry)) + "}";
    }

    private string Entry(int i) => NestedText.Of(_key, Column.Children[0], i) + "=" + NestedText.Of(_value, Column.Children[1], i);
}
