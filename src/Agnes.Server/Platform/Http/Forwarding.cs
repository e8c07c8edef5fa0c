using System.Net;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Microsoft.AspNetCore.HttpOverrides;

namespace Agnes.Server.Platform.Http;

/// <summary>Who the caller really is behind a proxy. Only named proxies, and this machine, are believed.</summary>
internal static class Forwarding
{
    private const int HopsMax = 4;

    public static IApplicationBuilder UseForwarding(this IApplicationBuilder app, ServerOptions options)
    {
        var forwarded = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto,
            ForwardLimit = HopsMax,
        };
        forwarded.KnownIPNetworks.Clear();
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Add(new System.Net.IPNetwork(IPAddress.Parse("127.0.0.0"), 8));
        forwarded.KnownProxies.Add(IPAddress.IPv6Loopback);
        foreach (var network in options.TrustedProxies) forwarded.KnownIPNetworks.Add(network);
        return app.UseForwardedHeaders(forwarded).Use(static (context, next) =>
        {
            AuditOrigin.Current = new AuditOrigin(context.Connection.RemoteIpAddress?.ToString(), context.TraceIdentifier);
            return next(context);
        });
    }
}
