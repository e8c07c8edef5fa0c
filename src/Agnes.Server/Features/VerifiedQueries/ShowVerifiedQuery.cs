using Agnes.Protocol;
using Agnes.Server.Features.Metrics;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.VerifiedQueries;

/// <summary><c>GET /api/verified-queries/{category/name}</c></summary>
internal static class ShowVerifiedQuery
{
    public static async Task<IResult> HandleAsync(HttpContext context, Definitions definitions, string id) =>
        (await definitions.OfAsync(context)).Query(id) is { Row: var query } ? JsonBody.Of(query.ToView(), ProtocolJson.Default.VerifiedQuery) : NotFound(id);

    /// <summary>The same for a hidden and for a never-existing one.</summary>
    public static IResult NotFound(string id) => Problem.NotFound($"Verified query '{id}' not found");
}
