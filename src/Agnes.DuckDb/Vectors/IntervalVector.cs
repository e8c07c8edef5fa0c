namespace DuckDB.NET.Data.Vectors;

internal sealed unsafe class IntervalVector(DuckDBColumn column) : ColumnVector(column)
{
    internal override Type ClrType => typeof(DuckDBInterval);

    internal override object GetValue(int row) => Column.Values<DuckDBInterval>()[row];

    internal override string GetString(int row) => Column.Values<DuckDBInterval>()[row].ToString();

    internal override TimeSpan GetTimeSpan(int row) => Column.Values<DuckDBInterval>()[row].ToTimeSpan();
}
