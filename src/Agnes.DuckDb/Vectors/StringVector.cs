using System.Text;

namespace DuckDB.NET.Data.Vectors;

/// <summary>VARCHAR, and what is a VARCHAR with another name, such as JSON.</summary>
internal sealed class StringVector(DuckDBColumn column) : ColumnVector(column)
{
    internal override Type ClrType => typeof(string);

    internal override object GetValue(int row) => GetString(row);

    internal override string GetString(int row) => Encoding.UTF8.GetString(Column.Bytes(row));

    internal override ReadOnlySpan<byte> GetBytes(int row) => Column.Bytes(row);

    internal override Guid GetGuid(int row) => Guid.Parse(GetString(row));
}
