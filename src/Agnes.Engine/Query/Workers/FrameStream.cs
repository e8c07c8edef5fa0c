using System.Buffers;
using System.IO.Pipelines;

namespace Agnes.Engine.Query.Workers;

/// <summary>Reads a worker's frames.</summary>
internal sealed class FrameStream(Stream stream)
{
    private const int BufferBytes = 64 << 10;
    private const int ReadBytesMin = 4 << 10;

    private readonly PipeReader _input = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: BufferBytes, minimumReadSize: ReadBytesMin));

    /// <exception cref="EndOfStreamException">The worker has ended.</exception>
    public async ValueTask<(FrameKind Kind, int PayloadBytes)> ReadHeaderAsync()
    {
        var buffer = await AtLeastAsync(WorkerWire.HeaderBytes);
        var header = Header(buffer);
        _input.AdvanceTo(buffer.GetPosition(WorkerWire.HeaderBytes));
        return header;
    }

    public async ValueTask<byte[]> ReadPayloadAsync(int bytes)
    {
        if (bytes == 0) return [];
        var buffer = await AtLeastAsync(bytes);
        var payload = buffer.Slice(0, bytes).ToArray();
        _input.AdvanceTo(buffer.GetPosition(bytes));
        return payload;
    }

    /// <summary>Copies what has come of a payload, at least one byte of it.</summary>
    /// <param name="output">Null: thrown away, or into <paramref name="spill"/>.</param>
    /// <returns>Bytes that still have to come.</returns>
    public async ValueTask<int> CopySomeAsync(int bytes, PipeWriter? output, ResultSpill? spill)
    {
        var buffer = await AtLeastAsync(1);
        var part = buffer.Slice(0, Math.Min(bytes, buffer.Length));
        foreach (var segment in part)
        {
            output?.Write(segment.Span);
            spill?.Write(segment.Span);
        }
        _input.AdvanceTo(part.End);
        return bytes - (int)part.Length;
    }

    private static (FrameKind Kind, int PayloadBytes) Header(ReadOnlySequence<byte> buffer)
    {
        Span<byte> header = stackalloc byte[WorkerWire.HeaderBytes];
        buffer.Slice(0, WorkerWire.HeaderBytes).CopyTo(header);
        return WorkerWire.ReadHeader(header);
    }

    private async ValueTask<ReadOnlySequence<byte>> AtLeastAsync(int bytes)
    {
        var result = await _input.ReadAtLeastAsync(bytes, CancellationToken.None);
        return result.Buffer.Length >= bytes ? result.Buffer : throw new EndOfStreamException("The query worker has ended.");
    }
}
