using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DuckDB.NET.Data.Native;

namespace DuckDB.NET.Data;

/// <summary>
/// Rows that are put together cell by cell in columns of the engine's own form, and are read by statements as a table function: see
/// <see cref="DuckDBConnection.Register"/>. A cell costs no call into the engine, and no row is copied into a table first. One Append for
/// each column in turn, then <see cref="EndRow"/>. While a statement reads them, nothing may be appended.
/// </summary>
public sealed unsafe class DuckDBRows : IDisposable
{
    private const int ChunkRows = 2048; // the engine's vector
    private const int InlineBytes = 12; // what a string holds itself
    private const int StringBytes = 16;
    private const int BlockBytes = 256 << 10;
    private const int WidthMax = 38;
    private static readonly Int128[] Powers = [.. Enumerable.Range(0, WidthMax + 1).Select(digits => (Int128)BigInteger.Pow(10, digits))];

    private readonly Column[] _columns;
    private readonly List<nint> _chunks = []; // kept from one filling to the next
    private readonly List<nint> _blocks = []; // of texts; the same
    private readonly List<nint> _large = [];
    private int _chunk = -1; // that is being filled
    private int _row;
    private int _next;
    private int _block = -1;
    private byte* _text;
    private int _textLeft;
    private int _scanned;
    private bool _isDisposed;

    /// <param name="columns">Of types that <see cref="Holds"/>; names are different ones.</param>
    public DuckDBRows(IReadOnlyList<(string Name, string Type)> columns)
    {
        _columns = [.. columns.Select(column => ColumnOf(column.Name, column.Type))];
        RowBytes = _columns.Sum(column => column.Size);
        NextChunk();
    }

    public long Count { get; private set; }

    /// <summary>Memory that all rows so far take.</summary>
    public long Bytes { get; private set; }

    /// <summary>Of one row, besides its long texts.</summary>
    public int RowBytes { get; }

    /// <summary>Of the cell that is appended next.</summary>
    public int NextColumn => _next;

    public DuckDBType NextType => _columns[_next].Type;

    /// <summary>Whether cells of this type can be put together here; every other one can be held as its text.</summary>
    public static bool Holds(string type) => TypeOf(type).Type != DuckDBType.Invalid;

    public void AppendNull()
    {
        ref var column = ref _columns[_next++];
        if (column.Validity == null)
        {
            NativeMethods.duckdb_vector_ensure_validity_writable(column.Vector);
            column.Validity = NativeMethods.duckdb_vector_get_validity(column.Vector);
        }

        column.Validity[_row >> 6] &= ~(1UL << (_row & 63));
        // A text of before would point to where none is any more.
        if (column.Size == StringBytes) new Span<byte>(column.Data + ((long)_row * StringBytes), StringBytes).Clear();
    }

    public void Append(bool value)
    {
        ref var column = ref Expected(DuckDBType.Boolean);
        column.Data[_row] = value ? (byte)1 : (byte)0;
    }

    /// <summary>An integer, into a column of integers of any width.</summary>
    /// <exception cref="DuckDBException">The column's are narrower.</exception>
    public void Append(long value)
    {
        ref var column = ref _columns[_next++];
        switch (column.Type)
        {
            case DuckDBType.BigInt: ((long*)column.Data)[_row] = value; break;
            case DuckDBType.Integer: ((int*)column.Data)[_row] = Narrowed<int>(value); break;
            case DuckDBType.SmallInt: ((short*)column.Data)[_row] = Narrowed<short>(value); break;
            case DuckDBType.TinyInt: ((sbyte*)column.Data)[_row] = Narrowed<sbyte>(value); break;
            case DuckDBType.UInteger: ((uint*)column.Data)[_row] = Narrowed<uint>(value); break;
            case DuckDBType.USmallInt: ((ushort*)column.Data)[_row] = Narrowed<ushort>(value); break;
            case DuckDBType.UTinyInt: column.Data[_row] = Narrowed<byte>(value); break;
            default: throw Unlike(column, "an integer");
        }
    }

