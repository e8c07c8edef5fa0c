using System.Net;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Prompts;

/// <summary>The address of this server as the caller knows it. It is put into texts that agents and shells read, so only hosts that are known to be this server's pass.</summary>
internal static class ServerAddresses
{
    private const int UrlCharsMax = 2_048;

    /// <param name="given">What the caller asks to be written; the request's own address when null.</param>
    /// <exception cref="ProblemException">400: no http address, or of a host that is not this server's.</exception>
    public static string Accept(HttpContext context, ServerOptions options, string? given)
    {
        var own = options.ServerUrl ?? $"{context.Request.Scheme}://{context.Request.Host}{context.Request.PathBase}";
        if (given is null) return own;
        if (given.Length > UrlCharsMax || !Uri.TryCreate(given, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0)
            throw new ProblemException(StatusCodes.Status400BadRequest, "server_url must be an http or https address without credentials, query or fragment.");
        var isKnown = uri.Host.Equals(context.Request.Host.Host, StringComparison.OrdinalIgnoreCase)
            || uri.Host.Equals(options.Domain, StringComparison.OrdinalIgnoreCase)
            || (options.ServerUrl is { } url && uri.Host.Equals(new Uri(url).Host, StringComparison.OrdinalIgnoreCase))
            || uri.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
        if (!isKnown) throw new ProblemException(StatusCodes.Status400BadRequest, "server_url names a host that is not this server's.");
        return uri.GetLeftPart(UriPartial.Path).TrimEnd('/');
    }
}
