using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Catalog.Pages;

/// <summary>The catalog in a browser.</summary>
internal static class CatalogPages
{
    public static void MapCatalogPages(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("/catalog").ExcludeFromDescription().SignedIn().MayBeSimulated();
        pages.MapGet("", ShowCatalog.HandleAsync);
        pages.MapGet("/{table}", ShowTable.HandleAsync);
        pages.MapGet("/{table}/sample", ShowSample.HandleAsync);
    }
}
