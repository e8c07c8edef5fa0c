using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Catalog.Pages;

/// <summary><c>GET /catalog</c></summary>
internal static class ShowCatalog
{
    private static readonly string[] SortKeys = ["name", "source", "rows", "size", "loaded"];

    public static async Task<IResult> HandleAsync(HttpContext context, MetadataCache cache, AskedSources sources, TimeProvider time)
    {
        var query = ListQuery.From(context.Request, "name", SortKeys, "source", "state");
        var caller = context.Caller();
        var view = await cache.ViewAsync(context.RequestAborted);
        TableMetadata? Known(TableRow? row) => view.Of(row, sources);

        var all = CatalogEntries.Of(context.Snapshot(), caller, time.GetUtcNow().UtcDateTime, Known).ToList();
        var matching = Sorted(all.Where(item => Matches(query, item.Entry, item.Table, Known)).Select(item => item.Entry), query).ToList();
        query = query.Within(matching.Count);
        return Page.Show<CatalogPage>(new CatalogModel(
            query,
            [.. query.OnPage(matching)],
            matching.Count,
            all.Count,
            all.Select(item => item.Entry.Source).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList(),
            caller.IsAdmin));
    }

    private static bool Matches(ListQuery query, CatalogEntry entry, NamedTable table, Func<TableRow?, TableMetadata?> known)
    {
        if (query.Filter("source") is { Length: > 0 } source && source != entry.Source) return false;
        if (query.Filter("state") == "fresh" && entry.Health.IsProblem) return false;
        if (query.Filter("state") == "attention" && !entry.Health.IsProblem) return false;

        // Every word has to be somewhere.
        return query.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries).All(word =>
            Has(entry.Name, word) || Has(entry.Id, word) || Has(entry.Description, word) || Has(entry.Source, word)
            || (table.Published?.Columns.Any(column => Has(column.Name, word)) ?? false)
            || (known(table.Row)?.ColumnNames.Any(name => Has(name, word)) ?? false));
    }

    private static bool Has(string? text, string word) => text is not null && text.Contains(word, StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<CatalogEntry> Sorted(IEnumerable<CatalogEntry> entries, ListQuery query) => query.SortKey switch
    {
        "source" => query.Ordered(entries, entry => entry.Source),
        "rows" => query.Ordered(entries, entry => entry.Rows ?? -1),
        "size" => query.Ordered(entries, entry => entry.Bytes ?? -1),
        "loaded" => query.Ordered(entries, entry => entry.Health.LoadedAt ?? DateTime.MinValue),
        _ => query.Ordered(entries, entry => entry.Name),
    };
}
