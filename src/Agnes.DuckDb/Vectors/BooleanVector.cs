namespace DuckDB.NET.Data.Vectors;

internal sealed unsafe class BooleanVector(DuckDBColumn column) : ColumnVector(column)
{
    private static readonly object True = true;
    private static readonly object False = false;

    internal override Type ClrType => typeof(bool);

    internal override object GetValue(int row) => GetBoolean(row) ? True : False;

    internal override string GetString(int row) => GetBoolean(row) ? "true" : "false";

    internal override bool GetBoolean(int row) => Column.Values<byte>()[row] != 0;

    internal override long GetInt64(int row) => GetBoolean(row) ? 1 : 0;
}
