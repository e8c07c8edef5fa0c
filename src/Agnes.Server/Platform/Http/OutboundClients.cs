using Agnes.Engine.Outbound;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Platform.Http;

/// <summary>HTTP clients, all of which connect through <see cref="OutboundGuard"/>.</summary>
internal static class OutboundClients
{
    /// <summary>Guards every client, one that nobody named included, as if admins had chosen its destination.</summary>
    public static void AddOutboundClients(this IServiceCollection services)
    {
        services.ConfigureHttpClientDefaults(client =>
            client.ConfigurePrimaryHttpMessageHandler(provider => provider.GetRequiredService<OutboundGuard>().CreateHandler()));
        services.AddHttpClient(OutboundGuard.ClientName);
    }

    /// <summary>A client for addresses that nobody but the operator can set, or that are the same for everybody.</summary>
    public static void AddOperatorsClient(this IServiceCollection services, string name, Action<HttpClient>? configure = null) =>
        services.AddHttpClient(name, configure ?? (static _ => { }))
            .ConfigurePrimaryHttpMessageHandler(provider => provider.GetRequiredService<OutboundGuard>().CreateHandler(SettingOwner.Operator));
}
