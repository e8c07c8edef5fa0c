using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Audit;

internal static class AuditEndpoints
{
    public static void MapAudit(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/admin/audit", ListAudit.HandleAsync).WithTags("Audit").Admin().WithSummary("What happened, newest first: user_id, action, resource, since, until, limit, cursor.");
}
