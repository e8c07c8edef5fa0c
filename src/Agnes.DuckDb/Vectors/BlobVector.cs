using System.Text;

namespace DuckDB.NET.Data.Vectors;

/// <summary>BLOB, and GEOMETRY as well-known binary.</summary>
internal sealed class BlobVector(DuckDBColumn column) : ColumnVector(column)
{
    internal override Type ClrType => typeof(byte[]);

    internal override object GetValue(int row) => Column.Bytes(row).ToArray();

    /// <summary>As the engine writes it: what is not printable ASCII as <c>\xHH</c>.</summary>
    internal override string GetString(int row)
    {
        var text = new StringBuilder();
        foreach (var b in Column.Bytes(row))
        {
            if (b is >= 32 and <= 126 and not ((byte)'\\' or (byte)'\'' or (byte)'"')) text.Append((char)b);
            else text.Append("\\x").Append(b.ToString("X2"));
        }

        return text.ToString();
    }

    internal override ReadOnlySpan<byte> GetBytes(int row) => Column.Bytes(row);
}
