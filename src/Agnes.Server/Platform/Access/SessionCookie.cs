using Agnes.Server.Platform.Config;

namespace Agnes.Server.Platform.Access;

/// <summary>The cookie that carries a session in a browser.</summary>
internal static class SessionCookie
{
    public const string Ambiguous = "Two cookies of the name access_token were sent, so it is not known which session is yours: delete the cookies of this address and of its domain, and sign in again.";
    private static readonly OwnCookie Cookie = new("access_token", "/");

    public static void Set(HttpContext context, ServerOptions options, string token) => Cookie.Set(context, options, token, options.SignIn.SessionLifetime);

    public static void Clear(HttpContext context, ServerOptions options) => Cookie.Clear(context, options);

    public static OwnCookieValue Read(HttpContext context, ServerOptions options) => Cookie.Read(context, options);

    public static bool IsSent(HttpRequest request) => Cookie.IsSent(request);
}
