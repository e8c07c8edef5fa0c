using System.Runtime.CompilerServices;
using System.Text;
using DuckDB.NET.Data.Native;

namespace DuckDB.NET.Data;

/// <summary>
/// A column of the chunk that a reader stands on: the engine's own memory, for code that writes millions of cells. What it hands out is valid
/// until the reader moves to its next chunk or is closed; keep the reader referenced meanwhile.
/// </summary>
public sealed unsafe class DuckDBColumn
{
    private readonly int _elementSize;
    private readonly DuckDBColumn[] _children;
    private byte* _data;
    private ulong* _validity;

    internal DuckDBColumn(string name, DuckDBLogicalType type)
    {
        Name = name;
        LogicalType = type;
        _elementSize = type.ElementSize;
        _children = [.. type.Fields.Select(field => new DuckDBColumn(field.Name, field.Type))];
    }

    public string Name { get; }

    public DuckDBLogicalType LogicalType { get; }

    public DuckDBType Type => LogicalType.Type;

    /// <summary>Rows in this chunk; in the child of a list all elements of all its rows.</summary>
    public int Count { get; private set; }

    /// <summary>
    /// Elements of LIST and ARRAY (one column), key and value of MAP (two), fields of STRUCT, members of UNION. Those of LIST, ARRAY and MAP are
    /// addressed by <see cref="Range"/>, the others by the row.
    /// </summary>
    public IReadOnlyList<DuckDBColumn> Children => _children;

    /// <summary>False: no row is null, so that nobody need ask for each.</summary>
    public bool MayHaveNulls => _validity != null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsNull(int row)
    {
        CheckRow(row);
        return _validity != null && (_validity[row >> 6] & (1UL << (row & 63))) == 0;
    }

    /// <summary>
    /// The values as they lie in the engine's memory: the storage type of a DECIMAL or ENUM, microseconds of a TIMESTAMP, days of a DATE …
    /// What stands where a row is null is undefined.
    /// </summary>
    public ReadOnlySpan<T> Data<T>() where T : unmanaged
    {
        if (sizeof(T) != _elementSize) throw new InvalidCastException($"{LogicalType.Name} has values of {_elementSize} bytes, {typeof(T)} has {sizeof(T)}.");
        return new ReadOnlySpan<T>(_data, Count);
    }

    /// <summary>The bytes of a VARCHAR (UTF-8), a BLOB, or another type that is stored as a string.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Bytes(int row)
    {
        CheckRow(row);
        if (!IsStoredAsString) ThrowNoBytes();
        var text = _data + row * 16L;
        var length = *(int*)text;
        return length <= 12 ? new ReadOnlySpan<byte>(text + 4, length) : new ReadOnlySpan<byte>(*(byte**)(text + 8), length);
    }

    /// <summary>The UTF-8 text of a VARCHAR, or the word of an ENUM.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Utf8(int row) => Type == DuckDBType.Enum ? EnumWords[EnumIndex(row)] : Bytes(row);

    /// <summary>Where the elements of a LIST, ARRAY or MAP lie in <see cref="Children"/>.</summary>
    public (int Offset, int Length) Range(int row)
    {
        CheckRow(row);
        if (Type == DuckDBType.Array) return (row * LogicalType.ArraySize, LogicalType.ArraySize);
        if (Type is not (DuckDBType.List or DuckDBType.Map)) throw new InvalidCastException($"{LogicalType.Name} has no elements.");
        var entry = (ulong*)_data + row * 2L;
        return ((int)entry[0], (int)entry[1]);
    }

    /// <summary>Which member of <see cref="Children"/> holds the value of a UNION.</summary>
    public int UnionTag(int row)
    {
        CheckRow(row);
        return Type == DuckDBType.Union ? _data[row] : throw new InvalidCastException($"{LogicalType.Name} has no tag.");
    }

    /// <summary>The integer that a DECIMAL is stored as, whatever its storage type.</summary>
    public Int128 Unscaled(int row)
    {
        CheckRow(row);
        return LogicalType.StorageType switch
        {
            DuckDBType.SmallInt => ((short*)_data)[row],
            DuckDBType.Integer => ((int*)_data)[row],
            DuckDBType.BigInt => ((long*)_data)[row],
            DuckDBType.HugeInt => (Int128)((NativeHugeInt*)_data)[row].Bits,
            _ => throw new InvalidCastException($"{LogicalType.Name} is no DECIMAL."),
        };
    }

    internal int EnumIndex(int row)
    {
        CheckRow(row);
        return LogicalType.StorageType switch
        {
            DuckDBType.UTinyInt => _data[row],
            DuckDBType.USmallInt => ((ushort*)_data)[row],
            _ => (int)((uint*)_data)[row],
        };
    }

    private byte[][] EnumWords => field ??= [.. LogicalType.EnumNames.Select(Encoding.UTF8.GetBytes)];

    private bool IsStoredAsString => LogicalType.StorageType is DuckDBType.Varchar or DuckDBType.Blob or DuckDBType.Bit or DuckDBType.Bignum or DuckDBType.Geometry;

    internal T* Values<T>() where T : unmanaged => (T*)_data;

    /// <summary>Takes up the vector of a new chunk.</summary>
    internal void Bind(nint vector, int count)
    {
        Count = count;
        _validity = NativeMethods.duckdb_vector_get_validity(vector);
        switch (Type)
        {
            case DuckDBType.List:
                _data = (byte*)NativeMethods.duckdb_vector_get_data(vector);
                _children[0].Bind(NativeMethods.duckdb_list_vector_get_child(vector), (int)NativeMethods.duckdb_list_vector_get_size(vector));
                break;
            case DuckDBType.Map:
                _data = (byte*)NativeMethods.duckdb_vector_get_data(vector);
                var entries = NativeMethods.duckdb_list_vector_get_child(vector);
                BindChildren(entries, (int)NativeMethods.duckdb_list_vector_get_size(vector), first: 0);
                break;
            case DuckDBType.Array:
                _children[0].Bind(NativeMethods.duckdb_array_vector_get_child(vector), checked(count * LogicalType.ArraySize));
                break;
            case DuckDBType.Struct:
                BindChildren(vector, count, first: 0);
                break;
            case DuckDBType.Union:
                _data = (byte*)NativeMethods.duckdb_vector_get_data(NativeMethods.duckdb_struct_vector_get_child(vector, 0));
                BindChildren(vector, count, first: 1);
                break;
            default:
                if (_elementSize > 0) _data = (byte*)NativeMethods.duckdb_vector_get_data(vector);
                break;
        }
    }

    /// <summary>Forgets the memory of a chunk that is gone.</summary>
    internal void Unbind()
    {
        Count = 0;
        foreach (var child in _children) child.Unbind();
    }

    private void BindChildren(nint vector, int count, int first)
    {
        for (var i = 0; i < _children.Length; i++) _children[i].Bind(NativeMethods.duckdb_struct_vector_get_child(vector, (ulong)(i + first)), count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CheckRow(int row)
    {
        if ((uint)row >= (uint)Count) ThrowNoRow();
    }

    private static void ThrowNoRow() => throw new ArgumentOutOfRangeException("row", "The chunk has no such row, or is gone.");

    private void ThrowNoBytes() => throw new InvalidCastException($"{LogicalType.Name} is not stored as bytes.");
}
