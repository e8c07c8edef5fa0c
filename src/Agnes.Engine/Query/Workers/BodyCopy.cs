using System.IO.Pipelines;

namespace Agnes.Engine.Query.Workers;

/// <summary>Passes a worker's response on to the output, and throws the rest away when the output does not want it any more.</summary>
internal sealed class BodyCopy(FrameStream frames, PipeWriter output, CancellationToken stop)
{
    private const int FlushBytes = 128 << 10;

    private long _bytes;
    private long _unflushed;
    private bool _outputGone;

    public async Task<WorkerReply> RunAsync()
    {
        for (; ; )
        {
            var (kind, length) = await frames.ReadHeaderAsync();
            switch (kind)
            {
                case FrameKind.Body:
                    await CopyAsync(length);
                    break;
                case FrameKind.Done:
                    var done = RunDone.Read(await frames.ReadPayloadAsync(length));
                    return new WorkerReply(StatementStatus.Ok, null, done.Rows, done.Truncated, _bytes, done.EngineMicroseconds);
                case FrameKind.Failed:
                    var failed = RunFailed.Read(await frames.ReadPayloadAsync(length));
                    return new WorkerReply(failed.Status, failed.Message, 0, false, _bytes, long.MaxValue);
                default:
                    throw new InvalidDataException("The query worker answered something else.");
            }
        }
    }

    private async Task CopyAsync(int length)
    {
        while (length > 0)
        {
            var rest = await frames.CopySomeAsync(length, _outputGone ? null : output);
            if (!_outputGone) _bytes += length - rest;
            _unflushed += length - rest;
            length = rest;
            if (_unflushed >= FlushBytes) await FlushAsync();
        }
    }

    private async Task FlushAsync()
    {
        _unflushed = 0;
        if (_outputGone) return;
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
