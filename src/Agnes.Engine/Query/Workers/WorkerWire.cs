using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Agnes.Engine.Query.Workers;

/// <summary>
/// What a frame between the server and a query worker is. A frame is this byte, the payload's length as four little-endian bytes, and the payload.
/// Both ends are the same binary, so there are no versions.
/// </summary>
internal enum FrameKind : byte
{
    /// <summary>No frame: the other end has closed.</summary>
    Closed = 0,

    /// <summary>To the worker, once, first: its fixed share.</summary>
    Configure = (byte)'C',

    /// <summary>To the worker: name what is in a text.</summary>
    Parse = (byte)'P',

    /// <summary>To the worker: write a statement as the engine writes it; answered as <see cref="Parse"/> is.</summary>
    Rewrite = (byte)'W',

    /// <summary>To the worker: run a text on a footprint.</summary>
    Run = (byte)'R',

    /// <summary>To the worker: end the statement of that number, if it still runs.</summary>
    Interrupt = (byte)'I',

    /// <summary>From the worker: configured and warm.</summary>
    Ready = (byte)'H',

    /// <summary>From the worker: the answer to <see cref="Parse"/>.</summary>
    Parsed = (byte)'T',

    /// <summary>From the worker: bytes of the response.</summary>
    Body = (byte)'B',

    /// <summary>From the worker: the response is complete.</summary>
    Done = (byte)'D',

    /// <summary>From the worker: the statement failed.</summary>
    Failed = (byte)'F',
}

/// <summary>In what form rows are written.</summary>
internal enum RowsForm : byte
{
    /// <summary><c>{"columns":[…],"rows":[[…]],"row_count":n,"truncated":b}</c></summary>
    Table,

    /// <summary><c>[{"column":value}]</c></summary>
    Objects,

    /// <summary>A Parquet file.</summary>
    Parquet,

    /// <summary>A file with an Arrow IPC stream.</summary>
    Arrow,
}

internal static class WorkerWire
{
    public const int HeaderBytes = 5;

    /// <summary>Nothing that is sent comes near it; a longer frame means that the other end is not sane.</summary>
    public const int FrameBytesMax = 64 << 20;

    public static void WriteHeader(Span<byte> header, FrameKind kind, int payloadBytes)
    {
        header[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(header[1..], payloadBytes);
    }

    /// <exception cref="InvalidDataException">Not a frame's header.</exception>
    public static (FrameKind Kind, int PayloadBytes) ReadHeader(ReadOnlySpan<byte> header)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(header[1..]);
        if (length is < 0 or > FrameBytesMax) throw new InvalidDataException("The query worker sent something that is no frame.");
        return ((FrameKind)header[0], length);
    }
}

/// <summary>Builds one frame.</summary>
internal sealed class FrameWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new(512);

    public FrameWriter Start(FrameKind kind)
    {
        _buffer.ResetWrittenCount();
        var header = _buffer.GetSpan(WorkerWire.HeaderBytes);
        header[0] = (byte)kind;
        _buffer.Advance(WorkerWire.HeaderBytes);
        return this;
    }

    public FrameWriter Byte(byte value)
    {
        _buffer.GetSpan(1)[0] = value;
        _buffer.Advance(1);
        return this;
    }

    public FrameWriter Int(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.GetSpan(sizeof(int)), value);
        _buffer.Advance(sizeof(int));
        return this;
    }

    public FrameWriter Long(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_buffer.GetSpan(sizeof(long)), value);
        _buffer.Advance(sizeof(long));
        return this;
    }

    public FrameWriter Text(string value)
    {
        var bytes = Encoding.UTF8.GetByteCount(value);
        Int(bytes);
        Encoding.UTF8.GetBytes(value, _buffer.GetSpan(bytes));
        _buffer.Advance(bytes);
        return this;
    }

    public FrameWriter Texts(IReadOnlyCollection<string> values)
    {
        Int(values.Count);
        foreach (var value in values) Text(value);
        return this;
    }

    /// <summary>The whole frame; valid until the next <see cref="Start"/>.</summary>
    public ReadOnlyMemory<byte> End()
    {
        var frame = _buffer.WrittenMemory;
        var payload = frame.Length - WorkerWire.HeaderBytes;
        if (payload > WorkerWire.FrameBytesMax) throw new InvalidDataException("The frame is too long.");
        BinaryPrimitives.WriteInt32LittleEndian(System.Runtime.InteropServices.MemoryMarshal.AsMemory(frame).Span[1..], payload);
        return frame;
    }
}

/// <summary>Reads the payload of one frame.</summary>
internal ref struct FrameReader(ReadOnlySpan<byte> payload)
{
    private ReadOnlySpan<byte> _rest = payload;

    public byte Byte() => Take(1)[0];

    public int Int() => BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)));

    public long Long() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));

    public string Text() => Encoding.UTF8.GetString(Take(Int()));

    public string[] Texts()
    {
        var count = Int();
        if (count < 0 || count > _rest.Length) throw new InvalidDataException("A list in a frame is longer than the frame.");
        var texts = new string[count];
        for (var i = 0; i < count; i++) texts[i] = Text();
        return texts;
    }

    private ReadOnlySpan<byte> Take(int bytes)
    {
        if (bytes < 0 || bytes > _rest.Length) throw new InvalidDataException("A frame ended too early.");
        var taken = _rest[..bytes];
        _rest = _rest[bytes..];
        return taken;
    }
}
