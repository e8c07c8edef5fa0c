using Agnes.Server.Platform.Config;

namespace Agnes.Server.Platform.Access;

/// <summary>
/// Refuses writes that a page of another site makes a browser send. Calls that say who they are by a bearer token are exempt: no page can add one unseen, and no browser does so by
/// itself. Any other <c>Authorization</c> header is not, because the cookie would then decide who asks.
/// </summary>
internal sealed class SameOrigin(ServerOptions options)
{
    public const string Refused = "Cross-site requests are refused: send the request from this site, or with a bearer token.";

    public bool Refuses(HttpContext context)
    {
        var request = context.Request;
        if (!IsChange(request)) return false;
        if (BearerToken.Of(request) is not null) return false;
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0) return site is not ("same-origin" or "none");
        var origin = request.Headers.Origin.ToString();
        if (origin.Length > 0) return !IsOurs(request, origin);

        // No browser of today leaves both out on a cross-site write; with the cookie, a program has to say that it is none.
        return SessionCookie.IsSent(request) && request.Headers["X-Requested-With"].Count == 0;
    }

    public static bool IsChange(HttpRequest request) => !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && !HttpMethods.IsOptions(request.Method);

    /// <summary>Whether a browser says that another origin than the one that it talks to made the request. Programs say nothing.</summary>
    public static bool IsForeign(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site && site is not ("same-origin" or "none")) return true;
        return request.Headers.Origin.ToString() is { Length: > 0 } origin && !IsOwn(request, origin);
    }

    private static bool IsOwn(HttpRequest request, string origin) => origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);

    private bool IsOurs(HttpRequest request, string origin) =>
        IsOwn(request, origin)
        || (options.ServerUrl is { } url && Uri.TryCreate(url, UriKind.Absolute, out var server) && origin.Equals(server.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase))
        || (options.Domain is { } domain && origin.Equals($"https://{domain}", StringComparison.OrdinalIgnoreCase));
}
