using DuckDB.NET.Data.Native;

namespace DuckDB.NET.Data;

/// <summary>A column's type in full: what the engine calls it, and how its vectors lie in memory.</summary>
public sealed class DuckDBLogicalType
{
    private static readonly DuckDBLogicalType?[] Simple = new DuckDBLogicalType?[64];

    private DuckDBLogicalType(DuckDBType type) => (Type, StorageType, Name) = (type, type, NameOf(type));

    public DuckDBType Type { get; }

    /// <summary>The SQL name, such as <c>DECIMAL(18,2)</c>, <c>JSON</c> or <c>STRUCT(a INTEGER)</c>.</summary>
    public string Name { get; private init; }

    /// <summary>The name given to a type, such as <c>JSON</c>; null for the engine's own.</summary>
    public string? Alias { get; private init; }

    /// <summary>The integer type that a DECIMAL or an ENUM is stored as; of all others the type itself.</summary>
    public DuckDBType StorageType { get; private init; }

    /// <summary>Digits of a DECIMAL, in all.</summary>
    public byte Width { get; private init; }

    /// <summary>Digits of a DECIMAL behind the point.</summary>
    public byte Scale { get; private init; }

    /// <summary>The words of an ENUM.</summary>
    public IReadOnlyList<string> EnumNames { get; private init; } = [];

    /// <summary>Elements of each value of an ARRAY.</summary>
    public int ArraySize { get; private init; }

    /// <summary>Element of LIST and ARRAY, key and value of MAP, fields of STRUCT, members of UNION.</summary>
    public IReadOnlyList<DuckDBField> Fields { get; private init; } = [];

    /// <summary>Bytes of one value in a vector's data; 0 where the values are in the children alone.</summary>
    internal int ElementSize => StorageType switch
    {
        DuckDBType.Boolean or DuckDBType.TinyInt or DuckDBType.UTinyInt => 1,
        DuckDBType.SmallInt or DuckDBType.USmallInt => 2,
        DuckDBType.Integer or DuckDBType.UInteger or DuckDBType.Float or DuckDBType.Date => 4,
        DuckDBType.BigInt or DuckDBType.UBigInt or DuckDBType.Double or DuckDBType.Timestamp or DuckDBType.TimestampS or DuckDBType.TimestampMs
            or DuckDBType.TimestampNs or DuckDBType.TimestampTz or DuckDBType.TimestampTzNs or DuckDBType.Time or DuckDBType.TimeTz or DuckDBType.TimeNs => 8,
        DuckDBType.HugeInt or DuckDBType.UHugeInt or DuckDBType.Uuid or DuckDBType.Interval or DuckDBType.Varchar or DuckDBType.Blob
            or DuckDBType.Bit or DuckDBType.Bignum or DuckDBType.Geometry or DuckDBType.List or DuckDBType.Map => 16,
        _ => 0,
    };

    public override string ToString() => Name;

    /// <summary>Reads the engine's description, and destroys it.</summary>
    internal static DuckDBLogicalType Take(nint type)
    {
        try
        {
            var id = (DuckDBType)NativeMethods.duckdb_get_type_id(type);
            var alias = Utf8.Take(NativeMethods.duckdb_logical_type_get_alias(type));
            var known = Describe(id, type);
            return alias is null ? known : known.WithAlias(alias);
        }
        finally
        {
            NativeMethods.duckdb_destroy_logical_type(ref type);
        }
    }

    private static DuckDBLogicalType Describe(DuckDBType id, nint type) => id switch
    {
        DuckDBType.Decimal => DescribeDecimal(type),
        DuckDBType.Enum => DescribeEnum(type),
        DuckDBType.List => DescribeList(Take(NativeMethods.duckdb_list_type_child_type(type))),
        DuckDBType.Array => DescribeArray(Take(NativeMethods.duckdb_array_type_child_type(type)), (int)NativeMethods.duckdb_array_type_array_size(type)),
        DuckDBType.Map => DescribeMap(Take(NativeMethods.duckdb_map_type_key_type(type)), Take(NativeMethods.duckdb_map_type_value_type(type))),
        DuckDBType.Struct => DescribeFields(id, "STRUCT", StructFields(type)),
        DuckDBType.Union => DescribeFields(id, "UNION", UnionFields(type)),
        _ => (uint)id < (uint)Simple.Length ? Simple[(int)id] ??= new DuckDBLogicalType(id) : new DuckDBLogicalType(id),
    };

