using Agnes.Server.Platform.Config;
using Microsoft.Extensions.Primitives;

namespace Agnes.Server.Platform.Access;

/// <summary>What a request brings under a cookie's name: nothing, one value, or several, of which none can be trusted to be ours.</summary>
internal readonly record struct OwnCookieValue(string? Value, bool IsAmbiguous);

/// <summary>
/// A cookie of ours that decides something. Other hosts of the same domain can plant cookies of any name here, unless the name begins with <c>__Host-</c>: so where people
/// come by HTTPS it does, and of two with one name none counts. The only reader of such cookies.
/// </summary>
internal sealed class OwnCookie(string name, string plainPath)
{
    private const string HostPrefix = "__Host-";

    /// <summary>As older clients know it, and where there is no HTTPS.</summary>
    public string PlainName { get; } = name;

    public string HostName { get; } = HostPrefix + name;

    /// <param name="maxAge">Zero: the browser is to forget it.</param>
    public void Set(HttpContext context, ServerOptions options, string value, TimeSpan maxAge)
    {
        var isSecure = IsSecure(context, options);
        if (isSecure) context.Response.Cookies.Append(HostName, value, Attributes("/", maxAge, isSecure: true));
        else context.Response.Cookies.Append(PlainName, value, Attributes(plainPath, maxAge, isSecure: false));
    }

    /// <summary>Under both names, so that what an older server set goes as well.</summary>
    public void Clear(HttpContext context, ServerOptions options)
    {
        var isSecure = IsSecure(context, options);
        context.Response.Cookies.Append(PlainName, "", Attributes(plainPath, TimeSpan.Zero, isSecure));
        if (isSecure) context.Response.Cookies.Append(HostName, "", Attributes("/", TimeSpan.Zero, isSecure: true));
    }

    /// <summary>
    /// The protected name goes before the plain one. A browser's plain one does not count where it could have a protected one: somebody else's page may have planted it.
    /// Programs, which say nothing of <c>Sec-Fetch-Site</c>, may always send the plain name.
    /// </summary>
    public OwnCookieValue Read(HttpContext context, ServerOptions options)
    {
        var request = context.Request;
        var ours = Find(request.Headers.Cookie, HostName);
        if (ours is { Value: not null } or { IsAmbiguous: true }) return ours;
        return IsSecure(context, options) && request.Headers.ContainsKey("Sec-Fetch-Site") ? default : Find(request.Headers.Cookie, PlainName);
    }

    public bool IsSent(HttpRequest request) => Find(request.Headers.Cookie, HostName) != default || Find(request.Headers.Cookie, PlainName) != default;

    /// <summary>Never over plain HTTP where people come by HTTPS, also when a proxy in between does not say so.</summary>
    private static bool IsSecure(HttpContext context, ServerOptions options) =>
        options.Domain is not null || context.Request.IsHttps || options.ServerUrl?.StartsWith("https://", StringComparison.OrdinalIgnoreCase) == true;

    private static CookieOptions Attributes(string path, TimeSpan maxAge, bool isSecure) =>
        new() { HttpOnly = true, MaxAge = maxAge, Path = path, SameSite = SameSiteMode.Lax, Secure = isSecure };

    /// <summary>By hand: a dictionary of cookies keeps one of several and takes names in any case.</summary>
    private static OwnCookieValue Find(StringValues headers, string name)
    {
        string? found = null;
        foreach (var header in headers)
        {
            var rest = header.AsSpan();
            while (!rest.IsEmpty)
            {
                var end = rest.IndexOf(';');
                var pair = (end < 0 ? rest : rest[..end]).Trim();
                rest = end < 0 ? default : rest[(end + 1)..];
                if (!pair.StartsWith(name, StringComparison.Ordinal) || pair.Length == name.Length || pair[name.Length] != '=') continue;
                if (found is not null) return new OwnCookieValue(null, IsAmbiguous: true);
                found = pair[(name.Length + 1)..].ToString();
            }
        }

        return new OwnCookieValue(string.IsNullOrEmpty(found) ? null : found, IsAmbiguous: false);
    }
}
