using Agnes.Engine.Outbound;

namespace Agnes.Server.Platform.Http;

/// <summary>Remembers that requests come through a proxy which the operator did not name: then it is not known who asks. Said in the log once an hour, and in the health.</summary>
internal sealed partial class ProxyNotice(TimeProvider time, ILogger<ProxyNotice> log)
{
    public const string Text = "Requests come through a proxy that AGNES_TRUSTED_PROXIES does not name, so it is not known who asks: see docs/operator/proxies.md.";
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);
    private long _said;
    private long _seenNearby;

    /// <summary>
    /// Within the last hour, from this machine or a private network. From elsewhere it may be a client that writes such headers itself, and no stranger shall decide of
    /// the health.
    /// </summary>
    public bool IsSeen => IsRecent(Volatile.Read(ref _seenNearby));

    public void Look(ClientAddress client)
    {
        if (client is not { UnnamedProxy: { } mark, Address: { } address }) return;
        var now = time.GetUtcNow().UtcTicks;
        if (OutboundGuard.IsForbidden(address)) Volatile.Write(ref _seenNearby, now);
        var said = Volatile.Read(ref _said);
        if (!IsRecent(said) && Interlocked.CompareExchange(ref _said, now, said) == said) LogUnnamed(log, address.ToString(), mark);
    }

    private bool IsRecent(long ticks) => ticks > 0 && time.GetUtcNow().UtcTicks - ticks < Every.Ticks;

    [LoggerMessage(EventId = 5304, Level = LogLevel.Warning, Message = "A request from {Address} shows by {Mark} that it came through a proxy which AGNES_TRUSTED_PROXIES does not name, or its sender pretends so. Until it is named, sign-in limits count for each account instead of each address: docs/operator/proxies.md.")]
    private static partial void LogUnnamed(ILogger log, string address, string mark);
}
