using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Downloads;

/// <summary><c>GET /api/data/{table_id}/check-access</c>: for a proxy that asks before it lets a request through.</summary>
internal static class CheckAccess
{
    public static IResult Handle(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.Table() is null ? Problem.NotFound("Table not found") : Results.NoContent();
    }
}