    private static DuckDBLogicalType DescribeDecimal(nint type)
    {
        var width = NativeMethods.duckdb_decimal_width(type);
        var scale = NativeMethods.duckdb_decimal_scale(type);
        return new DuckDBLogicalType(DuckDBType.Decimal)
        {
            Name = $"DECIMAL({width},{scale})",
            Width = width,
            Scale = scale,
            StorageType = (DuckDBType)NativeMethods.duckdb_decimal_internal_type(type),
        };
    }

    private static DuckDBLogicalType DescribeEnum(nint type)
    {
        var names = new string[NativeMethods.duckdb_enum_dictionary_size(type)];
        for (var i = 0; i < names.Length; i++) names[i] = Utf8.Take(NativeMethods.duckdb_enum_dictionary_value(type, (ulong)i)) ?? "";
        return new DuckDBLogicalType(DuckDBType.Enum)
        {
            Name = "ENUM(" + string.Join(", ", names.Select(name => "'" + name.Replace("'", "''") + "'")) + ")",
            EnumNames = names,
            StorageType = (DuckDBType)NativeMethods.duckdb_enum_internal_type(type),
        };
    }

    private static DuckDBLogicalType DescribeList(DuckDBLogicalType element) =>
        new(DuckDBType.List) { Name = element.Name + "[]", Fields = [new DuckDBField("element", element)] };

    private static DuckDBLogicalType DescribeArray(DuckDBLogicalType element, int size) =>
        new(DuckDBType.Array) { Name = $"{element.Name}[{size}]", ArraySize = size, Fields = [new DuckDBField("element", element)] };

    private static DuckDBLogicalType DescribeMap(DuckDBLogicalType key, DuckDBLogicalType value) =>
        new(DuckDBType.Map) { Name = $"MAP({key.Name}, {value.Name})", Fields = [new DuckDBField("key", key), new DuckDBField("value", value)] };

    private static DuckDBLogicalType DescribeFields(DuckDBType id, string name, DuckDBField[] fields) => new(id)
    {
        Name = name + "(" + string.Join(", ", fields.Select(field => field.Name.Length == 0 ? field.Type.Name : SqlName.Quote(field.Name) + " " + field.Type.Name)) + ")",
        Fields = fields,
    };

    private static DuckDBField[] StructFields(nint type)
    {
        var fields = new DuckDBField[NativeMethods.duckdb_struct_type_child_count(type)];
        for (var i = 0; i < fields.Length; i++)
        {
            var name = Utf8.Take(NativeMethods.duckdb_struct_type_child_name(type, (ulong)i)) ?? "";
            fields[i] = new DuckDBField(name, Take(NativeMethods.duckdb_struct_type_child_type(type, (ulong)i)));
        }

        return fields;
    }

    private static DuckDBField[] UnionFields(nint type)
    {
        var fields = new DuckDBField[NativeMethods.duckdb_union_type_member_count(type)];
        for (var i = 0; i < fields.Length; i++)
        {
            var name = Utf8.Take(NativeMethods.duckdb_union_type_member_name(type, (ulong)i)) ?? "";
            fields[i] = new DuckDBField(name, Take(NativeMethods.duckdb_union_type_member_type(type, (ulong)i)));
        }

        return fields;
    }

    private DuckDBLogicalType WithAlias(string alias) => new(Type)
    {
        Name = alias,
        Alias = alias,
        StorageType = StorageType,
        Width = Width,
        Scale = Scale,
        EnumNames = EnumNames,
        ArraySize = ArraySize,
        Fields = Fields,
    };

    private static string NameOf(DuckDBType type) => type switch
    {
        DuckDBType.TimestampS => "TIMESTAMP_S",
        DuckDBType.TimestampMs => "TIMESTAMP_MS",
        DuckDBType.TimestampNs => "TIMESTAMP_NS",
        DuckDBType.TimestampTz => "TIMESTAMP WITH TIME ZONE",
        DuckDBType.TimestampTzNs => "TIMESTAMP_NS WITH TIME ZONE",
        DuckDBType.TimeTz => "TIME WITH TIME ZONE",
        DuckDBType.TimeNs => "TIME_NS",
        DuckDBType.SqlNull => "\"NULL\"",
        _ => type.ToString().ToUpperInvariant(),
    };
}

/// <summary>A named part of a nested type.</summary>
public sealed record DuckDBField(string Name, DuckDBLogicalType Type);
