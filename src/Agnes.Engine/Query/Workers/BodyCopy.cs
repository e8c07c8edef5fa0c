using System.IO.Pipelines;
using System.Runtime.ExceptionServices;
using Agnes.Engine.Parts;

namespace Agnes.Engine.Query.Workers;

/// <summary>How much of a response has gone to the output; outlives the copy, which may end in an exception.</summary>
/// <param name="leaving">Awaited before the first bytes can leave ahead of the statement's end; where it throws, none do.</param>
internal sealed class BodyProgress(Func<Task>? leaving = null)
{
    public Func<Task>? Leaving { get; } = leaving;

    public long Bytes { get; set; }
}

/// <summary>
/// Passes a worker's response on to the output. A worker waits for a slow reader a moment only: then the rest is put aside for later, and
/// thrown away when the output does not want it any more.
/// </summary>
/// <param name="spill">Where the rest is put; whoever gave it sends it when the worker has been given back.</param>
/// <param name="verify">Throws <see cref="PartDamagedException"/>, before the first byte is passed on or at the end, where what the statement has read was changed meanwhile.</param>
internal sealed class BodyCopy(FrameStream frames, PipeWriter output, BodyProgress progress, ResultSpill spill, Action verify, TimeProvider time, CancellationToken stop)
{
    private const int FlushBytes = 128 << 10;

    /// <summary>What one statement's worker may wait for its reader, altogether.</summary>
    private static readonly TimeSpan PatienceMax = TimeSpan.FromMilliseconds(250);

    private TimeSpan _patience = PatienceMax;
    private long _received;
    private long _unflushed;
    private bool _outputGone;
    private bool _announced;
    private Exception? _fault;

    public async Task<WorkerReply> RunAsync()
    {
        for (; ; )
        {
            var (kind, length) = await frames.ReadHeaderAsync();
            switch (kind)
            {
                case FrameKind.Body:
                    if (_received == 0) Verify();
                    if (_unflushed + length >= FlushBytes) await AnnounceAsync();
                    await CopyAsync(length);
                    break;
                case FrameKind.Done:
                    var done = RunDone.Read(await frames.ReadPayloadAsync(length));
                    if (_received >= ResultSpool.HoldBytesMax) Verify(); // shorter ones were made whole before they were sent
                    if (_fault is not null) ExceptionDispatchInfo.Throw(_fault);
                    if (_outputGone) return new WorkerReply(StatementStatus.TimedOut, null, 0, false, long.MaxValue); // complete here, but not at the client
                    return new WorkerReply(StatementStatus.Ok, null, done.Rows, done.Truncated, done.ProcessorMicroseconds);
                case FrameKind.Failed:
                    var failed = RunFailed.Read(await frames.ReadPayloadAsync(length));
                    Verify();
                    if (_fault is not null) ExceptionDispatchInfo.Throw(_fault);
                    return new WorkerReply(failed.Status, failed.Message, 0, false, long.MaxValue);
                default:
                    throw new InvalidDataException("The query worker answered something else.");
            }
        }
    }

    private void Verify()
    {
        try
        {
            if (_fault is null) verify();
        }
        catch (PartDamagedException e)
        {
            _fault = e; // the rest is still to be read, so that the worker can be used again
        }
    }

    private async Task AnnounceAsync()
    {
        if (_announced || _fault is not null || progress.Leaving is not { } leaving) return;
        _announced = true;
        try
        {
            await leaving();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _fault = e; // whatever it is, the worker's rest is still to be read
        }
    }

    private async Task CopyAsync(int length)
    {
        while (length > 0)
        {
            var isWanted = !_outputGone && _fault is null;
            var isLate = spill.Pending is not null;
            var rest = await frames.CopySomeAsync(length, isWanted && !isLate ? output : null, isWanted && isLate ? spill : null);
            if (isWanted && !isLate) progress.Bytes += length - rest;
            _received += length - rest;
            _unflushed += length - rest;
            length = rest;
            if (_unflushed >= FlushBytes) await FlushAsync();
        }
    }

    private async Task FlushAsync()
    {
        _unflushed = 0;
        if (_outputGone || _fault is not null || spill.Pending is not null) return;
        var flushing = output.FlushAsync(CancellationToken.None); // it may go on when this copy has ended
        if (flushing.IsCompletedSuccessfully)
        {
            Note(await flushing);
            return;
        }
        var pending = flushing.AsTask();
        var started = time.GetTimestamp();
        try
        {
            Note(await pending.WaitAsync(_patience, time, stop));
            _patience -= time.GetElapsedTime(started);
            if (_patience < TimeSpan.Zero) _patience = TimeSpan.Zero;
        }
        catch (TimeoutException)
        {
            spill.Pending = pending;
        }
        catch (OperationCanceledException)
        {
            _outputGone = true; // whoever cancelled ends the statement as well
        }
    }

    private void Note(FlushResult flushed) => _outputGone = flushed.IsCompleted || flushed.IsCanceled;
}
