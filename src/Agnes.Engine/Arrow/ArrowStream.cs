using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using DuckDB.NET.Data.Native;

namespace Agnes.Engine.Arrow;

/// <summary>
/// Writes a result as an Arrow IPC stream: schema, record batches, end; uncompressed. The engine lays its values out as Arrow does (C data interface); here they
/// get their messages.
/// </summary>
internal sealed unsafe class ArrowStream : IDisposable
{
    private const int Continuation = -1;
    private const int PrefixBytes = 2 * sizeof(int);
    private const int Alignment = 8;
    private const byte SchemaMessage = 1;
    private const byte BatchMessage = 3;
    private const short VersionFive = 4;

    private readonly Stream _output;
    private readonly IReadOnlyList<ArrowField> _fields;
    private readonly List<(long Length, long Nulls)> _nodes = [];
    private readonly List<(nint Address, long Bytes)> _buffers = [];
    private nint _options;

    /// <exception cref="NotSupportedException">A column is of a type that is not sent.</exception>
    public ArrowStream(ResultHandle result, Stream output)
    {
        _output = output;
        _options = NativeMethods.duckdb_result_get_arrow_options(result.Pointer);
        try
        {
            _fields = Fields(result);
            WriteSchema();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public long Written { get; private set; }

    /// <returns>False: with it the stream would be longer than allowed, so it was left out.</returns>
    public bool TryWrite(nint chunk, long bytesMax)
    {
        ArrowArray array;
        ThrowIf(NativeMethods.duckdb_data_chunk_to_arrow(_options, chunk, &array));
        try
        {
            _nodes.Clear();
            _buffers.Clear();
            for (var i = 0; i < _fields.Count; i++) Collect(_fields[i], array.Children[i]);
            var body = _buffers.Sum(buffer => Padded(buffer.Bytes));
            if (Written + body + PrefixBytes > bytesMax) return false;
            WriteBatch(array.Length, body);
            return true;
        }
        finally
        {
            if (array.Release != null) array.Release(&array);
        }
    }

    public void End()
    {
        Span<byte> end = stackalloc byte[PrefixBytes];
        BinaryPrimitives.WriteInt32LittleEndian(end, Continuation);
        BinaryPrimitives.WriteInt32LittleEndian(end[sizeof(int)..], 0);
        Write(end);
    }

    public void Dispose()
    {
        if (_options != 0) NativeMethods.duckdb_destroy_arrow_options(ref _options);
        _options = 0;
    }

    private List<ArrowField> Fields(ResultHandle result)
    {
        var count = (int)NativeMethods.duckdb_column_count(result.Pointer);
        var types = new nint[count];
        var names = new nint[count];
        try
        {
            for (var i = 0; i < count; i++)
            {
                types[i] = NativeMethods.duckdb_column_logical_type(result.Pointer, (ulong)i);
                names[i] = NativeMethods.duckdb_column_name(result.Pointer, (ulong)i);
            }

            ArrowSchema schema;
            fixed (nint* first = types)
            fixed (nint* firstName = names) ThrowIf(NativeMethods.duckdb_to_arrow_schema(_options, first, firstName, (ulong)count, &schema));
            try
            {
                var fields = new List<ArrowField>(count);
                for (var i = 0; i < count; i++) fields.Add(ArrowField.Read(schema.Children[i]));
                return fields;
            }
            finally
            {
                if (schema.Release != null) schema.Release(&schema);
            }
        }
        finally
        {
            for (var i = 0; i < count; i++)
                if (types[i] != 0) NativeMethods.duckdb_destroy_logical_type(ref types[i]);
        }
    }

    private void Collect(ArrowField field, ArrowArray* array)
    {
        if (array->Offset != 0) throw new NotSupportedException("The engine gave a part of an array.");
        var hasValidity = field.Layout != ArrowLayout.None && array->BufferCount > 0 && array->Buffers[0] != 0;
        var nulls = field.Layout == ArrowLayout.None ? array->Length : array->NullCount >= 0 ? array->NullCount : hasValidity ? Nulls((byte*)array->Buffers[0], array->Length) : 0;
        _nodes.Add((array->Length, nulls));
        if (field.Layout != ArrowLayout.None) _buffers.Add(hasValidity && nulls > 0 ? (array->Buffers[0], Bytes(array->Length, 1)) : (0, 0));
        switch (field.Layout)
        {
            case ArrowLayout.Fixed:
                _buffers.Add((array->Buffers[1], Bytes(array->Length, field.Bits)));
                break;
            case ArrowLayout.Bytes:
                _buffers.Add(Offsets(field, array));
                _buffers.Add((array->Buffers[2], LastOffset(field, array)));
                break;
            case ArrowLayout.List:
                _buffers.Add(Offsets(field, array));
                break;
        }

        for (var i = 0; i < field.Children.Count; i++) Collect(field.Children[i], array->Children[i]);
    }

    private static (nint, long) Offsets(ArrowField field, ArrowArray* array) => array->Length == 0 ? (0, 0) : (array->Buffers[1], (array->Length + 1) * field.Bits / 8);

    private static long LastOffset(ArrowField field, ArrowArray* array) =>
        array->Length == 0 ? 0 : field.Bits == 64 ? ((long*)array->Buffers[1])[array->Length] : ((int*)array->Buffers[1])[array->Length];

    private static long Nulls(byte* validity, long length)
    {
        var valid = 0L;
        for (var i = 0L; i < length / 8; i++) valid += BitOperations.PopCount(validity[i]);
        for (var i = length & ~7L; i < length; i++) valid += (validity[i / 8] >> (int)(i & 7)) & 1;
        return length - valid;
    }

    private static long Bytes(long values, int bits) => (values * bits + 7) / 8;

    private static long Padded(long bytes) => (bytes + Alignment - 1) & ~(long)(Alignment - 1);

    private void WriteSchema()
    {
        var buffer = new FlatBuffer();
        var fields = buffer.References([.. _fields.Select(field => field.Write(buffer))]);
        buffer.StartTable(2);
        buffer.Short(0, 0); // little-endian
        buffer.Reference(1, fields);
        WriteMessage(buffer, SchemaMessage, buffer.EndTable(), 0);
    }

    private void WriteBatch(long rows, long bodyBytes)
    {
        var buffer = new FlatBuffer();
        var places = new List<(long, long)>(_buffers.Count);
        var at = 0L;
        foreach (var (_, bytes) in _buffers)
        {
            places.Add((at, bytes));
            at += Padded(bytes);
        }

        var buffers = buffer.Pairs(places);
        var nodes = buffer.Pairs(_nodes);
        buffer.StartTable(3);
        buffer.Long(0, rows);
        buffer.Reference(1, nodes);
        buffer.Reference(2, buffers);
        WriteMessage(buffer, BatchMessage, buffer.EndTable(), bodyBytes);
        Span<byte> padding = stackalloc byte[Alignment];
        padding.Clear();
        foreach (var (address, bytes) in _buffers)
        {
            for (var done = 0L; done < bytes;)
            {
                var piece = (int)Math.Min(bytes - done, int.MaxValue);
                Write(new ReadOnlySpan<byte>((byte*)address + done, piece));
                done += piece;
            }

            Write(padding[..(int)(Padded(bytes) - bytes)]);
        }
    }

    private void WriteMessage(FlatBuffer buffer, byte kind, int header, long bodyBytes)
    {
        buffer.StartTable(4);
        buffer.Long(3, bodyBytes);
        buffer.Reference(2, header);
        buffer.Byte(1, kind);
        buffer.Short(0, VersionFive);
        var metadata = buffer.Finish(buffer.EndTable()).Span;
        var padded = (int)Padded(metadata.Length);
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        BinaryPrimitives.WriteInt32LittleEndian(prefix, Continuation);
        BinaryPrimitives.WriteInt32LittleEndian(prefix[sizeof(int)..], padded);
        Write(prefix);
        Write(metadata);
        Span<byte> padding = stackalloc byte[Alignment];
        padding.Clear();
        Write(padding[..(padded - metadata.Length)]);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _output.Write(bytes);
        Written += bytes.Length;
    }

    private static void ThrowIf(nint error)
    {
        if (error == 0) return;
        try
        {
            if (NativeMethods.duckdb_error_data_has_error(error)) throw new NotSupportedException(Marshal.PtrToStringUTF8(NativeMethods.duckdb_error_data_message(error)) ?? "The engine cannot give this as Arrow.");
        }
        finally
        {
            NativeMethods.duckdb_destroy_error_data(ref error);
        }
    }
}
