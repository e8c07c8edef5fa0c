using System.Numerics;

namespace DuckDB.NET.Data.Vectors;

/// <summary>BIGNUM: three bytes of header (sign and length), then the digits, big-endian; all bytes inverted when negative.</summary>
internal sealed class BignumVector(DuckDBColumn column) : ColumnVector(column)
{
    private const int HeaderBytes = 3;

    internal override Type ClrType => typeof(BigInteger);

    internal override object GetValue(int row) => Read(row);

    internal override string GetString(int row) => Read(row).ToString();

    internal override long GetInt64(int row) => (long)Read(row);

    internal override Int128 GetInt128(int row) => (Int128)Read(row);

    internal override double GetDouble(int row) => (double)Read(row);

    internal override decimal GetDecimal(int row) => (decimal)Read(row);

    private BigInteger Read(int row)
    {
        var bytes = Column.Bytes(row);
        var negative = (bytes[0] & 0x80) == 0;
        var digits = bytes[HeaderBytes..].ToArray();
        if (negative)
        {
            for (var i = 0; i < digits.Length; i++) digits[i] = (byte)~digits[i];
        }

        var value = new BigInteger(digits, isUnsigned: true, isBigEndian: true);
        return negative ? -value : value;
    }
}
