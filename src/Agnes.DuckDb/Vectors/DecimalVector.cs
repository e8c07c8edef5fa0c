using System.Numerics;

namespace DuckDB.NET.Data.Vectors;

/// <summary>DECIMAL in its four widths. What System.Decimal cannot hold (more than 96 bits, or 28 places) comes as its text.</summary>
internal sealed class DecimalVector(DuckDBColumn column) : ColumnVector(column)
{
    private const int PlacesMax = 28;
    private static readonly UInt128 MantissaMax = (UInt128.One << 96) - 1;

    internal override Type ClrType => typeof(decimal);

    private int Scale => Column.LogicalType.Scale;

    internal override object GetValue(int row) => TryDecimal(Column.Unscaled(row), out var value) ? value : GetString(row);

    internal override string GetString(int row) => EngineText.Decimal(Column.Unscaled(row), Scale);

    internal override decimal GetDecimal(int row) => TryDecimal(Column.Unscaled(row), out var value) ? value : throw OutOfRange("decimal", GetString(row));

    internal override double GetDouble(int row) => TryDecimal(Column.Unscaled(row), out var value) ? (double)value : double.Parse(GetString(row));

    internal override long GetInt64(int row) => checked((long)GetInt128(row));

    internal override Int128 GetInt128(int row)
    {
        var (whole, rest) = Int128.DivRem(Column.Unscaled(row), (Int128)BigInteger.Pow(10, Scale));
        return rest == 0 ? whole : throw OutOfRange("an integer", GetString(row));
    }

    protected override bool TryGet<T>(int row, out T value)
    {
        if (typeof(T) != typeof(BigInteger)) return base.TryGet(row, out value);
        value = As<BigInteger, T>(GetInt128(row));
        return true;
    }

    private bool TryDecimal(Int128 unscaled, out decimal value)
    {
        var scale = Scale;
        var negative = Int128.IsNegative(unscaled);
        var mantissa = (UInt128)(negative ? -unscaled : unscaled);
        // Zeros at the end are not lost by leaving them off where they do not fit.
        while ((scale > PlacesMax || mantissa > MantissaMax) && scale > 0 && mantissa % 10 == 0)
        {
            mantissa /= 10;
            scale--;
        }

        if (scale > PlacesMax || mantissa > MantissaMax)
        {
            value = 0;
            return false;
        }

        value = new decimal((int)(uint)mantissa, (int)(uint)(mantissa >> 32), (int)(uint)(mantissa >> 64), negative, (byte)scale);
        return true;
    }
}
