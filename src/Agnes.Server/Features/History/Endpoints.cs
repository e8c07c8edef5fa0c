using Agnes.Protocol;
using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.History;

/// <summary>What tables were before, and going back to it.</summary>
internal static class HistoryFeature
{
    private const string Denied = "not authorized for this table";

    public static void MapHistory(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/v2/history/{table_id}", ShowHistory.Handle).Produces<TableHistory>().NeedsTable("table_id", Denied).MayBeSimulated()
            .WithTags("catalog").WithSummary("The versions of a table that are kept, newest first; with parts=1 also what they are made of.");
        routes.MapPost("/api/admin/registry/{id}/rollback", RollBack.HandleAsync).Produces<TableVersion>().Admin()
            .WithTags("Tables").WithSummary("Go back to the rows of a version: number. They stay until the source brings others than those of now.");
    }
}
