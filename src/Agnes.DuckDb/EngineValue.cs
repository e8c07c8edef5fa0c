using System.Collections;
using System.Numerics;
using System.Runtime.InteropServices;
using DuckDB.NET.Data.Native;

namespace DuckDB.NET.Data;

/// <summary>Makes the engine's values out of .NET ones. Whoever takes one destroys it.</summary>
internal static unsafe class EngineValue
{
    private const int StackBytesMax = 512;

    internal static nint Create(object? value)
    {
        var made = value switch
        {
            null or DBNull => NativeMethods.duckdb_create_null_value(),
            string v => Text(v),
            int v => NativeMethods.duckdb_create_int32(v),
            long v => NativeMethods.duckdb_create_int64(v),
            bool v => NativeMethods.duckdb_create_bool(v),
            double v => NativeMethods.duckdb_create_double(PlainNaN(v)),
            decimal v => Decimal(v),
            DateTime v => NativeMethods.duckdb_create_timestamp(EngineTime.Micros(v)),
            DateTimeOffset v => NativeMethods.duckdb_create_timestamp_tz(EngineTime.Micros(v.UtcDateTime)),
            Guid v => NativeMethods.duckdb_create_uuid(Uuid(v)),
            byte[] v => Blob(v),
            DateOnly v => NativeMethods.duckdb_create_date(EngineTime.Days(v)),
            TimeOnly v => NativeMethods.duckdb_create_time(v.Ticks / TimeSpan.TicksPerMicrosecond),
            TimeSpan v => NativeMethods.duckdb_create_interval(DuckDBInterval.From(v)),
            DuckDBInterval v => NativeMethods.duckdb_create_interval(v),
            ReadOnlyMemory<byte> v => Blob(v.Span),
            Memory<byte> v => Blob(v.Span),
            char v => Text(v.ToString()),
            Enum v => Create(Convert.ChangeType(v, Enum.GetUnderlyingType(v.GetType()))),
            IEnumerable v => List(v),
            _ => Number(value),
        };
        return made != 0 ? made : throw new InvalidOperationException($"The engine refused a value of type {value?.GetType()}.");
    }

    /// <summary>.NET's NaN carries a sign, which the engine would write as <c>-nan</c>.</summary>
    internal static double PlainNaN(double value) => double.IsNaN(value) ? double.Abs(value) : value;

    internal static NativeHugeInt Uuid(Guid value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, bigEndian: true, out _);
        return NativeHugeInt.From(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }

    internal static nint Decimal(decimal value)
    {
        var number = new DecimalParts(value);
        return NativeMethods.duckdb_create_decimal(new NativeDecimal { Width = number.Width, Scale = number.Scale, Value = NativeHugeInt.From(number.Unscaled) });
    }

    internal static nint Text(string value)
    {
        var count = Utf8.Strict.GetByteCount(value);
        byte[]? rented = null;
        var bytes = count <= StackBytesMax ? stackalloc byte[StackBytesMax] : rented = new byte[count];
        Utf8.Strict.GetBytes(value, bytes);
        _ = rented;
        fixed (byte* text = bytes) return NativeMethods.duckdb_create_varchar_length(text, (ulong)count);
    }

    private static nint Blob(ReadOnlySpan<byte> value)
    {
        byte none = 0;
        fixed (byte* data = value) return NativeMethods.duckdb_create_blob(data is null ? &none : data, (ulong)value.Length);
    }

    private static nint Number(object value) => value switch
    {
        sbyte v => NativeMethods.duckdb_create_int8(v),
        byte v => NativeMethods.duckdb_create_uint8(v),
        short v => NativeMethods.duckdb_create_int16(v),
        ushort v => NativeMethods.duckdb_create_uint16(v),
        uint v => NativeMethods.duckdb_create_uint32(v),
        ulong v => NativeMethods.duckdb_create_uint64(v),
        float v => NativeMethods.duckdb_create_float((float)PlainNaN(v)),
        Int128 v => NativeMethods.duckdb_create_hugeint(NativeHugeInt.From(v)),
        UInt128 v => NativeMethods.duckdb_create_uhugeint(NativeHugeInt.From(v)),
        BigInteger v => Big(v),
        _ => throw new NotSupportedException($"A parameter of type {value.GetType()} cannot be bound."),
    };

    private static nint Big(BigInteger value)
    {
        if (value >= (BigInteger)Int128.MinValue && value <= (BigInteger)Int128.MaxValue)
            return NativeMethods.duckdb_create_hugeint(NativeHugeInt.From((Int128)value));
        var bytes = BigInteger.Abs(value).ToByteArray(isUnsigned: true, isBigEndian: true);
        fixed (byte* data = bytes)
            return NativeMethods.duckdb_create_bignum(new NativeBignum { Data = data, Size = (ulong)bytes.Length, IsNegative = (byte)(value.Sign < 0 ? 1 : 0) });
    }

