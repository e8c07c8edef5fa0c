using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;

namespace Agnes.Server.Platform.Sources;

/// <summary>A connection that is asked: so many questions at once, columns remembered for a while, and an end.</summary>
/// <param name="open">Makes the kind's own; called by the first question.</param>
internal sealed partial class AskedConnection(string name, Func<IRemoteTables> open, TimeProvider time, ILogger log) : IRemoteTables
{
    private const int QuestionsMax = 8;

    /// <summary>Tables whose columns are remembered; at most twice as many are for a moment.</summary>
    private const int DescribedMax = 256;

    private static readonly TimeSpan DescribedFor = TimeSpan.FromHours(1);

    /// <summary>For a question that does not heed its end; the connection is taken from under it then.</summary>
    private static readonly TimeSpan EndTimeMax = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan DescribeTimeMax = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _places = new(QuestionsMax);
    private readonly CancellationTokenSource _ended = new();
    private readonly RecentCache<string, Described> _described = new(DescribedMax);
    private readonly Lock _gate = new();
    private IRemoteTables? _system; // under _gate

    public string Connection => name;

    public async Task<IReadOnlyList<TableColumn>> DescribeAsync(string relation, CancellationToken cancellation) =>
        (await DescribedAsync(relation, cancellation)).Columns;

    /// <summary>Asked for with the columns, once for both; null also where it could not be had.</summary>
    public async Task<RemoteLayout?> LayoutAsync(string relation, CancellationToken cancellation) =>
        (await DescribedAsync(relation, cancellation)).Layout;

    private async Task<Described> DescribedAsync(string relation, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        if (_described.TryGet(relation, out var known) && known.Until > now) return known;
        using var deadline = new CancellationTokenSource(DescribeTimeMax, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            var columns = await UseAsync((system, token) => system.DescribeAsync(relation, token), stop.Token);
            var described = new Described(columns, await LaidOutAsync(relation, stop.Token), now + DescribedFor);
            _described.Set(relation, described);
            return described;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            var late = $"'{name}' did not say within {DescribeTimeMax.TotalSeconds:0} s which columns the table has. Try again later.";
            throw new RemoteException(RemoteFault.System, late) { IsPassing = true };
        }
    }

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
        UseAsync((system, token) => system.ListAsync(listing, token), cancellation);

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

    /// <summary>Without it a table is described all the same.</summary>
    private async Task<RemoteLayout?> LaidOutAsync(string relation, CancellationToken cancellation)
    {
        try
        {
            return await UseAsync((system, token) => system.LayoutAsync(relation, token), cancellation);
        }
        catch (RemoteException)
        {
            return null;
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

    private sealed record Described(IReadOnlyList<TableColumn> Columns, RemoteLayout? Layout, DateTimeOffset Until);
}
