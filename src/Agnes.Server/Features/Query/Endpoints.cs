using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Query;

/// <summary>Analysts' statements, run on the server within what they may read.</summary>
internal static class QueryFeature
{
    private const long BodyBytesMax = 4L << 20;

    public static void MapQuery(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/query", RunQuery.HandleAsync).SignedIn().OnlyReads().BodyBytesMax(BodyBytesMax).WithTags("query");
}
