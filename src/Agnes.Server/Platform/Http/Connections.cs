using System.Collections.Concurrent;
using System.Net;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Microsoft.AspNetCore.Connections;

namespace Agnes.Server.Platform.Http;

/// <summary>
/// Counts the connections of each network, and closes those beyond its share before a byte of them is read: one household must not take all
/// that there are. How many there are altogether is Kestrel's own limit.
/// </summary>
internal sealed partial class Connections(ServerOptions options, TimeProvider time, ILogger<Connections> log)
{
    private static readonly TimeSpan LoggedEvery = TimeSpan.FromMinutes(1);

    /// <summary>As many entries as there are networks with an open connection, and so no more than there are connections.</summary>
    private readonly ConcurrentDictionary<AddressNetwork, int> _open = new();
    private long _loggedAt = long.MinValue;

    public ConnectionDelegate Guard(ConnectionDelegate next) => async connection =>
    {
        if (Of(connection.RemoteEndPoint) is not { } network)
        {
            await next(connection);
            return;
        }

        if (!TryEnter(network))
        {
            LogRefused(network);
            connection.Abort(new ConnectionAbortedException("Too many connections of one network."));
            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            Leave(network);
        }
    };

    private bool TryEnter(AddressNetwork network)
    {
        if (_open.AddOrUpdate(network, 1, static (_, open) => open + 1) <= options.Limits.NetworkConnectionsMax) return true;
        Leave(network);
        return false;
    }

    private void Leave(AddressNetwork network)
    {
        while (_open.TryGetValue(network, out var open))
        {
            if (open > 1 ? _open.TryUpdate(network, open - 1, open) : _open.TryRemove(new(network, open))) return;
        }
    }

    /// <summary>
    /// Nothing for this machine, a socket of the file system, and proxies that the operator named: many people stand behind those.
    /// </summary>
    private AddressNetwork? Of(EndPoint? remote)
    {
        if (remote is not IPEndPoint { Address: var address }) return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (IPAddress.IsLoopback(address) || options.TrustedProxies.Any(network => network.Contains(address))) return null;
        return AddressNetwork.Of(address);
    }

    /// <summary>Once a minute: whoever floods must not fill the log either.</summary>
    private void LogRefused(AddressNetwork network)
    {
        var (now, last) = (time.GetTimestamp(), Interlocked.Read(ref _loggedAt));
        if (last != long.MinValue && time.GetElapsedTime(last, now) < LoggedEvery) return;
        if (Interlocked.CompareExchange(ref _loggedAt, now, last) == last) LogTooMany(log, network.ToString(), options.Limits.NetworkConnectionsMax);
    }

    [LoggerMessage(EventId = 5110, Level = LogLevel.Warning, Message = "The network {Network} has {Most} connections open; further ones are closed (AGNES_NETWORK_CONNECTIONS_MAX, or AGNES_TRUSTED_PROXIES where it is a proxy).")]
    private static partial void LogTooMany(ILogger log, string network, int most);
}
