namespace Agnes.Server.Platform.Http;

/// <summary>Remembers that requests come through a proxy which the operator did not name: then it is not known who asks. Said in the log once an hour, and in the health.</summary>
internal sealed partial class ProxyNotice(TimeProvider time, ILogger<ProxyNotice> log)
{
    public const string Text = "Requests come through a proxy that AGNES_TRUSTED_PROXIES does not name, or carry its headers without one: see docs/operator/proxies.md.";
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);
    private long _lastTicks;

    /// <summary>Within the last hour.</summary>
    public bool IsSeen => Volatile.Read(ref _lastTicks) is > 0 and var last && time.GetUtcNow().UtcTicks - last < Every.Ticks;

    public void Look(ClientAddress client)
    {
        if (client.UnnamedProxy is not { } mark) return;
        var (now, last) = (time.GetUtcNow().UtcTicks, Volatile.Read(ref _lastTicks));
        if (last > 0 && now - last < Every.Ticks) return;
        if (Interlocked.CompareExchange(ref _lastTicks, now, last) == last) LogUnnamed(log, client.Text ?? "", mark);
    }

    [LoggerMessage(EventId = 5304, Level = LogLevel.Warning, Message = "A request from {Address} shows by {Mark} that it came through a proxy which AGNES_TRUSTED_PROXIES does not name, or its sender pretends so. Until it is named, sign-in limits count for each account instead of each address: docs/operator/proxies.md.")]
    private static partial void LogUnnamed(ILogger log, string address, string mark);
}
