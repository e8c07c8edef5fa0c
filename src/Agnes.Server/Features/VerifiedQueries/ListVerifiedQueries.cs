using Agnes.Protocol;
using Agnes.Server.Features.Metrics;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.VerifiedQueries;

/// <summary><c>GET /api/verified-queries</c>. The cost grows with their number.</summary>
internal static class ListVerifiedQueries
{
    public static async Task<IResult> HandleAsync(HttpContext context, Definitions definitions)
    {
        List<VerifiedQuery> queries = [.. (await definitions.OfAsync(context)).Queries.Select(row => row.ToView())];
        return JsonBody.Of(new VerifiedQueryList(queries, queries.Count), ProtocolJson.Default.VerifiedQueryList);
    }
}
