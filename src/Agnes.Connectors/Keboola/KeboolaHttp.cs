using System.Net;
using Agnes.Engine.Outbound;

namespace Agnes.Connectors.Keboola;

/// <summary>HTTP clients for a stack and for the stores that its files lie in, all of whose connections are the guard's.</summary>
internal static class KeboolaHttp
{
    /// <summary>
    /// Whoever set the stack's address, and whatever addresses the stack names: all must be public, unless the operator allows a host.
    /// What is stored packed comes as it is, so that a download can go on where it broke off. Bounds of time are the caller's.
    /// </summary>
    public static HttpClient Create(OutboundGuard guard)
    {
        var handler = guard.CreateHandler();
        if (handler is SocketsHttpHandler sockets) sockets.AutomaticDecompression = DecompressionMethods.None;
        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }
}
