using System.Numerics;

namespace DuckDB.NET.Data.Vectors;

/// <summary>Integers of all widths, FLOAT and DOUBLE. A conversion that would lose the value throws.</summary>
internal sealed unsafe class NumberVector<TNumber>(DuckDBColumn column) : ColumnVector(column) where TNumber : unmanaged, INumber<TNumber>
{
    internal override Type ClrType => typeof(TNumber);

    // The engine's 128-bit integers are as .NET's on the little-endian machines that it runs on.
    private TNumber this[int row] => Column.Values<TNumber>()[row];

    internal override object GetValue(int row) => this[row];

    internal override string GetString(int row) => this[row] switch
    {
        double value => EngineText.Float(value),
        float value => EngineText.Float(value),
        var value => value.ToString(null, null),
    };

    internal override bool GetBoolean(int row) => !TNumber.IsZero(this[row]);

    internal override long GetInt64(int row) => typeof(TNumber) == typeof(float) || typeof(TNumber) == typeof(double) ? throw Unreadable("an integer") : long.CreateChecked(this[row]);

    internal override ulong GetUInt64(int row) => ulong.CreateChecked(this[row]);

    internal override Int128 GetInt128(int row) => Int128.CreateChecked(this[row]);

    internal override double GetDouble(int row) => double.CreateChecked(this[row]);

    internal override decimal GetDecimal(int row) => decimal.CreateChecked(this[row]);

    protected override bool TryGet<T>(int row, out T value)
    {
        if (typeof(T) == typeof(BigInteger))
        {
            value = As<BigInteger, T>(BigInteger.CreateChecked(this[row]));
            return true;
        }

        if (typeof(T) == typeof(UInt128))
        {
            value = As<UInt128, T>(UInt128.CreateChecked(this[row]));
            return true;
        }

        return base.TryGet(row, out value);
    }
}
