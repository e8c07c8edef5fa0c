using Agnes.Engine.Query.Workers;

namespace Agnes.Engine.Query;

/// <summary>Why a statement was ended from outside, if it was.</summary>
internal enum Ending
{
    None,
    TimedOut,
    Cancelled,
}

/// <summary>Stands beside one exchange with a worker: at the time limit, or when the client has gone, it interrupts, and soon after kills.</summary>
internal static class Supervision
{
    /// <summary>Between the interrupt, which most statements heed, and the end of the process, which all do.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(250);

    /// <param name="exchange">Ends by itself when the worker has gone.</param>
    /// <param name="stopped">Fires at the time limit or when the client goes.</param>
    public static async Task<(T? Reply, bool Lost)> RunAsync<T>(QueryWorker worker, Task<T> exchange, TimeProvider time, CancellationToken stopped) where T : class
    {
        try
        {
            return (await exchange.WaitAsync(stopped), false);
        }
        catch (WorkerLostException)
        {
            return (null, true);
        }
        catch (OperationCanceledException) when (stopped.IsCancellationRequested)
        {
            return await EndAsync(worker, exchange, time);
        }
    }

    private static async Task<(T? Reply, bool Lost)> EndAsync<T>(QueryWorker worker, Task<T> exchange, TimeProvider time) where T : class
    {
        await worker.InterruptAsync();
        try
        {
            return (await exchange.WaitAsync(Grace, time, CancellationToken.None), false);
        }
        catch (WorkerLostException)
        {
            return (null, true);
        }
        catch (TimeoutException)
        {
            worker.Kill();
        }
        try
        {
            return (await exchange, false);
        }
        catch (WorkerLostException)
        {
            return (null, true);
        }
    }
}
