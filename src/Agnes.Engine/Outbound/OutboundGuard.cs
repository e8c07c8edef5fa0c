using System.Net;
using System.Net.Sockets;

namespace Agnes.Engine.Outbound;

/// <summary>An address that an admin typed in leads where the server must not go, or nowhere.</summary>
public sealed class OutboundRefusedException(string message, bool isUnknown = false) : HttpRequestException(message)
{
    /// <summary>The name has no address, which may be so for now.</summary>
    public bool IsUnknown { get; } = isUnknown;
}

/// <summary>
/// Makes every connection that the server and its connectors open, whatever is spoken over it. Destinations that admins chose are kept away from this machine and its
/// network; the operator's own may be anywhere. The address that is checked is the one that is connected to, for every connection, so neither a name
/// that resolves anew nor a redirect leads around it.
/// </summary>
public sealed class OutboundGuard
{
    /// <summary>Of the HTTP clients that go to addresses that admins configure.</summary>
    public const string ClientName = "outbound";

    public const string Private = "must not point to a private or reserved network";
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ResolveTimeout = TimeSpan.FromSeconds(10);

    /// <summary>All of IPv6 that is given out on the internet. What is outside of it leads nowhere, or is some form of another address, such as <c>::ffff:0:127.0.0.1</c>.</summary>
    private static readonly IPNetwork GivenOut = IPNetwork.Parse("2000::/3");

    /// <summary>
    /// Networks that are nobody's on the internet: private, shared, link-local, documentation, benchmarks, multicast, reserved, and within <see cref="GivenOut"/> the IPv6
    /// forms that hide IPv4 addresses.
    /// </summary>
    private static readonly IPNetwork[] Forbidden =
    [
        .. ((string[])
        [
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        ]).Select(text => IPNetwork.Parse(text)),
    ];

    private readonly HashSet<string> _allowedHosts;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;

    /// <param name="allowedPrivateHosts">Host names, as written in addresses, that may be anywhere and need no TLS.</param>
    /// <param name="resolve">A host name's addresses; null: the system's.</param>
    public OutboundGuard(IReadOnlyList<string> allowedPrivateHosts, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        _allowedHosts = new HashSet<string>(allowedPrivateHosts, StringComparer.OrdinalIgnoreCase);
        _resolve = resolve ?? ((host, stop) => Dns.GetHostAddressesAsync(host, stop));
    }

    public static bool IsForbidden(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily == AddressFamily.InterNetworkV6 && !GivenOut.Contains(address)) return true;
        foreach (var network in Forbidden)
        {
            if (network.BaseAddress.AddressFamily == address.AddressFamily && network.Contains(address)) return true;
        }

        return false;
    }

    /// <summary>Why an address cannot be used, or null. For the moment in which it is configured; each connection is checked again.</summary>
    public async Task<string?> FaultAsync(string name, string url, CancellationToken stop)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Host.Length == 0) return $"{name} must be an address such as https://connection.example.com";
        if (uri.UserInfo.Length > 0) return $"{name} must not hold a user or a password";
        if (_allowedHosts.Contains(uri.Host)) return uri.Scheme is "http" or "https" ? null : $"{name} must begin with https://";
        if (uri.Scheme != Uri.UriSchemeHttps) return $"{name} must begin with https://";
        try
        {
            await AddressesAsync(uri.Host, SettingOwner.Admins, stop);
            return null;
        }
        catch (OutboundRefusedException refused)
        {
            return $"{name} {refused.Message}";
        }
    }

    /// <summary>Why a host that an admin names cannot be used, as far as the name alone tells, or null. Each connection is checked.</summary>
    public string? FaultOfHost(string name, string host) =>
        !_allowedHosts.Contains(host) && (IsThisMachine(Trimmed(host)) || (IPAddress.TryParse(Trimmed(host), out var address) && IsForbidden(address)))
            ? $"{name} {Private}. Whoever runs the server can allow it: AGNES_ALLOWED_PRIVATE_HOSTS."
            : null;

    /// <summary>A handler for one client of an outward feature; follows no redirect. For admins' destinations it asks no proxy, which would resolve names.</summary>
    public HttpMessageHandler CreateHandler(SettingOwner owner = SettingOwner.Admins) => new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = owner == SettingOwner.Operator,
        UseCookies = false,
        ConnectTimeout = ConnectTimeout,
        PooledConnectionLifetime = ConnectionLifetime,
        AutomaticDecompression = owner == SettingOwner.Operator ? DecompressionMethods.None : DecompressionMethods.All,
        ConnectCallback = async (context, stop) => await ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, owner, stop),
    };

    /// <param name="owner">Who chose the destination.</param>
    /// <exception cref="OutboundRefusedException">It leads where an admin's destination must not.</exception>
    /// <exception cref="SocketException">Nobody answers.</exception>
    public async Task<Stream> ConnectAsync(string host, int port, SettingOwner owner, CancellationToken stop)
    {
        var addresses = await AddressesAsync(host, owner, stop);
        using var time = CancellationTokenSource.CreateLinkedTokenSource(stop);
        time.CancelAfter(ConnectTimeout);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, time.Token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>All of a host's addresses; refused when one of them is, since any may be the one that is taken.</summary>
    /// <param name="owner">Who chose the host.</param>
    /// <exception cref="OutboundRefusedException">It leads where an admin's destination must not, or nowhere.</exception>
    public async Task<IPAddress[]> AddressesAsync(string host, SettingOwner owner, CancellationToken stop)
    {
        var trimmed = Trimmed(host);
        var isAllowed = owner == SettingOwner.Operator || _allowedHosts.Contains(host);
        if (!isAllowed && IsThisMachine(trimmed)) throw new OutboundRefusedException(Private);
        var addresses = IPAddress.TryParse(trimmed, out var literal) ? [literal] : await ResolveAsync(trimmed, stop);
        if (addresses.Length == 0) throw Unknown(host);
        return isAllowed || !addresses.Any(IsForbidden) ? addresses : throw new OutboundRefusedException(Private);
    }

    private static string Trimmed(string host) => host.Trim('[', ']').TrimEnd('.');

    private static bool IsThisMachine(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || host.Equals("localhost.localdomain", StringComparison.OrdinalIgnoreCase);

    private static OutboundRefusedException Unknown(string host) => new($"cannot be resolved: {host}", isUnknown: true);

    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken stop)
    {
        try
        {
            return await _resolve(host, stop).WaitAsync(ResolveTimeout, stop);
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException or TimeoutException)
        {
            throw Unknown(host);
        }
    }
}

/// <summary>Whose word a setting is.</summary>
public enum SettingOwner
{
    /// <summary>The environment, or the operator's <c>instance.yaml</c>.</summary>
    Operator,

    /// <summary>A stored secret, or the overlay.</summary>
    Admins,
}
