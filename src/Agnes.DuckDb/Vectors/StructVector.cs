namespace DuckDB.NET.Data.Vectors;

/// <summary>STRUCT as a dictionary of its fields, in their order.</summary>
internal sealed class StructVector(DuckDBColumn column) : ColumnVector(column)
{
    private readonly ColumnVector[] _fields = [.. column.Children.Select(Create)];

    internal override Type ClrType => typeof(Dictionary<string, object?>);

    internal override object GetValue(int row)
    {
        var values = new Dictionary<string, object?>(_fields.Length, StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < _fields.Length; i++)
        {
            // The fields of an unnamed struct, as row(1, 2) makes it, are called by their number.
            var name = Column.Children[i].Name is { Length: > 0 } given ? given : (i + 1).ToString();
            values[name] = _fields[i].GetValueOrNull(row);
        }

        return values;
    }

    internal override string GetString(int row)
    {
        var isNamed = Column.Children is [{ Name.Length: > 0 }, ..];
        var fields = string.Join(", ", Column.Children.Select((field, i) => (isNamed ? NestedText.Quote(field.Name) + ": " : "") + NestedText.Of(_fields[i], field, row)));
        return isNamed ? "{" + fields + "}" : "(" + fields + ")";
    }
}