    public void Append(double value)
    {
        ref var column = ref _columns[_next++];
        var plain = EngineValue.PlainNaN(value);
        if (column.Type == DuckDBType.Double) ((double*)column.Data)[_row] = plain;
        else if (column.Type != DuckDBType.Float) throw Unlike(column, "a number");
        else if (float.IsInfinity((float)plain) && !double.IsInfinity(plain)) throw OutOfRange(plain, "FLOAT");
        else ((float*)column.Data)[_row] = (float)plain;
    }

    /// <summary>A DECIMAL, as the integer that it is without its point.</summary>
    /// <exception cref="DuckDBException">It has more digits than the column.</exception>
    public void AppendUnscaled(Int128 value)
    {
        ref var column = ref _columns[_next++];
        if (column.Type != DuckDBType.Decimal) throw Unlike(column, "a decimal");
        if (Int128.Abs(value) >= Powers[column.Width]) throw OutOfRange(value, $"DECIMAL({column.Width},{column.Scale})");
        switch (column.Size)
        {
            case sizeof(short): ((short*)column.Data)[_row] = (short)value; break;
            case sizeof(int): ((int*)column.Data)[_row] = (int)value; break;
            case sizeof(long): ((long*)column.Data)[_row] = (long)value; break;
            default: ((NativeHugeInt*)column.Data)[_row] = NativeHugeInt.From(value); break;
        }
    }

    /// <summary>A DATE: days since 1970-01-01; the largest number is infinity, its negative the other.</summary>
    public void AppendDays(int days)
    {
        ref var column = ref Expected(DuckDBType.Date);
        ((int*)column.Data)[_row] = days;
    }

    /// <summary>A TIME: microseconds since midnight.</summary>
    public void AppendTimeOfDay(long micros)
    {
        ref var column = ref Expected(DuckDBType.Time);
        ((long*)column.Data)[_row] = micros;
    }

    /// <summary>
    /// A TIMESTAMP, with or without time zone: microseconds since 1970-01-01 UTC; infinities as of <see cref="AppendDays"/>.
    /// </summary>
    public void AppendMicroseconds(long micros)
    {
        ref var column = ref _columns[_next++];
        if (column.Type is not (DuckDBType.Timestamp or DuckDBType.TimestampTz)) throw Unlike(column, "a time stamp");
        ((long*)column.Data)[_row] = micros;
    }

    /// <summary>A VARCHAR that is UTF-8 already. That is checked here, since the engine would store any bytes.</summary>
    public void AppendUtf8(ReadOnlySpan<byte> value)
    {
        if (!System.Text.Unicode.Utf8.IsValid(value)) throw new ArgumentException("The text is not valid UTF-8.", nameof(value));
        ref var column = ref Expected(DuckDBType.Varchar);
        Put(ref column, value);
    }

    public void AppendBlob(ReadOnlySpan<byte> value)
    {
        ref var column = ref Expected(DuckDBType.Blob);
        Put(ref column, value);
    }

    public void EndRow()
    {
        if (_next != _columns.Length) throw new InvalidOperationException($"A row of {_columns.Length} columns has {_next} cells.");
        _next = 0;
        Count++;
        Bytes += RowBytes;
        if (++_row == ChunkRows) NextChunk();
    }

    /// <summary>Forgets all rows; their memory serves the next.</summary>
    public void Clear()
    {
        foreach (var large in _large) NativeMemory.Free((void*)large);
        _large.Clear();
        (_chunk, _next, _block, _textLeft, Count, Bytes) = (-1, 0, -1, 0, 0, 0);
        NextChunk();
    }

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        foreach (var chunk in _chunks)
        {
            var owned = chunk;
            NativeMethods.duckdb_destroy_data_chunk(ref owned);
        }

