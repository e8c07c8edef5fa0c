using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Audit;

/// <summary>What happened. Admins only.</summary>
internal static class AuditEndpoints
{
    public static void MapAudit(this IEndpointRouteBuilder routes)
    {
        var audit = routes.MapGroup("/api/admin/audit").WithTags("Audit").Admin();
        audit.MapGet("", ListAudit.HandleAsync).Produces<AuditListAnswer>()
            .WithSummary("What happened, newest first: user_id, action, resource, since, until, limit, cursor.");
        audit.MapGet("/export", ExportAudit.HandleAsync)
            .Produces<string>(contentType: "application/x-ndjson", additionalContentTypes: ["text/csv"])
            .WithSummary("The same as a file, all of it: format=jsonl or csv, with the same filters.");
    }
}
