using System.Globalization;
using System.Runtime.InteropServices;
using DuckDB.NET.Data.Native;

namespace Agnes.Engine.Arrow;

/// <summary>What buffers the values of a type lie in, after the one that says which are null.</summary>
internal enum ArrowLayout
{
    /// <summary>None, not even that one.</summary>
    None,

    /// <summary>One, with values of the same number of bits.</summary>
    Fixed,

    /// <summary>Offsets, then bytes.</summary>
    Bytes,

    /// <summary>Offsets into the child.</summary>
    List,

    /// <summary>Nothing of their own: the children's.</summary>
    Children,
}

/// <summary>A column, or a part of one: its type as the stream's schema says it, and how its buffers are measured.</summary>
/// <param name="Bits">Of a value; of an offset for <see cref="ArrowLayout.Bytes"/> and <see cref="ArrowLayout.List"/>.</param>
/// <param name="WriteType">Writes the type's table and returns its position.</param>
internal sealed record ArrowField(string Name, bool IsNullable, byte Type, Func<FlatBuffer, int> WriteType, ArrowLayout Layout, int Bits, IReadOnlyList<ArrowField> Children)
{
    private const byte Null = 1, Integer = 2, Real = 3, Binary = 4, Utf8 = 5, Boolean = 6, Decimal = 7, Date = 8, Time = 9, Timestamp = 10, Interval = 11, ListType = 12, Structure = 13, FixedBinary = 15, FixedList = 16, Map = 17,
        Duration = 18, LargeBinary = 19, LargeUtf8 = 20, LargeList = 21;

    /// <exception cref="NotSupportedException">A type that is not sent.</exception>
    public static unsafe ArrowField Read(ArrowSchema* schema)
    {
        var name = Marshal.PtrToStringUTF8(schema->Name) ?? "";
        var format = Marshal.PtrToStringUTF8(schema->Format) ?? "";
        if (schema->Dictionary != null) throw Unknown(name, "dictionary");
        var children = new ArrowField[schema->ChildCount];
        for (var i = 0; i < children.Length; i++) children[i] = Read(schema->Children[i]);
        var (type, write, layout, bits) = Of(name, format);
        return new ArrowField(name, (schema->Flags & ArrowSchema.Nullable) != 0, type, write, layout, bits, children);
    }

    public int Write(FlatBuffer buffer)
    {
        const int fields = 7;
        var children = buffer.References([.. Children.Select(child => child.Write(buffer))]);
        var type = WriteType(buffer);
        var name = buffer.Text(Name);
        buffer.StartTable(fields);
        buffer.Reference(0, name);
        buffer.Bool(1, IsNullable);
        buffer.Byte(2, Type);
        buffer.Reference(3, type);
        buffer.Reference(5, children);
        return buffer.EndTable();
    }

