using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Microsoft.AspNetCore.HttpOverrides;

namespace Agnes.Server.Platform.Http;

/// <summary>Where a request comes from when it came through a proxy. Only proxies that the operator named are believed; this machine is none by itself.</summary>
internal static class Forwarding
{
    private const int HopsMax = 4;

    public static IApplicationBuilder UseForwarding(this IApplicationBuilder app, ServerOptions options, ProxyNotice notice)
    {
        if (options.TrustedProxies.Count == 0) return app.Use((context, next) => Note(context, ClientAddress.Peer(context), options, notice, next));
        var forwarded = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto,
            ForwardLimit = HopsMax,
        };
        forwarded.KnownIPNetworks.Clear();
        forwarded.KnownProxies.Clear();
        foreach (var network in options.TrustedProxies) forwarded.KnownIPNetworks.Add(network);
        return app
            .Use(static (context, next) =>
            {
                context.Features.Set(new Peer(ClientAddress.Peer(context)));
                return next(context);
            })
            .UseForwardedHeaders(forwarded)
            .Use((context, next) => Note(context, context.Features.Get<Peer>()!.Address, options, notice, next));
    }

    private static Task Note(HttpContext context, System.Net.IPAddress? peer, ServerOptions options, ProxyNotice notice, RequestDelegate next)
    {
        var client = ClientAddress.Of(context, peer, options);
        context.Features.Set(client);
        Conventions.StampHttps(context);
        notice.Look(client);
        AuditOrigin.Current = new AuditOrigin(client.Text, context.TraceIdentifier);
        return next(context);
    }

    /// <summary>Who held the connection before the named proxies were heard.</summary>
    private sealed record Peer(System.Net.IPAddress? Address);
}