        foreach (var block in (IEnumerable<nint>)[.. _blocks, .. _large]) NativeMemory.Free((void*)block);
        foreach (ref var column in _columns.AsSpan()) NativeMethods.duckdb_destroy_logical_type(ref column.Logical);
    }

    /// <summary>Tells the engine what the columns are. No exception may pass through the engine's own frames.</summary>
    /// <returns>False: this is disposed.</returns>
    internal bool TryBind(nint info)
    {
        if (_isDisposed) return false;
        foreach (var column in _columns) NativeMethods.duckdb_bind_add_result_column(info, column.Name, column.Logical);
        return true;
    }

    internal void StartScan() => _scanned = 0;

    /// <summary>Lets the engine's chunk share the next of ours; it stays empty where there is none.</summary>
    /// <returns>False: this is disposed.</returns>
    internal bool TryNext(nint output)
    {
        if (_isDisposed) return false;
        if (_scanned > _chunk) return true;
        var rows = _scanned == _chunk ? _row : ChunkRows;
        for (var i = 0; i < _columns.Length; i++)
        {
            NativeMethods.duckdb_vector_reference_vector(
                NativeMethods.duckdb_data_chunk_get_vector(output, (ulong)i),
                NativeMethods.duckdb_data_chunk_get_vector(_chunks[_scanned], (ulong)i));
        }

        NativeMethods.duckdb_data_chunk_set_size(output, (ulong)rows);
        _scanned++;
        return true;
    }

    private ref Column Expected(DuckDBType type)
    {
        ref var column = ref _columns[_next++];
        if (column.Type != type) throw Unlike(column, type.ToString());
        return ref column;
    }

    private void NextChunk()
    {
        if (++_chunk == _chunks.Count)
        {
            var types = _columns.Select(column => column.Logical).ToArray();
            fixed (nint* first = types) _chunks.Add(NativeMethods.duckdb_create_data_chunk(first, (ulong)types.Length));
        }

        var chunk = _chunks[_chunk];
        NativeMethods.duckdb_data_chunk_reset(chunk);
        NativeMethods.duckdb_data_chunk_set_size(chunk, ChunkRows);
        _row = 0;
        for (var i = 0; i < _columns.Length; i++)
        {
            ref var column = ref _columns[i];
            column.Vector = NativeMethods.duckdb_data_chunk_get_vector(chunk, (ulong)i);
            column.Data = (byte*)NativeMethods.duckdb_vector_get_data(column.Vector);
            column.Validity = null;
        }
    }

    private void Put(ref Column column, ReadOnlySpan<byte> value)
    {
        var target = column.Data + ((long)_row * StringBytes);
        *(int*)target = value.Length;
        if (value.Length <= InlineBytes)
        {
            new Span<byte>(target + sizeof(int), InlineBytes).Clear(); // strings are compared with what follows them
            value.CopyTo(new Span<byte>(target + sizeof(int), InlineBytes));
            return;
        }

        var text = Room(value.Length);
        value.CopyTo(new Span<byte>(text, value.Length));
        Unsafe.CopyBlockUnaligned(target + sizeof(int), text, sizeof(int)); // the engine keeps the first four bytes at hand
        *(byte**)(target + (2 * sizeof(int))) = text;
        Bytes += value.Length;
    }

    private byte* Room(int bytes)
    {
        if (bytes > BlockBytes / 4)
        {
            var large = (byte*)NativeMemory.Alloc((nuint)bytes);
            _large.Add((nint)large);
            return large;
        }

        if (bytes > _textLeft)
        {
            if (++_block == _blocks.Count) _blocks.Add((nint)NativeMemory.Alloc(BlockBytes));
            _text = (byte*)_blocks[_block];
            _textLeft = BlockBytes;
        }

        var text = _text;
        _text += bytes;
        _textLeft -= bytes;
        return text;
    }

    private static T Narrowed<T>(long value) where T : IBinaryInteger<T>
    {
        var narrow = T.CreateTruncating(value);
        return long.CreateTruncating(narrow) == value ? narrow : throw OutOfRange(value, typeof(T).Name);
    }

    private static DuckDBException OutOfRange(object value, string type) =>
        new($"Conversion Error: {value} is out of the range of {type}.", DuckDBErrorType.Conversion);

    private static InvalidCastException Unlike(in Column column, string what) =>
        new($"Column '{column.Name}' of type {column.Type} takes no {what}.");

    private static Column ColumnOf(string name, string type)
    {
        var (id, width, scale) = TypeOf(type);
        if (id == DuckDBType.Invalid) throw new NotSupportedException($"Cells of type {type} cannot be put together here.");
        return new Column
        {
            Name = name,
            Type = id,
            Width = width,
            Scale = scale,
            Size = SizeOf(id, width),
            Logical = id == DuckDBType.Decimal
                ? NativeMethods.duckdb_create_decimal_type(width, scale)
                : NativeMethods.duckdb_create_logical_type((int)id),
        };
    }

    private static int SizeOf(DuckDBType type, byte width) => type switch
    {
        DuckDBType.Boolean or DuckDBType.TinyInt or DuckDBType.UTinyInt => sizeof(byte),
        DuckDBType.SmallInt or DuckDBType.USmallInt => sizeof(short),
        DuckDBType.Integer or DuckDBType.UInteger or DuckDBType.Float or DuckDBType.Date => sizeof(int),
        DuckDBType.Varchar or DuckDBType.Blob => StringBytes,
        DuckDBType.Decimal when width <= 4 => sizeof(short),
        DuckDBType.Decimal when width <= 9 => sizeof(int),
        DuckDBType.Decimal when width > 18 => sizeof(NativeHugeInt),
        _ => sizeof(long),
    };

    private static (DuckDBType Type, byte Width, byte Scale) TypeOf(string type) => type switch
    {
        "BOOLEAN" => (DuckDBType.Boolean, 0, 0),
        "TINYINT" => (DuckDBType.TinyInt, 0, 0),
        "SMALLINT" => (DuckDBType.SmallInt, 0, 0),
        "INTEGER" => (DuckDBType.Integer, 0, 0),
        "BIGINT" => (DuckDBType.BigInt, 0, 0),
        "UTINYINT" => (DuckDBType.UTinyInt, 0, 0),
        "USMALLINT" => (DuckDBType.USmallInt, 0, 0),
        "UINTEGER" => (DuckDBType.UInteger, 0, 0),
        "FLOAT" => (DuckDBType.Float, 0, 0),
        "DOUBLE" => (DuckDBType.Double, 0, 0),
        "VARCHAR" => (DuckDBType.Varchar, 0, 0),
        "BLOB" => (DuckDBType.Blob, 0, 0),
        "DATE" => (DuckDBType.Date, 0, 0),
        "TIME" => (DuckDBType.Time, 0, 0),
        "TIMESTAMP" => (DuckDBType.Timestamp, 0, 0),
        "TIMESTAMP WITH TIME ZONE" => (DuckDBType.TimestampTz, 0, 0),
        _ => DecimalOf(type) is var (width, scale) ? (DuckDBType.Decimal, width, scale) : (DuckDBType.Invalid, (byte)0, (byte)0),
    };

    /// <summary>Width and scale of <c>DECIMAL(width,scale)</c>; null: the type is another.</summary>
    public static (byte Width, byte Scale)? DecimalOf(string type)
    {
        const string Start = "DECIMAL(";
        var comma = type.IndexOf(',', StringComparison.Ordinal);
        return type.StartsWith(Start, StringComparison.Ordinal) && type.EndsWith(')') && comma > 0
            && byte.TryParse(type.AsSpan(Start.Length, comma - Start.Length), out var width)
            && byte.TryParse(type.AsSpan(comma + 1, type.Length - comma - 2), out var scale) && width <= WidthMax && scale <= width
                ? (width, scale) : null;
    }

    private struct Column
    {
        public string Name;
        public DuckDBType Type;
        public byte Width;
        public byte Scale;
        public int Size;
        public nint Logical;
        public nint Vector; // of the chunk that is being filled, as the two that follow
        public byte* Data;
        public ulong* Validity; // null: no cell of it is NULL yet
    }
}
