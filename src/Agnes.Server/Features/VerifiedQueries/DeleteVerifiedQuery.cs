using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.VerifiedQueries;

/// <summary><c>DELETE /api/admin/verified-queries/{category/name}</c></summary>
internal static class DeleteVerifiedQuery
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, string id)
    {
        var by = context.Caller().UserId;
        var existed = await state.WriteAsync(write => VerifiedQueryStore.DeleteAsync(write, id, by), context.RequestAborted);
        return existed
            ? JsonBody.Of(new DeletedQuery("deleted", id), VerifiedQueriesJson.Default.DeletedQuery)
            : ShowVerifiedQuery.NotFound(id);
    }
}

internal sealed record DeletedQuery(string Status, string Id);
