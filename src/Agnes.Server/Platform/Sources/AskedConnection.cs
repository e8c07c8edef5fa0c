using Agnes.Engine.Query.Remote;

namespace Agnes.Server.Platform.Sources;

/// <summary>A connection that is asked: so many questions at once, and an end.</summary>
/// <param name="open">Makes the kind's own; called by the first question.</param>
internal sealed partial class AskedConnection(string name, Func<IRemoteTables> open, TimeProvider time, ILogger log) : IRemoteTables
{
    private const int QuestionsMax = 8;

    /// <summary>For a question that does not heed its end; the connection is taken from under it then.</summary>
    private static readonly TimeSpan EndTimeMax = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan DescribeTimeMax = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _places = new(QuestionsMax);
    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _gate = new();
    private IRemoteTables? _system; // under _gate

    public string Connection => name;

    public Task<RemoteDescription> DescribeAsync(string relation, CancellationToken cancellation) =>
        SoonAsync("say what the table is", (system, token) => system.DescribeAsync(relation, token), cancellation);

    public Task<RemoteEstimate> EstimateAsync(RemoteQuestion question, CancellationToken cancellation) =>
        UseAsync((system, token) => system.EstimateAsync(question, token), cancellation);

    public Task AnswerAsync(RemoteQuestion question, string file, CancellationToken cancellation) => UseAsync(
        async (system, token) =>
        {
            await system.AnswerAsync(question, file, token);
            return true;
        },
        cancellation);

    public Task<IReadOnlyList<RemoteRelation>> ListAsync(RemoteListing listing, CancellationToken cancellation) =>
        SoonAsync("list its tables", (system, token) => system.ListAsync(listing, token), cancellation);

    /// <summary>Ends the questions that are under way, then the connection; those to come are refused.</summary>
    public async Task EndAsync()
    {
        await _ended.CancelAsync();
        var isFree = true;
        for (var i = 0; i < QuestionsMax && isFree; i++) isFree = await _places.WaitAsync(EndTimeMax, CancellationToken.None); // all places at once: nobody is left
        IRemoteTables? system;
        lock (_gate) system = _system;
        try
        {
            if (system is IAsyncDisposable asynchronous) await asynchronous.DisposeAsync();
            else (system as IDisposable)?.Dispose();
        }
        catch (Exception failure)
        {
            LogNotClosed(log, name, failure.GetType().Name);
        }
    }

    /// <summary>For what reads no row: a source that does not answer by then is not there.</summary>
    private async Task<T> SoonAsync<T>(string what, Func<IRemoteTables, CancellationToken, Task<T>> ask, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(DescribeTimeMax, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            return await UseAsync(ask, stop.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            var late = $"'{name}' did not {what} within {DescribeTimeMax.TotalSeconds:0} s. Try again later.";
            throw new RemoteException(RemoteFault.System, late) { IsPassing = true };
        }
    }

    private async Task<T> UseAsync<T>(Func<IRemoteTables, CancellationToken, Task<T>> ask, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _ended.Token);
        try
        {
            await _places.WaitAsync(stop.Token);
            try
            {
                return await ask(System(), stop.Token);
            }
            finally
            {
                _places.Release();
            }
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new RemoteException(RemoteFault.System, $"'{name}' was changed while it was asked. Ask again.") { IsPassing = true };
        }
        catch (Exception failure) when (failure is not (RemoteException or OperationCanceledException))
        {
            LogFailed(log, name, failure.GetType().Name); // its text may hold a secret
            throw new RemoteException(RemoteFault.System, $"'{name}' could not be asked. Ask an admin to look at the connection.", failure);
        }
    }

    private IRemoteTables System()
    {
        lock (_gate) return _system ??= open();
    }

    [LoggerMessage(EventId = 6601, Level = LogLevel.Warning, Message = "The connection {Connection} could not be asked: {Failure}.")]
    private static partial void LogFailed(ILogger log, string connection, string failure);

    [LoggerMessage(EventId = 6602, Level = LogLevel.Warning, Message = "The connection {Connection} could not be closed: {Failure}.")]
    private static partial void LogNotClosed(ILogger log, string connection, string failure);
}
