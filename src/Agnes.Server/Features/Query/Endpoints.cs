using Agnes.Protocol;
using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Query;

/// <summary>Analysts' statements, run on the server within what they may read.</summary>
internal static class QueryFeature
{
    private const long BodyBytesMax = 4L << 20;

    public static void MapQuery(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/query", RunQuery.HandleAsync).Produces<QueryResult>().SignedIn().OnlyReads().BodyBytesMax(BodyBytesMax)
            .WithTags("query");
        routes.MapPost("/api/query/hybrid", RunHybrid.HandleAsync).Produces<HybridAnswer>().Admin().OnlyReads().BodyBytesMax(BodyBytesMax)
            .WithTags("query")
            .WithSummary("Runs a statement over what BigQuery answers to others, beside the tables here.");
        routes.MapPost("/api/query/explain", ExplainQuery.HandleAsync).SignedIn().OnlyReads().BodyBytesMax(BodyBytesMax).WithTags("query")
            .Produces<ExplainedQuery>().WithSummary("Where a statement would run, what it would cost, and which limit it would meet.");
    }
}
