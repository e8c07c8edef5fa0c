using Agnes.Server.Features.Catalog.Pages;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Tables.Pages;

/// <summary>The registry, for admins to look at.</summary>
internal static class TablesPages
{
    private static readonly string[] SortKeys = ["name", "source", "grants", "loaded"];

    public static void MapTablesPages(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/admin/tables", ShowTablesAsync).ExcludeFromDescription().Admin();

    private static async Task<IResult> ShowTablesAsync(HttpContext context, MetadataCache cache, AskedSources sources, TimeProvider time)
    {
        var query = ListQuery.From(context.Request, "name", SortKeys);
        var snapshot = context.Snapshot();
        var view = await cache.ViewAsync(context.RequestAborted);
        var all = CatalogEntries.Of(snapshot, context.Caller(), time.GetUtcNow().UtcDateTime, row => view.Of(row, sources))
            .Select(item => Line(snapshot, item.Entry, item.Table)).ToList();
        var matching = Sorted(all.Where(line => Matches(query.Text, line)), query).ToList();
        query = query.Within(matching.Count);
        return Page.Show<TablesPage>(new TablesModel(query, [.. query.OnPage(matching)], matching.Count, all.Count));
    }

    private static TableLine Line(Snapshot snapshot, CatalogEntry entry, NamedTable table) => new(
        entry,
        table.Row is { } row ? string.Join(" · ", new[] { row.Bucket, row.SourceTable }.Where(part => !string.IsNullOrEmpty(part))) : "published, not registered",
        table.Row?.SyncSchedule,
        table.Id is { } id ? snapshot.GrantsOn(Access.TableType, id).Count : 0);

    private static bool Matches(string text, TableLine line) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries).All(word =>
        new[] { line.Entry.Name, line.Entry.Id, line.Entry.Source, line.Origin }.Any(part => part?.Contains(word, StringComparison.OrdinalIgnoreCase) ?? false));

    private static IEnumerable<TableLine> Sorted(IEnumerable<TableLine> lines, ListQuery query) => query.SortKey switch
    {
        "source" => query.Ordered(lines, line => line.Entry.Source),
        "grants" => query.Ordered(lines, line => line.Groups),
        "loaded" => query.Ordered(lines, line => line.Entry.Health.LoadedAt ?? DateTime.MinValue),
        _ => query.Ordered(lines, line => line.Entry.Name),
    };
}
