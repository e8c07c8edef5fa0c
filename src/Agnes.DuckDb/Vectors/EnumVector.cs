namespace DuckDB.NET.Data.Vectors;

/// <summary>ENUM as its word.</summary>
internal sealed class EnumVector(DuckDBColumn column) : ColumnVector(column)
{
    internal override Type ClrType => typeof(string);

    internal override object GetValue(int row) => GetString(row);

    internal override string GetString(int row) => Column.LogicalType.EnumNames[Column.EnumIndex(row)];
}
