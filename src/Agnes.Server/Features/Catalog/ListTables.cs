using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Catalog;

/// <summary><c>GET /api/catalog/tables</c>: the first form of the catalog, which clients use to check a token.</summary>
internal static class ListTables
{
    public static IResult Handle(HttpContext context)
    {
        var tables = Scopes.Tables(context.Snapshot(), context.Caller()).Select(table => new CatalogV1Table(
            table.Id ?? table.Name,
            table.Name,
            table.Row is { } row ? row.Description : table.Published?.Description,
            table.Row?.SourceType ?? table.Published?.Source,
            table.Row?.SyncStrategy,
            table.Row?.QueryMode ?? table.Published?.QueryMode ?? TableRules.ModeLocal)).ToList();
        return JsonBody.Of(new CatalogV1(tables, tables.Count), ProtocolJson.Default.CatalogV1);
    }
}
