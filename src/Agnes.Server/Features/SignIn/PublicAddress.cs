using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.SignIn;

/// <summary>The address that people know this server by.</summary>
internal static class PublicAddress
{
    /// <summary>
    /// Configured, where it is; else the request's own. The latter is for answers to whoever sent the request only: a mail must not carry what a stranger wrote into
    /// a <c>Host</c> header.
    /// </summary>
    public static string Of(ServerOptions options, HttpContext context) => Configured(options) ?? $"{context.Request.Scheme}://{context.Request.Host}";

    /// <summary>
    /// For mails: configured, else the request's own only where its host is this machine's or one that the operator named. Null: no mail may be sent.
    /// </summary>
    public static string? ForMail(ServerOptions options, HttpContext context)
    {
        var host = context.Request.Host.Host;
        var known = LocalDevelopment.IsThisMachine(host) || options.SignIn.AllowedHosts.Contains(host, StringComparer.OrdinalIgnoreCase);
        return Configured(options) ?? (known ? $"{context.Request.Scheme}://{context.Request.Host}" : null);
    }

    public static string? Configured(ServerOptions options) => options.ServerUrl ?? (options.Domain is { } domain ? $"https://{domain}" : null);
}
