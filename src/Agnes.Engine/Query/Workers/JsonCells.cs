using System.Text;
using DuckDB.NET.Data;
using DuckDB.NET.Data.Native;

namespace Agnes.Engine.Query.Workers;

/// <summary>Makes the writer for a type of the engine.</summary>
internal static class JsonCells
{
    private const long PerSecond = 1;
    private const long PerMilli = 1_000;
    private const long PerMicro = 1_000_000;
    private const long PerNano = 1_000_000_000;

    /// <param name="type">Stays the caller's.</param>
    /// <param name="nestedAsText">At the top of a row of scalars; inside a nested value JSON nests by itself.</param>
    /// <exception cref="NotSupportedException">A type that has no form in JSON.</exception>
    public static JsonCell Create(nint type, bool nestedAsText)
    {
        var id = (DuckDBType)NativeMethods.duckdb_get_type_id(type);
        return Scalar(id) ?? id switch
        {
            DuckDBType.Decimal => new JsonDecimalCell((DuckDBType)NativeMethods.duckdb_decimal_internal_type(type), NativeMethods.duckdb_decimal_scale(type)),
            DuckDBType.Enum => Enum(type),
            _ when nestedAsText => new JsonAsTextCell(Nested(id, type)),
            _ => Nested(id, type),
        };
    }

    private static JsonCell? Scalar(DuckDBType id) => id switch
    {
        DuckDBType.Boolean => new JsonBoolCell(),
        DuckDBType.TinyInt => new JsonIntegerCell<sbyte>(),
        DuckDBType.SmallInt => new JsonIntegerCell<short>(),
        DuckDBType.Integer => new JsonIntegerCell<int>(),
        DuckDBType.BigInt => new JsonIntegerCell<long>(),
        DuckDBType.UTinyInt => new JsonIntegerCell<byte>(),
        DuckDBType.USmallInt => new JsonIntegerCell<ushort>(),
        DuckDBType.UInteger => new JsonIntegerCell<uint>(),
        DuckDBType.UBigInt => new JsonUnsignedCell(),
        DuckDBType.HugeInt => new JsonHugeCell(signed: true),
        DuckDBType.UHugeInt => new JsonHugeCell(signed: false),
        DuckDBType.Float => new JsonFloatCell(),
        DuckDBType.Double => new JsonDoubleCell(),
        DuckDBType.Varchar => new JsonTextCell(),
        DuckDBType.Blob or DuckDBType.Geometry => new JsonBlobCell(),
        DuckDBType.Bit => new JsonBitCell(),
        DuckDBType.Uuid => new JsonUuidCell(),
        DuckDBType.Date => new JsonDateCell(),
        DuckDBType.Timestamp => new JsonTimestampCell(PerMicro, zoned: false),
        DuckDBType.TimestampS => new JsonTimestampCell(PerSecond, zoned: false),
        DuckDBType.TimestampMs => new JsonTimestampCell(PerMilli, zoned: false),
        DuckDBType.TimestampNs => new JsonTimestampCell(PerNano, zoned: false),
        DuckDBType.TimestampTz => new JsonTimestampCell(PerMicro, zoned: true),
        DuckDBType.TimestampTzNs => new JsonTimestampCell(PerNano, zoned: true),
        DuckDBType.Time => new JsonClockCell(nanoseconds: false),
        DuckDBType.TimeNs => new JsonClockCell(nanoseconds: true),
        DuckDBType.TimeTz => new JsonZonedClockCell(),
        DuckDBType.Interval => new JsonIntervalCell(),
        DuckDBType.SqlNull => new JsonNullCell(),
        _ => null,
    };

    private static JsonCell Nested(DuckDBType id, nint type) => id switch
    {
        DuckDBType.List => new JsonListCell(Child(NativeMethods.duckdb_list_type_child_type(type))),
        DuckDBType.Array => new JsonArrayCell(Child(NativeMethods.duckdb_array_type_child_type(type)), NativeMethods.duckdb_array_type_array_size(type)),
        DuckDBType.Map => new JsonMapCell(Child(NativeMethods.duckdb_map_type_key_type(type)), Child(NativeMethods.duckdb_map_type_value_type(type))),
        DuckDBType.Struct => Struct(type),
        DuckDBType.Union => Union(type),
        _ => throw new NotSupportedException($"a column of type {id.ToString().ToUpperInvariant()} cannot be returned; cast it, for example with ::VARCHAR"),
    };

    private static JsonCell Child(nint type)
    {
        try
        {
            return Create(type, nestedAsText: false);
        }
        finally
        {
            NativeMethods.duckdb_destroy_logical_type(ref type);
        }
    }

    private static JsonStructCell Struct(nint type)
    {
        var count = (int)NativeMethods.duckdb_struct_type_child_count(type);
        var names = new byte[count][];
        var members = new JsonCell[count];
        for (var i = 0; i < count; i++)
        {
            names[i] = Name(NativeMethods.duckdb_struct_type_child_name(type, (ulong)i));
            members[i] = Child(NativeMethods.duckdb_struct_type_child_type(type, (ulong)i));
        }
        return new JsonStructCell(names, members);
    }

    private static JsonUnionCell Union(nint type)
    {
        var members = new JsonCell[NativeMethods.duckdb_union_type_member_count(type)];
        for (var i = 0; i < members.Length; i++) members[i] = Child(NativeMethods.duckdb_union_type_member_type(type, (ulong)i));
        return new JsonUnionCell(members);
    }

    private static JsonEnumCell Enum(nint type)
    {
        var names = new byte[NativeMethods.duckdb_enum_dictionary_size(type)][];
        for (var i = 0; i < names.Length; i++) names[i] = Name(NativeMethods.duckdb_enum_dictionary_value(type, (ulong)i));
        return new JsonEnumCell((DuckDBType)NativeMethods.duckdb_enum_internal_type(type), names);
    }

    private static byte[] Name(nint owned) => Encoding.UTF8.GetBytes(Utf8.Take(owned) ?? "");
}