    private static (byte Type, Func<FlatBuffer, int> Write, ArrowLayout Layout, int Bits) Of(string name, string format) => format switch
    {
        "n" => (Null, Empty, ArrowLayout.None, 0),
        "b" => (Boolean, Empty, ArrowLayout.Fixed, 1),
        "c" or "C" => Number(8, format == "c"),
        "s" or "S" => Number(16, format == "s"),
        "i" or "I" => Number(32, format == "i"),
        "l" or "L" => Number(64, format == "l"),
        "e" => (Real, buffer => Short(buffer, 0), ArrowLayout.Fixed, 16),
        "f" => (Real, buffer => Short(buffer, 1), ArrowLayout.Fixed, 32),
        "g" => (Real, buffer => Short(buffer, 2), ArrowLayout.Fixed, 64),
        "z" => (Binary, Empty, ArrowLayout.Bytes, 32),
        "Z" => (LargeBinary, Empty, ArrowLayout.Bytes, 64),
        "u" => (Utf8, Empty, ArrowLayout.Bytes, 32),
        "U" => (LargeUtf8, Empty, ArrowLayout.Bytes, 64),
        "tdD" => (Date, buffer => Short(buffer, 0), ArrowLayout.Fixed, 32),
        "tdm" => (Date, buffer => Short(buffer, 1), ArrowLayout.Fixed, 64),
        "tts" or "ttm" => (Time, buffer => TimeOf(buffer, Unit(format[2]), 32), ArrowLayout.Fixed, 32),
        "ttu" or "ttn" => (Time, buffer => TimeOf(buffer, Unit(format[2]), 64), ArrowLayout.Fixed, 64),
        "tiM" => (Interval, buffer => Short(buffer, 0), ArrowLayout.Fixed, 32),
        "tiD" => (Interval, buffer => Short(buffer, 1), ArrowLayout.Fixed, 64),
        "tin" => (Interval, buffer => Short(buffer, 2), ArrowLayout.Fixed, 128),
        "+l" => (ListType, Empty, ArrowLayout.List, 32),
        "+L" => (LargeList, Empty, ArrowLayout.List, 64),
        "+s" => (Structure, Empty, ArrowLayout.Children, 0),
        "+m" => (Map, buffer => Bool(buffer, false), ArrowLayout.List, 32),
        _ when format.StartsWith("tD", StringComparison.Ordinal) => (Duration, buffer => Short(buffer, Unit(format[2])), ArrowLayout.Fixed, 64),
        _ when format.StartsWith("ts", StringComparison.Ordinal) && format.Length > 3 => (Timestamp, buffer => Stamp(buffer, Unit(format[2]), format[4..]), ArrowLayout.Fixed, 64),
        _ when format.StartsWith("d:", StringComparison.Ordinal) => DecimalOf(name, format),
        _ when format.StartsWith("w:", StringComparison.Ordinal) => (FixedBinary, buffer => Int(buffer, Number(format)), ArrowLayout.Fixed, Number(format) * 8),
        _ when format.StartsWith("+w:", StringComparison.Ordinal) => (FixedList, buffer => Int(buffer, Number(format)), ArrowLayout.Children, 0),
        _ => throw Unknown(name, format),
    };

    private static (byte, Func<FlatBuffer, int>, ArrowLayout, int) Number(int bits, bool isSigned) => (
        Integer,
        buffer =>
        {
            buffer.StartTable(2);
            buffer.Int(0, bits);
            buffer.Bool(1, isSigned);
            return buffer.EndTable();
        },
        ArrowLayout.Fixed,
        bits);

    private static (byte, Func<FlatBuffer, int>, ArrowLayout, int) DecimalOf(string name, string format)
    {
        var parts = format[2..].Split(',');
        if (parts.Length is < 2 or > 3) throw Unknown(name, format);
        var (precision, scale, bits) = (Whole(parts[0]), Whole(parts[1]), parts.Length == 3 ? Whole(parts[2]) : 128);
        return (
            Decimal,
            buffer =>
            {
                buffer.StartTable(3);
                buffer.Int(0, precision);
                buffer.Int(1, scale);
                buffer.Int(2, bits);
                return buffer.EndTable();
            },
            ArrowLayout.Fixed,
            bits);
    }

    private static int Empty(FlatBuffer buffer)
    {
        buffer.StartTable(0);
        return buffer.EndTable();
    }

    private static int Short(FlatBuffer buffer, short value)
    {
        buffer.StartTable(1);
        buffer.Short(0, value);
        return buffer.EndTable();
    }

    private static int Int(FlatBuffer buffer, int value)
    {
        buffer.StartTable(1);
        buffer.Int(0, value);
        return buffer.EndTable();
    }

    private static int Bool(FlatBuffer buffer, bool value)
    {
        buffer.StartTable(1);
        buffer.Bool(0, value);
        return buffer.EndTable();
    }

    private static int TimeOf(FlatBuffer buffer, short unit, int bits)
    {
        buffer.StartTable(2);
        buffer.Short(0, unit);
        buffer.Int(1, bits);
        return buffer.EndTable();
    }

    private static int Stamp(FlatBuffer buffer, short unit, string zone)
    {
        var name = zone.Length > 0 ? buffer.Text(zone) : 0;
        buffer.StartTable(2);
        buffer.Short(0, unit);
        if (name != 0) buffer.Reference(1, name);
        return buffer.EndTable();
    }

    private static short Unit(char letter) => letter switch { 's' => 0, 'm' => 1, 'u' => 2, _ => 3 };

    private static int Number(string format) => Whole(format[(format.IndexOf(':', StringComparison.Ordinal) + 1)..]);

    private static int Whole(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static NotSupportedException Unknown(string name, string format) => new($"The column '{name}' is of a type ({format}) that is not sent as Arrow. Leave it out, or ask for Parquet.");
}
