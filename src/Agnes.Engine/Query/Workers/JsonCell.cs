using System.Runtime.CompilerServices;
using DuckDB.NET.Data;
using DuckDB.NET.Data.Native;

namespace Agnes.Engine.Query.Workers;

/// <summary>Writes the values of one column, or of one child of a nested column, straight from the engine's vector.</summary>
internal abstract unsafe class JsonCell
{
    private ulong* _validity;

    protected byte* Data { get; private set; }

    /// <summary>To be called for every chunk before its rows are written.</summary>
    public virtual void Bind(nint vector)
    {
        Data = (byte*)NativeMethods.duckdb_vector_get_data(vector);
        _validity = NativeMethods.duckdb_vector_get_validity(vector);
    }

    public bool IsNull(ulong row) => _validity != null && (_validity[row >> 6] & (1UL << (int)(row & 63))) == 0;

    public void Write(JsonBuffer json, ulong row)
    {
        if (IsNull(row)) json.Null();
        else WriteValue(json, row);
    }

    protected abstract void WriteValue(JsonBuffer json, ulong row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected T Read<T>(ulong row) where T : unmanaged => ((T*)Data)[row];

    protected ReadOnlySpan<byte> ReadText(ulong row)
    {
        const int headBytes = 16;
        const int inlineBytesMax = 12;
        var head = Data + row * headBytes;
        var length = *(int*)head;
        return length <= inlineBytesMax ? new ReadOnlySpan<byte>(head + sizeof(int), length) : new ReadOnlySpan<byte>(*(byte**)(head + sizeof(long)), length);
    }
}

internal sealed class JsonNullCell : JsonCell
{
    protected override void WriteValue(JsonBuffer json, ulong row) => json.Null();
}

internal sealed class JsonBoolCell : JsonCell
{
    protected override void WriteValue(JsonBuffer json, ulong row) => json.Bool(Read<byte>(row) != 0);
}

internal sealed class JsonIntegerCell<T> : JsonCell where T : unmanaged, System.Numerics.IBinaryInteger<T>
{
    protected override void WriteValue(JsonBuffer json, ulong row) => json.Number(long.CreateTruncating(Read<T>(row)));
}

internal sealed class JsonUnsignedCell : JsonCell
{
    protected override void WriteValue(JsonBuffer json, ulong row) => json.Number(Read<ulong>(row));
}

internal sealed class JsonFloatCell : JsonCell
{
    protected override void WriteValue(JsonBuffer json, ulong row) => json.Number(Read<float>(row));
}

internal sealed class JsonDoubleCell : JsonCell
{
    protected override void WriteValue(JsonBuffer json, ulong row) => json.Number(Read<double>(row));
}

/// <summary>128-bit integers, which every sum of integers is: a number as long as 64 bits hold it, else text, since no reader would keep its digits.</summary>
internal sealed class JsonHugeCell(bool signed) : JsonCell
{
    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        var value = Read<Int128>(row);
        if (signed && value >= long.MinValue && value <= long.MaxValue) json.Number((long)value);
        else if (!signed && (UInt128)value <= ulong.MaxValue) json.Number((ulong)value);
        else WriteDigits(json, signed ? value.ToString() : ((UInt128)value).ToString());
    }

    private static void WriteDigits(JsonBuffer json, string digits)
    {
        json.Raw((byte)'"');
        json.Ascii(digits);
        json.Raw((byte)'"');
    }
}

internal sealed class JsonTextCell : JsonCell
{
    protected override void WriteValue(JsonBuffer json, ulong row) => json.Text(ReadText(row));
}

/// <summary>Bytes as the engine shows them: printable ASCII as it is, everything else as <c>\xAA</c>.</summary>
internal sealed class JsonBlobCell : JsonCell
{
    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        json.Raw((byte)'"');
        foreach (var value in ReadText(row))
        {
            if (value is >= 0x20 and < 0x7f and not (byte)'"' and not (byte)'\\' and not (byte)'\'') json.Raw(value);
            else WriteCode(json, value);
        }
        json.Raw((byte)'"');
    }

    private static void WriteCode(JsonBuffer json, byte value)
    {
        json.Raw("\\\\x"u8);
        json.Raw("0123456789ABCDEF"u8[value >> 4]);
        json.Raw("0123456789ABCDEF"u8[value & 15]);
    }
}

/// <summary>A bit string: the first byte says how many bits of the second are padding.</summary>
internal sealed class JsonBitCell : JsonCell
{
    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        var bytes = ReadText(row);
        json.Raw((byte)'"');
        for (var bit = (int)bytes[0]; bit < (bytes.Length - 1) * 8; bit++)
            json.Raw((bytes[1 + bit / 8] >> (7 - bit % 8) & 1) == 0 ? (byte)'0' : (byte)'1');
        json.Raw((byte)'"');
    }
}

internal sealed class JsonUuidCell : JsonCell
{
    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        // Stored with the topmost bit flipped, so that signed order is text order.
        var bits = Read<UInt128>(row) ^ (UInt128.One << 127);
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, bits);
        Span<char> text = stackalloc char[36];
        new Guid(bytes, bigEndian: true).TryFormat(text, out _);
        json.Raw((byte)'"');
        json.Ascii(text);
        json.Raw((byte)'"');
    }
}

/// <summary>Decimals are text, so that no reader turns them into binary fractions.</summary>
internal sealed class JsonDecimalCell(DuckDBType storage, int scale) : JsonCell
{
    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        json.Raw((byte)'"');
        if (storage == DuckDBType.HugeInt) json.Ascii(EngineText.Decimal(Read<Int128>(row), scale));
        else WriteSmall(json, storage switch
        {
            DuckDBType.SmallInt => Read<short>(row),
            DuckDBType.Integer => Read<int>(row),
            _ => Read<long>(row),
        });
        json.Raw((byte)'"');
    }

    private void WriteSmall(JsonBuffer json, long unscaled)
    {
        var magnitude = unscaled < 0 ? (ulong)-unscaled : (ulong)unscaled;
        if (unscaled < 0) json.Raw((byte)'-');
        var unit = 1UL;
        for (var i = 0; i < scale; i++) unit *= 10;
        json.Number(magnitude / unit);
        if (scale == 0) return;
        json.Raw((byte)'.');
        json.Digits(magnitude % unit, scale);
    }
}

internal sealed class JsonEnumCell(DuckDBType storage, byte[][] names) : JsonCell
{
    protected override void WriteValue(JsonBuffer json, ulong row) => json.Text(names[storage switch
    {
        DuckDBType.UTinyInt => Read<byte>(row),
        DuckDBType.USmallInt => Read<ushort>(row),
        _ => Read<uint>(row),
    }]);
}
