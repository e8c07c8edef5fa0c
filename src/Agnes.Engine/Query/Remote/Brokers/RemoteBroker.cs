namespace Agnes.Engine.Query.Remote.Brokers;

/// <summary>
/// A connection whose credentials and driver live in a process of their own, which is started when it is asked, and again when it has
/// ended.
/// </summary>
internal sealed class RemoteBroker(RemoteBrokers brokers, BrokerStart start) : IRemoteTables, IAsyncDisposable
{
    private readonly SemaphoreSlim _starting = new(1);
    private readonly Lock _gate = new();
    private BrokerProcess? _process; // under _gate, and the next two
    private int _calls;
    private bool _isClosed;

    public string Connection => start.Connection;

    public int? ProcessId
    {
        get
        {
            lock (_gate) return _process is { IsLost: false } process ? process.ProcessId : null;
        }
    }

    /// <summary>By the clock that only goes forward.</summary>
    public long LastAsked { get; private set; }

    public async Task<RemoteDescription> DescribeAsync(string relation, CancellationToken cancellation) =>
        (await AskAsync(new BrokerCall(0, BrokerOperation.Describe, Relation: relation), cancellation)).Description
            ?? new RemoteDescription([]);

    public async Task<RemoteEstimate> EstimateAsync(RemoteQuestion question, CancellationToken cancellation) =>
        (await AskAsync(new BrokerCall(0, BrokerOperation.Estimate, Question: question), cancellation)).Estimate
            ?? new RemoteEstimate(null, null);

    public async Task<IReadOnlyList<RemoteRelation>> ListAsync(RemoteListing listing, CancellationToken cancellation) =>
        (await AskAsync(new BrokerCall(0, BrokerOperation.List, Listing: listing), cancellation)).Relations ?? [];

    public Task AnswerAsync(RemoteQuestion question, string folder, CancellationToken cancellation)
    {
        var name = Path.GetFileName(folder);
        var call = new BrokerCall(0, BrokerOperation.Answer, Question: question, Folder: name);
        return AskAsync(call, cancellation, process => process.Take(name, folder));
    }

    /// <summary>Ends its process where nobody asks it now: another connection needs the place.</summary>
    public async Task<bool> TryRestAsync()
    {
        BrokerProcess? resting;
        lock (_gate)
        {
            if (_calls > 0 || _process is null) return false;
            resting = _process;
            _process = null;
        }

        await brokers.EndAsync(resting);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        BrokerProcess? ending;
        lock (_gate)
        {
            if (_isClosed) return;
            _isClosed = true;
            ending = _process;
            _process = null;
        }

        brokers.Forget(this);
        if (ending is not null) await brokers.EndAsync(ending);
    }

    private async Task<BrokerReply> AskAsync(BrokerCall call, CancellationToken cancellation, Action<BrokerProcess>? take = null)
    {
        lock (_gate) _calls++;
        LastAsked = brokers.Now;
        try
        {
            try
            {
                return await AskOnceAsync(call, cancellation, take);
            }
            catch (BrokerLostException lost) when (!lost.WasOutOfMemory && call.Question?.OnceAs is not null)
            {
                // The system knows the question by its name: it gives the answer that was paid for.
                return await AskOnceAsync(call, cancellation, take);
            }
        }
        catch (BrokerLostException lost)
        {
            var why = lost.WasOutOfMemory
                ? "The question needs more memory than one to another system may take. Filter more, or name fewer columns."
                : $"What asks '{Connection}' has ended in the middle of it. Ask again.";
            throw new RemoteException(lost.WasOutOfMemory ? RemoteFault.Question : RemoteFault.System, why, lost)
            {
                IsPassing = !lost.WasOutOfMemory,
            };
        }
        finally
        {
            lock (_gate) _calls--;
        }
    }

    private async Task<BrokerReply> AskOnceAsync(BrokerCall call, CancellationToken cancellation, Action<BrokerProcess>? take)
    {
        var process = await ProcessAsync(cancellation);
        try
        {
            var reply = await process.AskAsync(call, cancellation);
            take?.Invoke(process);
            return reply;
        }
        catch when (call.Folder is not null && !process.IsLost)
        {
            process.Discard(call.Folder);
            throw;
        }
    }

    private async Task<BrokerProcess> ProcessAsync(CancellationToken cancellation)
    {
        lock (_gate)
            if (_process is { IsLost: false } running) return running;
        await _starting.WaitAsync(cancellation);
        try
        {
            BrokerProcess? lost;
            lock (_gate)
            {
                if (_isClosed) throw new RemoteException(RemoteFault.System, $"'{Connection}' has been closed.");
                if (_process is { IsLost: false } running) return running;
                lost = _process;
                _process = null;
            }

            if (lost is not null) await brokers.EndAsync(lost);
            var started = await brokers.StartAsync(start, cancellation);
            bool isLate;
            lock (_gate)
            {
                isLate = _isClosed;
                if (!isLate) _process = started;
            }

            if (!isLate) return started;
            await brokers.EndAsync(started);
            throw new RemoteException(RemoteFault.System, $"'{Connection}' has been closed.");
        }
        finally
        {
            _starting.Release();
        }
    }
}
