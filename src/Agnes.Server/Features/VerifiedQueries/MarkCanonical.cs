using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.VerifiedQueries;

/// <summary><c>POST /api/admin/verified-queries/canonical</c> <c>{"id","canonical"}</c></summary>
internal static class MarkCanonical
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state)
    {
        var body = await RequestBody.ReadAsync(context);
        var id = body.String("id");
        var canonical = body.Boolean("canonical", absent: true);
        body.ThrowIfInvalid();
        var by = context.Caller().UserId;
        var row = await state.WriteAsync(write => VerifiedQueryStore.MarkAsync(write, id, canonical, by), context.RequestAborted);
        return row is null ? ShowVerifiedQuery.NotFound(id) : JsonBody.Of(row.ToView(), ProtocolJson.Default.VerifiedQuery);
    }
}
