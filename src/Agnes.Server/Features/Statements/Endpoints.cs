using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Statements;

/// <summary>What runs now, and its end by whoever asked for it or an admin.</summary>
internal static class StatementsFeature
{
    public static void MapStatements(this IEndpointRouteBuilder routes)
    {
        var own = routes.MapGroup("/api/statements").WithTags("query").SignedIn();
        own.MapGet("", ListStatements.Own).Produces<StatementList>().WithSummary("Your statements that wait, run or are being read on this server.");
        own.MapDelete("/{id}", KillStatement.OwnAsync).Produces(StatusCodes.Status204NoContent)
            .WithSummary("End one of your statements, also where it runs at another system.");

        var all = routes.MapGroup("/api/admin/statements").WithTags("query").Admin();
        all.MapGet("", ListStatements.All).Produces<StatementList>().WithSummary("Everybody's statements, and those of the server's own work.");
        all.MapDelete("/{id}", KillStatement.AnyAsync).Produces(StatusCodes.Status204NoContent).WithSummary("End anybody's statement.");
    }
}
