using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.VerifiedQueries;

/// <summary><c>GET /api/verified-queries/{category/name}</c></summary>
internal static class ShowVerifiedQuery
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, string id) =>
        await FindAsync(context, state, id) is { } query ? JsonBody.Of(query.ToView(), ProtocolJson.Default.VerifiedQuery) : NotFound(id);

    /// <summary>Null for one that does not exist for the caller.</summary>
    public static async Task<VerifiedQueryRow?> FindAsync(HttpContext context, StateDb state, string id) =>
        await VerifiedQueryStore.FindAsync(state, id, context.RequestAborted) is { } query && query.IsFor(context.Snapshot(), context.Caller()) ? query : null;

    /// <summary>The same for a hidden and for a never-existing one.</summary>
    public static IResult NotFound(string id) => Problem.NotFound($"Verified query '{id}' not found");
}
