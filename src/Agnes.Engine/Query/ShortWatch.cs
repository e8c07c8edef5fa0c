using Agnes.Engine.Query.Workers;

namespace Agnes.Engine.Query;

/// <summary>
/// Ends a statement on the worker of short statements that turns out to be long. Counted is the processor's time, not the clock's: on a busy machine a
/// <c>SELECT 1</c> may take a while, and must not be sent into the queue of long statements for it.
/// </summary>
internal sealed class ShortWatch : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ProcessorTimeMax = TimeSpan.FromMilliseconds(40);

    private readonly QueryWorker _worker;
    private readonly CancellationTokenSource _deadline;
    private readonly ITimer _timer;
    private TimeSpan? _atFirst;

    /// <param name="deadline">Cancelled when the statement has had its share.</param>
    public ShortWatch(QueryWorker worker, CancellationTokenSource deadline, TimeProvider time)
    {
        _worker = worker;
        _deadline = deadline;
        _timer = time.CreateTimer(static self => ((ShortWatch)self!).Look(), this, Every, Every);
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        var used = _worker.ProcessorTime;
        _atFirst ??= used; // most statements are over before the first look, and cost no reading of the clock
        if (used - _atFirst <= ProcessorTimeMax) return;
        try
        {
            _deadline.Cancel();
        }
        catch (ObjectDisposedException)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan); // it has ended in this very moment
        }
    }
}
