using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.VerifiedQueries;

/// <summary><c>GET /api/verified-queries</c>. The cost grows with their number.</summary>
internal static class ListVerifiedQueries
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state)
    {
        var rows = await state.ReadAsync<VerifiedQueryRow>(VerifiedQueryStore.AllSql, null, context.RequestAborted);
        List<VerifiedQuery> queries = [.. rows.Where(row => row.IsFor(context.Snapshot(), context.Caller())).Select(row => row.ToView())];
        return JsonBody.Of(new VerifiedQueryList(queries, queries.Count), ProtocolJson.Default.VerifiedQueryList);
    }
}
