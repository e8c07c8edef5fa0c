using System.IO.Pipelines;
using Agnes.Engine.Parts;

namespace Agnes.Engine.Query.Workers;

/// <summary>How much of a response has gone to the output; outlives the copy, which may end in an exception.</summary>
internal sealed class BodyProgress
{
    public long Bytes { get; set; }
}

/// <summary>Passes a worker's response on to the output, and throws the rest away when the output does not want it any more.</summary>
/// <param name="verify">Throws <see cref="PartDamagedException"/>, before the first byte is passed on or at the end, where what the statement has read was changed meanwhile.</param>
internal sealed class BodyCopy(FrameStream frames, PipeWriter output, BodyProgress progress, Action verify, CancellationToken stop)
{
    private const int FlushBytes = 128 << 10;

    private long _unflushed;
    private bool _outputGone;
    private PartDamagedException? _damaged;

    public async Task<WorkerReply> RunAsync()
    {
        for (; ; )
        {
            var (kind, length) = await frames.ReadHeaderAsync();
            switch (kind)
            {
                case FrameKind.Body:
                    if (progress.Bytes == 0) Verify();
                    await CopyAsync(length);
                    break;
                case FrameKind.Done:
                    var done = RunDone.Read(await frames.ReadPayloadAsync(length));
                    if (progress.Bytes >= ResultSpool.HoldBytesMax) Verify(); // shorter ones were made whole before they were sent
                    if (_damaged is not null) throw _damaged;
                    if (_outputGone) return new WorkerReply(StatementStatus.TimedOut, null, 0, false, long.MaxValue); // complete here, but not at the client
                    return new WorkerReply(StatementStatus.Ok, null, done.Rows, done.Truncated, done.ProcessorMicroseconds);
                case FrameKind.Failed:
                    var failed = RunFailed.Read(await frames.ReadPayloadAsync(length));
                    Verify();
                    if (_damaged is not null) throw _damaged;
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
            if (_damaged is null) verify();
        }
        catch (PartDamagedException e)
        {
            _damaged = e; // the rest is still to be read, so that the worker can be used again
        }
    }

    private async Task CopyAsync(int length)
    {
        while (length > 0)
        {
            var unwanted = _outputGone || _damaged is not null;
            var rest = await frames.CopySomeAsync(length, unwanted ? null : output);
            if (!unwanted) progress.Bytes += length - rest;
            _unflushed += length - rest;
            length = rest;
            if (_unflushed >= FlushBytes) await FlushAsync();
        }
    }

    private async Task FlushAsync()
    {
        _unflushed = 0;
        if (_outputGone || _damaged is not null) return;
        try
        {
            var flushed = await output.FlushAsync(stop);
            _outputGone = flushed.IsCompleted || flushed.IsCanceled;
        }
        catch (OperationCanceledException)
        {
            _outputGone = true; // whoever cancelled ends the statement as well
        }
    }
}
