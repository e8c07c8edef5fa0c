using Agnes.Engine.Limits;

namespace Agnes.Engine.Query.Remote.Brokers;

/// <summary>How brokers are started and what each may take.</summary>
/// <param name="Program">The program that has the role <c>remote-broker</c>.</param>
/// <param name="Brokers">At once; a connection that nobody asks makes way for one that is asked.</param>
/// <param name="MemoryBytes">Resident memory of each; it is ended above.</param>
public sealed record RemoteBrokerOptions(WorkerProgram Program, Scratch Scratch, int Brokers, long MemoryBytes)
{
    public const string Role = "remote-broker";

    /// <summary>Hosts that connections may lead to although they are in this machine's own network.</summary>
    public IReadOnlyList<string> AllowedPrivateHosts { get; init; } = [];
}

/// <summary>
/// The brokers of this process: one for each connection that is asked, started by its first question, so many at once. What a connection
/// is set to goes to its broker by pipe and is in no other process but this one.
/// </summary>
public sealed class RemoteBrokers(RemoteBrokerOptions options, TimeProvider time) : IAsyncDisposable
{
    /// <summary>How long a question waits for another connection's broker to come free.</summary>
    private static readonly TimeSpan PlaceWait = TimeSpan.FromSeconds(20);

    private readonly SemaphoreSlim _places = new(options.Brokers);
    private readonly Lock _gate = new();
    private readonly List<RemoteBroker> _open = []; // under _gate; one for each connection that is open

    /// <summary>Opens a connection for questions to come: its broker is started by the first of them.</summary>
    /// <param name="reads">Files and folders that it needs to read.</param>
    public IRemoteTables Open(string kind, string connection, IReadOnlyDictionary<string, string> settings, params IReadOnlyList<string> reads)
    {
        var broker = new RemoteBroker(this, new BrokerStart(kind, connection, settings, options.AllowedPrivateHosts) { Reads = reads });
        lock (_gate) _open.Add(broker);
        return broker;
    }

    /// <summary>Of all brokers that run now.</summary>
    public int[] ProcessIds()
    {
        lock (_gate) return [.. _open.Select(broker => broker.ProcessId).OfType<int>()];
    }

    /// <exception cref="RemoteException"/>
    /// <exception cref="BrokerLostException"/>
    internal async Task<BrokerProcess> StartAsync(BrokerStart start, CancellationToken cancellation)
    {
        if (!await _places.WaitAsync(TimeSpan.Zero, cancellation))
        {
            RemoteBroker[] others;
            lock (_gate) others = [.. _open];
            foreach (var other in others.OrderBy(other => other.LastAsked))
                if (await other.TryRestAsync()) break;
            if (!await _places.WaitAsync(PlaceWait, cancellation))
                throw new RemoteException(
                    RemoteFault.System,
                    $"{options.Brokers} other connections are being asked; '{start.Connection}' has to wait. Ask again in a moment.");
        }

        try
        {
            return await BrokerProcess.StartAsync(options, start, time, cancellation);
        }
        catch
        {
            _places.Release();
            throw;
        }
    }

    internal async Task EndAsync(BrokerProcess process)
    {
        try
        {
            await process.DisposeAsync();
        }
        finally
        {
            _places.Release();
        }
    }

    internal long Now => time.GetTimestamp();

    internal void Forget(RemoteBroker broker)
    {
        lock (_gate) _open.Remove(broker);
    }

    public async ValueTask DisposeAsync()
    {
        RemoteBroker[] left;
        lock (_gate) left = [.. _open];
        foreach (var broker in left) await broker.DisposeAsync();
        _places.Dispose();
    }
}