    private static nint List(IEnumerable items)
    {
        var values = new List<nint>();
        var element = DuckDBType.SqlNull;
        byte width = 0, scale = 0;
        try
        {
            foreach (var item in items)
            {
                values.Add(Create(item));
                var type = ElementType(item);
                if (item is decimal number)
                {
                    var parts = new DecimalParts(number);
                    scale = Math.Max(scale, parts.Scale);
                    width = Math.Max(width, (byte)(parts.Width - parts.Scale));
                }

                if (type == DuckDBType.SqlNull || type == element) continue;
                element = element == DuckDBType.SqlNull ? type : throw new NotSupportedException("A list parameter must hold values of one type.");
            }

            if (element == DuckDBType.SqlNull) element = EmptyElementType(items);
            var native = element == DuckDBType.Decimal
                ? NativeMethods.duckdb_create_decimal_type((byte)Math.Clamp(width + scale, 1, 38), scale)
                : NativeMethods.duckdb_create_logical_type((int)element);
            try
            {
                nint none = 0; // the engine refuses a null pointer, also when there is nothing to read
                fixed (nint* first = CollectionsMarshal.AsSpan(values))
                    return NativeMethods.duckdb_create_list_value(native, first is null ? &none : first, (ulong)values.Count);
            }
            finally
            {
                NativeMethods.duckdb_destroy_logical_type(ref native);
            }
        }
        finally
        {
            foreach (var value in values)
            {
                var owned = value;
                NativeMethods.duckdb_destroy_value(ref owned);
            }
        }
    }

    private static DuckDBType EmptyElementType(IEnumerable items) => items switch
    {
        IEnumerable<long> or IEnumerable<long?> => DuckDBType.BigInt,
        IEnumerable<int> or IEnumerable<int?> => DuckDBType.Integer,
        IEnumerable<double> or IEnumerable<double?> => DuckDBType.Double,
        IEnumerable<bool> or IEnumerable<bool?> => DuckDBType.Boolean,
        IEnumerable<Guid> or IEnumerable<Guid?> => DuckDBType.Uuid,
        IEnumerable<DateTime> or IEnumerable<DateTime?> => DuckDBType.Timestamp,
        IEnumerable<DateOnly> or IEnumerable<DateOnly?> => DuckDBType.Date,
        IEnumerable<string> => DuckDBType.Varchar,
        IEnumerable<byte[]> => DuckDBType.Blob,
        _ => DuckDBType.SqlNull,
    };

    private static DuckDBType ElementType(object? item) => item switch
    {
        null or DBNull => DuckDBType.SqlNull,
        bool => DuckDBType.Boolean,
        sbyte => DuckDBType.TinyInt,
        byte => DuckDBType.UTinyInt,
        short => DuckDBType.SmallInt,
        ushort => DuckDBType.USmallInt,
        int => DuckDBType.Integer,
        uint => DuckDBType.UInteger,
        long => DuckDBType.BigInt,
        ulong => DuckDBType.UBigInt,
        Int128 => DuckDBType.HugeInt,
        UInt128 => DuckDBType.UHugeInt,
        float => DuckDBType.Float,
        double => DuckDBType.Double,
        decimal => DuckDBType.Decimal,
        string or char => DuckDBType.Varchar,
        byte[] => DuckDBType.Blob,
        Guid => DuckDBType.Uuid,
        DateOnly => DuckDBType.Date,
        TimeOnly => DuckDBType.Time,
        DateTime => DuckDBType.Timestamp,
        DateTimeOffset => DuckDBType.TimestampTz,
        TimeSpan or DuckDBInterval => DuckDBType.Interval,
        _ => throw new NotSupportedException($"A list parameter cannot hold values of type {item.GetType()}."),
    };
}

/// <summary>A decimal as the engine stores it: all digits as an integer, and how many of them stand behind the point.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct DecimalParts
{
    internal DecimalParts(decimal value)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        var unscaled = (Int128)new UInt128((uint)bits[2], ((ulong)(uint)bits[1] << 32) | (uint)bits[0]);
        Unscaled = value < 0 ? -unscaled : unscaled;
        Scale = value.Scale;
        var digits = 0;
        for (var rest = unscaled; rest > 0; rest /= 10) digits++;
        Width = (byte)Math.Max(digits, Scale + 1); // with a digit before the point: the engine writes DECIMAL(2,2) as .05
    }

    internal Int128 Unscaled { get; }

    internal byte Width { get; }

    internal byte Scale { get; }
}
