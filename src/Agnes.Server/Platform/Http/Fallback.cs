namespace Agnes.Server.Platform.Http;

/// <summary>What a request gets that no endpoint answers.</summary>
internal static class Fallback
{
    public static IResult Answer(HttpContext context) => HttpMethods.IsGet(context.Request.Method)
        ? Problem.NotFound("Page not found")
        : Problem.Detail(StatusCodes.Status405MethodNotAllowed, "Method Not Allowed");

    public static IResult MethodNotAllowed() => Problem.Detail(StatusCodes.Status405MethodNotAllowed, "Method Not Allowed");

    /// <summary>Routing takes a trailing slash for nothing; here <c>/a/</c> is another path than <c>/a</c>, and unknown unless the route takes any path.</summary>
    public static bool IsSlashVariant(HttpContext context, RouteEndpoint endpoint) =>
        context.Request.Path.Value is { Length: > 1 } path && path[^1] == '/'
        && endpoint.RoutePattern.PathSegments is not [.., { Parts: [Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart { IsCatchAll: true }] }];
}
