namespace DuckDB.NET.Data.Vectors;

/// <summary>The NULL type, whose rows are all null, and types that the API gives no way into.</summary>
internal sealed class OpaqueVector(DuckDBColumn column) : ColumnVector(column)
{
    internal override Type ClrType => typeof(object);

    internal override object GetValue(int row) => throw Unreadable("a value; cast it in the query, for example to VARCHAR");
}
