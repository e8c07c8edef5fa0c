namespace Agnes.Server.Web;

/// <summary>The page a person sees instead of an error's JSON.</summary>
internal static class ErrorPages
{
    public static Task WriteAsync(HttpContext context, int status, string message)
    {
        var model = new ErrorModel(status, Title(status), message, context.Request.Path, context.TraceIdentifier);
        return Page.Show<ErrorDocument>(model, status).ExecuteAsync(context);
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
