using System.Buffers.Binary;
using DuckDB.NET.Data.Native;

namespace DuckDB.NET.Data.Vectors;

/// <summary>UUID: 128 bits whose highest is flipped, so that they sort as a signed integer.</summary>
internal sealed unsafe class UuidVector(DuckDBColumn column) : ColumnVector(column)
{
    internal override Type ClrType => typeof(Guid);

    internal override object GetValue(int row) => GetGuid(row);

    internal override string GetString(int row) => GetGuid(row).ToString();

    internal override Guid GetGuid(int row)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Column.Values<NativeHugeInt>()[row].Bits ^ (UInt128.One << 127));
        return new Guid(bytes, bigEndian: true);
    }
}
