using Agnes.Server.Platform.Config;

namespace Agnes.Server.Platform.Access;

/// <summary>The cookie that carries a session in a browser.</summary>
internal static class SessionCookie
{
    public const string Name = "access_token";

    public static void Set(HttpContext context, ServerOptions options, string token) =>
        context.Response.Cookies.Append(Name, token, Attributes(context, options, options.SignIn.SessionLifetime));

    public static void Clear(HttpContext context, ServerOptions options) =>
        context.Response.Cookies.Append(Name, "", Attributes(context, options, TimeSpan.Zero));

    private static CookieOptions Attributes(HttpContext context, ServerOptions options, TimeSpan maxAge) => new()
    {
        HttpOnly = true,
        MaxAge = maxAge,
        Path = "/",
        SameSite = SameSiteMode.Lax,
        Secure = IsSecure(context, options),
    };

    /// <summary>Never over plain HTTP where people come by HTTPS, also when a proxy in between does not say so.</summary>
    public static bool IsSecure(HttpContext context, ServerOptions options) =>
        options.Domain is not null || context.Request.IsHttps || options.ServerUrl?.StartsWith("https://", StringComparison.OrdinalIgnoreCase) == true;
}
