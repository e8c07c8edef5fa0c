using System.Runtime.CompilerServices;

namespace DuckDB.NET.Data.Vectors;

/// <summary>Reads the values of a column as .NET types. The row is one that is not null.</summary>
internal abstract class ColumnVector(DuckDBColumn column)
{
    protected DuckDBColumn Column { get; } = column;

    /// <summary>What <see cref="GetValue"/> returns for all values that the type can hold; the others come as their text.</summary>
    internal abstract Type ClrType { get; }

    internal abstract object GetValue(int row);

    internal virtual string GetString(int row) => Convert.ToString(GetValue(row)) ?? "";

    internal virtual bool GetBoolean(int row) => throw Unreadable("bool");

    internal virtual long GetInt64(int row) => throw Unreadable("an integer");

    internal virtual ulong GetUInt64(int row) => checked((ulong)GetInt64(row));

    internal virtual Int128 GetInt128(int row) => GetInt64(row);

    internal virtual double GetDouble(int row) => throw Unreadable("double");

    internal virtual decimal GetDecimal(int row) => throw Unreadable("decimal");

    internal virtual DateTime GetDateTime(int row) => throw Unreadable("DateTime");

    internal virtual DateOnly GetDate(int row) => throw Unreadable("DateOnly");

    internal virtual TimeOnly GetTime(int row) => throw Unreadable("TimeOnly");

    internal virtual TimeSpan GetTimeSpan(int row) => throw Unreadable("TimeSpan");

    internal virtual DateTimeOffset GetDateTimeOffset(int row) => throw Unreadable("DateTimeOffset");

    internal virtual Guid GetGuid(int row) => throw Unreadable("Guid");

    internal virtual ReadOnlySpan<byte> GetBytes(int row) => throw Unreadable("byte[]");

    /// <summary>The value as any type that fits it; without boxing for the common ones.</summary>
    internal T Get<T>(int row)
    {
        if (typeof(T) == typeof(string)) return (T)(object)GetString(row);
        if (typeof(T) == typeof(long)) return As<long, T>(GetInt64(row));
        if (typeof(T) == typeof(int)) return As<int, T>(checked((int)GetInt64(row)));
        if (typeof(T) == typeof(double)) return As<double, T>(GetDouble(row));
        if (typeof(T) == typeof(bool)) return As<bool, T>(GetBoolean(row));
        if (typeof(T) == typeof(decimal)) return As<decimal, T>(GetDecimal(row));
        if (typeof(T) == typeof(DateTime)) return As<DateTime, T>(GetDateTime(row));
        if (typeof(T) == typeof(Guid)) return As<Guid, T>(GetGuid(row));
        if (typeof(T) == typeof(DateOnly)) return As<DateOnly, T>(GetDate(row));
        if (typeof(T) == typeof(TimeOnly)) return As<TimeOnly, T>(GetTime(row));
        if (typeof(T) == typeof(TimeSpan)) return As<TimeSpan, T>(GetTimeSpan(row));
        if (typeof(T) == typeof(DateTimeOffset)) return As<DateTimeOffset, T>(GetDateTimeOffset(row));
        if (typeof(T) == typeof(short)) return As<short, T>(checked((short)GetInt64(row)));
        if (typeof(T) == typeof(sbyte)) return As<sbyte, T>(checked((sbyte)GetInt64(row)));
        if (typeof(T) == typeof(byte)) return As<byte, T>(checked((byte)GetInt64(row)));
        if (typeof(T) == typeof(ushort)) return As<ushort, T>(checked((ushort)GetInt64(row)));
        if (typeof(T) == typeof(uint)) return As<uint, T>(checked((uint)GetInt64(row)));
        if (typeof(T) == typeof(ulong)) return As<ulong, T>(GetUInt64(row));
        if (typeof(T) == typeof(Int128)) return As<Int128, T>(GetInt128(row));
        if (typeof(T) == typeof(float)) return As<float, T>((float)GetDouble(row));
        if (typeof(T) == typeof(byte[])) return (T)(object)GetBytes(row).ToArray();
        if (TryGet<T>(row, out var special)) return special;
        return GetNullableOrObject<T>(row);
    }

