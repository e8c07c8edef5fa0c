namespace Agnes.Cli.Api;

/// <summary>Reads of a response body, each of which must bring something within the limit.</summary>
internal sealed class IdleReader(Stream body, TimeSpan idle, TimeProvider clock, CancellationToken cancellation) : IDisposable
{
    private readonly CancellationTokenSource _silence = new(Timeout.InfiniteTimeSpan, clock);

    /// <exception cref="TimeoutException">Nothing came in time.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        cancellation.ThrowIfCancellationRequested();
        var read = body.ReadAsync(buffer, _silence.Token);
        if (read.IsCompletedSuccessfully) return await read;
        _silence.CancelAfter(idle);
        await using var stop = cancellation.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _silence);
        try
        {
            var count = await read;
            _silence.CancelAfter(Timeout.InfiniteTimeSpan);
            return count;
        }
        catch (OperationCanceledException problem) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"nothing was received for {idle.TotalSeconds:0.###} s", problem);
        }
        catch (IOException problem) when (problem is not HttpIOException)
        {
            // So that nobody takes it for an error of the disk that the bytes go to.
            throw new HttpIOException(HttpRequestError.ResponseEnded, problem.Message, problem);
        }
    }

    public void Dispose() => _silence.Dispose();
}
