using System.Collections.Concurrent;
using Agnes.Engine.Query;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>
/// Every request of somebody known stands here while it runs, entered by the enforcement, so no endpoint has to remember it. Each second
/// all of them are asked again what they were asked at their start: what the asker may no longer have ends, whatever it is and however
/// slowly it is read.
/// </summary>
internal sealed partial class Leases : IDisposable
{
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<RequestLease, byte> _open = new(); // bounded by the requests that run
    private readonly StateDb _state;
    private readonly Authenticator _authenticator;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private int _looking; // exchanged atomically

    public Leases(StateDb state, Authenticator authenticator, TimeProvider time, ILogger<Leases> log)
    {
        _state = state;
        _authenticator = authenticator;
        _log = log;
        _timer = time.CreateTimer(static self => ((Leases)self!).Look(), this, LookEvery, LookEvery);
    }

    /// <returns>To be disposed of at the request's end.</returns>
    public RequestLease Open(HttpContext context, AskedAccess asked, RequestAccess access)
    {
        var lease = new RequestLease(this, context, asked, access);
        _open.TryAdd(lease, 0);
        return lease;
    }

    public void Close(RequestLease lease) => _open.TryRemove(lease, out _);

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        if (Interlocked.Exchange(ref _looking, 1) == 1) return; // the last look has not ended
        var (now, isConfirmed) = (_state.Snapshot, _state.IsConfirmed);
        foreach (var (lease, _) in _open)
        {
            try
            {
                lease.Look(isConfirmed && lease.IsAllowed(_authenticator, now));
            }
            catch (Exception failure)
            {
                LogFailed(_log, failure); // it must not keep the others from being looked at
            }
        }
        Volatile.Write(ref _looking, 0);
    }

    [LoggerMessage(EventId = 5304, Level = LogLevel.Error, Message = "Whether a request may still go on could not be found out.")]
    private static partial void LogFailed(ILogger log, Exception failure);
}

/// <summary>
/// One request while it runs. When the asker may no longer have what was asked for, its statements are ended, so that the endpoint can
/// say so; an answer that is being sent, or that goes on for another look, is cut.
/// </summary>
internal sealed class RequestLease(Leases leases, HttpContext context, AskedAccess asked, RequestAccess access) : IDisposable
{
    private readonly Lock _gate = new();
    private CancellationTokenSource? _ended; // under _gate, and all below
    private Lease? _lease;
    private long _allowedAt = access.Snapshot.AccessVersion; // the looks' own
    private bool _wasSeen;
    private bool _isRevoked;
    private bool _isOver;

    /// <summary>What statements run under. Whoever takes it is told of its end before the connection is cut.</summary>
    public Lease Lease
    {
        get
        {
            lock (_gate)
            {
                if (_lease is not null) return _lease;
                _ended = new CancellationTokenSource();
                if (_isRevoked) _ended.Cancel();
                return _lease = new Lease(access.Caller!.UserId, _ended.Token);
            }
        }
    }

    public bool IsAllowed(Authenticator authenticator, Snapshot now)
    {
        if (asked.CallerNow(authenticator, now) is not { } asker) return false;
        IReadOnlyList<ScopedTable>? read;
        bool isSending;
        lock (_gate) (read, isSending) = (_lease?.Read, !_isOver && context.Response.HasStarted);
        if (read is not null) return read.All(table => MayRead(now, asker, table));
        return !isSending || asked.Declared is not EndpointAccess.SignedInAccess || MayReadAllOfIt(now, asker);
    }

    public void Look(bool isAllowed)
    {
        lock (_gate)
        {
            if (_isOver) return; // the context may be another request's by now
            if (isAllowed && !_isRevoked)
            {
                _wasSeen = true;
                return;
            }

            // The answer to whoever ended their own access is not cut: it is gone before a second look.
            var isLong = _isRevoked || (_wasSeen && _lease is null && context.Response.HasStarted);
            _isRevoked = true;
            _ = _ended?.CancelAsync(); // not here: what waits for it would run under the lock
            if (isLong) context.Abort();
        }
    }

    public void Dispose()
    {
        leases.Close(this);
        lock (_gate)
        {
            _isOver = true;
            _ended?.Dispose();
        }
    }

    /// <summary>An answer that nothing is known of may tell of everything that its asker could read at its start.</summary>
    private bool MayReadAllOfIt(Snapshot now, Caller asker)
    {
        if (asker.IsAdmin || now.AccessVersion == _allowedAt) return true;
        if (!Scopes.Tables(access.Snapshot, access.Caller!).All(table => Access.CanRead(now, asker, table))) return false;
        _allowedAt = now.AccessVersion;
        return true;
    }

    private static bool MayRead(Snapshot now, Caller asker, ScopedTable table) =>
        NamedTable.ByName(now, table.Name) is { } still ? Access.CanRead(now, asker, still) : Access.CanRead(now, asker, table.Id);
}
