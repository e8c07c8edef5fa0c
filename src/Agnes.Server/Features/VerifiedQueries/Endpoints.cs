using Agnes.Protocol;
using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.VerifiedQueries;

/// <summary>Questions with answers that an admin vouches for, ready to run with other values.</summary>
internal static class VerifiedQueriesFeature
{
    private const long ImportBytesMax = 8L << 20;

    public static void MapVerifiedQueries(this IEndpointRouteBuilder routes)
    {
        var own = routes.MapGroup("/api/verified-queries").WithTags("verified queries").SignedIn();
        own.MapGet("", ListVerifiedQueries.HandleAsync).Produces<VerifiedQueryList>().WithSummary("Canonical queries over tables that you may read; admins see the others too.");
        own.MapGet("/{**id}", ShowVerifiedQuery.HandleAsync).Produces<VerifiedQuery>().WithSummary("One query, by category/name.");
        own.MapPost("/run", RunVerifiedQuery.HandleAsync).Produces<QueryResult>().OnlyReads()
            .WithSummary("Run one on the server, with parameters.");

        var admin = routes.MapGroup("/api/admin/verified-queries").WithTags("verified queries").Admin();
        admin.MapPost("/import", ImportVerifiedQueries.HandleAsync).Produces<ImportedQueries>().BodyBytesMax(ImportBytesMax)
            .WithSummary("Add or replace the queries of YAML files: all of them or none.");
        admin.MapPost("/canonical", MarkCanonical.HandleAsync).Produces<VerifiedQuery>().WithSummary("Call a query canonical, or take that back.");
        admin.MapDelete("/{**id}", DeleteVerifiedQuery.HandleAsync).Produces<DeletedQuery>().WithSummary("Remove a query.");
    }
}
