namespace Agnes.Server.Platform.Http;

/// <summary>What a request gets that no endpoint answers.</summary>
internal static class Fallback
{
    public static IResult Answer(HttpContext context) => HttpMethods.IsGet(context.Request.Method)
        ? Problem.NotFound("Page not found")
        : Problem.Detail(StatusCodes.Status405MethodNotAllowed, "Method Not Allowed");

    public static IResult MethodNotAllowed() => Problem.Detail(StatusCodes.Status405MethodNotAllowed, "Method Not Allowed");

    /// <summary>Routing takes a trailing slash for nothing; here <c>/a/</c> is another path than <c>/a</c>, and unknown unless a route says so.</summary>
    public static bool IsSlashVariant(HttpContext context, RouteEndpoint endpoint)
    {
        var path = context.Request.Path.Value;
        if (path is not { Length: > 1 } || path[^1] != '/') return false;
        var pattern = endpoint.RoutePattern;
        if (pattern.RawText is { Length: > 0 } raw && raw[^1] == '/') return false;
        return pattern.PathSegments is not [.., { Parts: [Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart { IsCatchAll: true }] }];
    }
}
