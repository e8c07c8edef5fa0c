using System.Net;
using Agnes.Engine.Outbound;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Platform.Http;

/// <summary>
/// Where a request comes from, as far as the connection and the named proxies tell. It says where, never who: nothing is granted for it. The only place that looks at
/// the peer's address.
/// </summary>
/// <param name="Address">Null where there is none, as in a test without sockets.</param>
/// <param name="TellsCallersApart">
/// Whether the address stands for one caller. Not where many may stand behind it: this machine, a proxy, a private network of which the operator named no proxy.
/// </param>
/// <param name="IsNearest">
/// Whether, where it does not tell them apart, it is at least the nearest address that no proxy of this machine or its network stands for: headers that a caller writes do
/// not change it, and it stands for many only as far as an unnamed proxy on the internet does.
/// </param>
/// <param name="UnnamedProxy">What shows that it came through a proxy that <c>AGNES_TRUSTED_PROXIES</c> does not name; else null.</param>
internal sealed record ClientAddress(IPAddress? Address, bool TellsCallersApart, bool IsNearest, string? UnnamedProxy)
{
    private const string ForwardedFor = "X-Forwarded-For";
    private static readonly string[] Marks =
        ["Forwarded", "Via", ForwardedFor, "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Original-For", "X-Original-Host", "X-Real-IP"];

    public string? Text => Address?.ToString();

    /// <summary>What proxies add, and nobody else; null when there is nothing of it.</summary>
    public static string? MarkOf(HttpRequest request) => Array.Find(Marks, request.Headers.ContainsKey);

    public static IPAddress? Peer(HttpContext context) => context.Connection.RemoteIpAddress;

    /// <param name="peer">Who holds the connection; what a named proxy said of its own is in the context by now.</param>
    public static ClientAddress Of(HttpContext context, IPAddress? peer, ServerOptions options)
    {
        if (Peer(context) is not { } client) return new ClientAddress(null, false, false, null);
        if (IsNamed(options, peer))
        {
            // More than the named proxies took away: another proxy is behind them, or the client wrote it itself and the proxy let it pass.
            var isSomebody = !client.Equals(peer) && !IsNamed(options, client) && !IPAddress.IsLoopback(client);
            var isOne = isSomebody && !context.Request.Headers.ContainsKey(ForwardedFor);
            return new ClientAddress(client, isOne, isSomebody && !isOne, null);
        }

        // Nobody's browser and no client of ours speaks HTTP/1.0: it is what nginx speaks to the server behind it, and without being told to, it adds no header.
        var mark = MarkOf(context.Request) ?? (HttpProtocol.IsHttp10(context.Request.Protocol) ? "HTTP/1.0" : null);
        var isFar = !IPAddress.IsLoopback(client) && (options.TrustedProxies.Count > 0 || !OutboundGuard.IsForbidden(client));
        return new ClientAddress(client, isFar && mark is null, isFar && mark is not null, mark);
    }

    private static bool IsNamed(ServerOptions options, IPAddress? address) =>
        address is not null && options.TrustedProxies.Any(network => network.Contains(Plain(address)));

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}

/// <summary>How endpoints learn where a request comes from.</summary>
internal static class ClientAddressExtensions
{
    private static readonly ClientAddress Unknown = new(null, false, false, null);

    public static ClientAddress Client(this HttpContext context) => context.Features.Get<ClientAddress>() ?? Unknown;
}
