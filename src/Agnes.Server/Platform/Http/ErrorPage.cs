using System.Text.Encodings.Web;

namespace Agnes.Server.Platform.Http;

/// <summary>The page a person sees instead of an error's JSON. Plain on purpose: it must work when nothing else does.</summary>
internal static class ErrorPage
{
    public static Task WriteAsync(HttpContext context, int status, string message)
    {
        var encode = HtmlEncoder.Default;
        var title = Title(status);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(
            $"""
            <!doctype html>
            <html lang="en">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{status} {title}</title><link rel="stylesheet" href="/static/style.css"></head>
            <body>
            <main id="main" class="error-page">
            <p class="error-code">{status}</p>
            <h1>{title}</h1>
            <p>{encode.Encode(message)}</p>
            <p>Path: <code>{encode.Encode(context.Request.Path)}</code></p>
            <p>Reference: <code>{encode.Encode(context.TraceIdentifier)}</code></p>
            <p><a href="/">Home</a></p>
            </main>
            </body>
            </html>

            """,
            context.RequestAborted);
    }

    private static string Title(int status) => status switch
    {
        400 => "Bad request",
        401 => "Sign-in required",
        403 => "Forbidden",
        404 => "Page not found",
        405 => "Method not allowed",
        408 => "Request timeout",
        413 => "Payload too large",
        422 => "Unprocessable entity",
        429 => "Too many requests",
        500 => "Server error",
        502 => "Bad gateway",
        503 => "Service unavailable",
        504 => "Gateway timeout",
        _ => "Error",
    };
}
