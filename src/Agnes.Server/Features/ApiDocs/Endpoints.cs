using System.IO.Compression;
using Agnes.Server.Platform.Access;
using Scalar.AspNetCore;

namespace Agnes.Server.Features.ApiDocs;

/// <summary>
/// <c>/docs</c>: the API's description to read and try, for whoever is signed in. The page is ours and the viewer lies in its package: nothing is loaded from, or sent to,
/// another host.
/// </summary>
internal static class ApiDocsFeature
{
    private const string Viewer = "ScalarStaticAssets.scalar.js"; // gzipped in its assembly
    private const string CacheDay = "private, max-age=86400";

    /// <summary>The viewer writes its styles into the page; scripts and connections stay this server's own.</summary>
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
        + "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

    private const string Html =
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>API · Agnes</title>
          <link rel="icon" type="image/svg+xml" href="/favicon.svg" />
        </head>
        <body>
          <noscript>This page needs scripts. The description itself: <a href="/openapi.json">openapi.json</a></noscript>
          <div id="app"></div>
          <script src="/docs/scalar.js"></script>
          <script src="/docs/start.js"></script>
        </body>
        </html>
        """;

    private const string Start =
        """
        Scalar.createApiReference('#app', {
          url: '/openapi.json',
          withDefaultFonts: false,
          telemetry: false,
          hideClientButton: true,
          showDeveloperTools: 'never',
          agent: { disabled: true },
          mcp: { disabled: true },
        });
        """;

    public static void MapApiDocs(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("/docs").ExcludeFromDescription();
        pages.MapGet("", Show).SignedIn();
        pages.MapGet("/start.js", (HttpContext context) => Script(context, Start)).Public();
        pages.MapGet("/scalar.js", ShowViewerAsync).Public();
    }

    private static IResult Show(HttpContext context)
    {
        context.Response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        context.Response.Headers.CacheControl = "no-store";
        return Results.Text(Html, "text/html; charset=utf-8");
    }

    private static IResult Script(HttpContext context, string text)
    {
        context.Response.Headers.CacheControl = CacheDay;
        return Results.Text(text, "text/javascript; charset=utf-8");
    }

    private static async Task ShowViewerAsync(HttpContext context, CancellationToken stop)
    {
        await using var packed = typeof(ScalarOptions).Assembly.GetManifestResourceStream(Viewer) ?? throw new InvalidOperationException($"{Viewer} is not in its package any more.");
        var response = context.Response;
        response.ContentType = "text/javascript; charset=utf-8";
        response.Headers.CacheControl = CacheDay;
        response.Headers.Vary = "Accept-Encoding";
        if (context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
        {
            response.Headers.ContentEncoding = "gzip";
            response.ContentLength = packed.Length;
            await packed.CopyToAsync(response.Body, stop);
            return;
        }

        await using var plain = new GZipStream(packed, CompressionMode.Decompress);
        await plain.CopyToAsync(response.Body, stop);
    }
}