    /// <summary>Types that only some columns can give.</summary>
    protected virtual bool TryGet<T>(int row, out T value)
    {
        value = default!;
        return false;
    }

    protected InvalidCastException Unreadable(string type) => new($"Column '{Column.Name}' of type {Column.LogicalType.Name} cannot be read as {type}.");

    protected OverflowException OutOfRange(string type, string text) => new($"Column '{Column.Name}': {type} cannot hold {text}.");

    protected static TOut As<TIn, TOut>(TIn value) => Unsafe.As<TIn, TOut>(ref value);

    private T GetNullableOrObject<T>(int row)
    {
        if (typeof(T) == typeof(long?)) return (T)(object)GetInt64(row);
        if (typeof(T) == typeof(int?)) return (T)(object)checked((int)GetInt64(row));
        if (typeof(T) == typeof(double?)) return (T)(object)GetDouble(row);
        if (typeof(T) == typeof(decimal?)) return (T)(object)GetDecimal(row);
        if (typeof(T) == typeof(DateTime?)) return (T)(object)GetDateTime(row);
        if (typeof(T) == typeof(DateTimeOffset?)) return (T)(object)GetDateTimeOffset(row);
        if (typeof(T) == typeof(DateOnly?)) return (T)(object)GetDate(row);
        return GetValue(row) is T value ? value : throw Unreadable(typeof(T).Name);
    }

    internal static ColumnVector Create(DuckDBColumn column) => column.Type switch
    {
        DuckDBType.Boolean => new BooleanVector(column),
        DuckDBType.TinyInt => new NumberVector<sbyte>(column),
        DuckDBType.SmallInt => new NumberVector<short>(column),
        DuckDBType.Integer => new NumberVector<int>(column),
        DuckDBType.BigInt => new NumberVector<long>(column),
        DuckDBType.UTinyInt => new NumberVector<byte>(column),
        DuckDBType.USmallInt => new NumberVector<ushort>(column),
        DuckDBType.UInteger => new NumberVector<uint>(column),
        DuckDBType.UBigInt => new NumberVector<ulong>(column),
        DuckDBType.HugeInt => new NumberVector<Int128>(column),
        DuckDBType.UHugeInt => new NumberVector<UInt128>(column),
        DuckDBType.Float => new NumberVector<float>(column),
        DuckDBType.Double => new NumberVector<double>(column),
        DuckDBType.Decimal => new DecimalVector(column),
        DuckDBType.Bignum => new BignumVector(column),
        DuckDBType.Varchar => new StringVector(column),
        DuckDBType.Blob or DuckDBType.Geometry => new BlobVector(column),
        DuckDBType.Bit => new BitVector(column),
        DuckDBType.Uuid => new UuidVector(column),
        DuckDBType.Enum => new EnumVector(column),
        DuckDBType.Date => new DateVector(column),
        DuckDBType.Time or DuckDBType.TimeNs => new TimeVector(column),
        DuckDBType.TimeTz => new TimeTzVector(column),
        DuckDBType.Timestamp or DuckDBType.TimestampS or DuckDBType.TimestampMs or DuckDBType.TimestampNs or DuckDBType.TimestampTz
            or DuckDBType.TimestampTzNs => new TimestampVector(column),
        DuckDBType.Interval => new IntervalVector(column),
        DuckDBType.List or DuckDBType.Array => new ListVector(column),
        DuckDBType.Struct => new StructVector(column),
        DuckDBType.Map => new MapVector(column),
        DuckDBType.Union => new UnionVector(column),
        _ => new OpaqueVector(column),
    };

    /// <summary>For a nested value: null where the row is null.</summary>
    internal object? GetValueOrNull(int row) => Column.IsNull(row) ? null : GetValue(row);
}
