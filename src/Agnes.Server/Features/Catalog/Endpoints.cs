using Agnes.Protocol;
using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Catalog;

/// <summary>What tables there are, what columns they have, and what their rows look like: each a function of what the asker may read.</summary>
internal static class CatalogFeature
{
    public const string Denied = "not authorized for this table";

    public static void AddCatalog(this IServiceCollection services) => services.AddSingleton<Samples>();

    public static void MapCatalog(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/catalog/tables", ListTables.Handle).Produces<CatalogV1>().SignedIn().MayBeSimulated().WithTags("catalog");
        var v2 = routes.MapGroup("/api/v2").WithTags("catalog");
        v2.MapGet("/catalog", ShowCatalog.HandleAsync).Produces<Protocol.Catalog>().SignedIn().MayBeSimulated();
        v2.MapGet("/schema/{table_id}", ShowSchema.HandleAsync).Produces<TableSchema>().NeedsTable("table_id", Denied).MayBeSimulated();
        v2.MapGet("/sample/{table_id}", ShowSample.HandleAsync).Produces<TableSample>().NeedsTable("table_id", Denied).MayBeSimulated();
    }
}
