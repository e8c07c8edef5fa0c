using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Http;

/// <summary>
/// A request's body that has an end in bytes, and has to have arrived in a given time. A rate alone does not do: it is an average, and a
/// body that came fast but for its last byte could wait for hours. That it ends here, rather than in Kestrel's own limit, lets the rest be
/// read and dropped, so that the refusal reaches its sender.
/// </summary>
internal sealed class BoundedBody(Stream inner, long bytesMax, TimeSpan time) : Stream
{
    private readonly CancellationTokenSource _limit = new(time);
    private long _read;
    private bool _complete;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_complete) return 0;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _limit.Token);
        try
        {
            var read = await inner.ReadAsync(buffer, either.Token);
            if (read == 0 && buffer.Length > 0)
            {
                Complete();
                WriteRight.Demand(); // who waits with the last byte must not have waited for the end of their access
            }

            if ((_read += read) > bytesMax) throw new BadHttpRequestException("The body is too large.", StatusCodes.Status413PayloadTooLarge);
            return read;
        }
        catch (OperationCanceledException late) when (_limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new BadHttpRequestException("The body took too long.", StatusCodes.Status408RequestTimeout, late);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Bodies are read asynchronously.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) Complete();
        base.Dispose(disposing);
    }

    /// <summary>The clock stops: what the handler does from here on is its own time.</summary>
    private void Complete()
    {
        _complete = true;
        _limit.Dispose();
    }
}
