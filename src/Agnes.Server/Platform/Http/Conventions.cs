using System.Reflection;
using System.Security.Cryptography;

namespace Agnes.Server.Platform.Http;

/// <summary>What every answer carries: the request's id, the version headers of the API, and the headers that keep a browser safe.</summary>
internal static class Conventions
{
    public const string RequestIdHeader = "x-request-id";
    private const int RequestIdCharsMax = 64;
    private const int RequestIdBytes = 6;

    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "form-action 'self'; base-uri 'self'; frame-ancestors 'none'";

    /// <summary>What a page here has no use for, so that a script that got in could not use it either.</summary>
    private const string PermissionsPolicy =
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=(), "
        + "clipboard-read=(), publickey-credentials-get=(), screen-wake-lock=(), xr-spatial-tracking=()";

    /// <summary>The version of the product, without build metadata.</summary>
    public static string ProductVersion { get; } =
        typeof(Conventions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    public static IApplicationBuilder UseConventions(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        LogLines.RequestId.Value = context.TraceIdentifier = RequestId(context.Request.Headers["X-Request-ID"].ToString());
        Stamp(context);
        return next(context);
    });

    /// <summary>To be called again by whoever clears the response.</summary>
    public static void Stamp(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers[RequestIdHeader] = context.TraceIdentifier;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = PermissionsPolicy;
        StampHttps(context);
        if (!context.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal)) return;
        headers["X-Agnes-Latest-Version"] = ProductVersion;
        headers["X-Agnes-Min-Version"] = "0.0.0";
    }

    /// <summary>To be called again when a named proxy said that its side is HTTPS.</summary>
    public static void StampHttps(HttpContext context)
    {
        if (context.Request.IsHttps) context.Response.Headers.StrictTransportSecurity = "max-age=31536000";
    }

    /// <summary>The caller's own id without what could forge a log line, or a new one.</summary>
    internal static string RequestId(string given)
    {
        Span<char> kept = stackalloc char[RequestIdCharsMax];
        var length = 0;
        foreach (var character in given)
        {
            if (length == RequestIdCharsMax) break;
            if (char.IsAsciiLetterOrDigit(character) || character is '_' or '-') kept[length++] = character;
        }

        return length > 0 ? new string(kept[..length]) : RandomNumberGenerator.GetHexString(RequestIdBytes * 2, lowercase: true);
    }
}
