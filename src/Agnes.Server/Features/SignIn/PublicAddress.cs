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

    public static string? Configured(ServerOptions options) => options.ServerUrl ?? (options.Domain is { } domain ? $"https://{domain}" : null);
}
