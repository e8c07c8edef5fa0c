using System.Text.Json;
using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Engine.Query;
using Agnes.Server.Features.ColumnMetadata;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Catalog.Pages;

/// <summary><c>GET /catalog/{table}</c>, by id or name.</summary>
internal static class ShowTable
{
    public static async Task<IResult> HandleAsync(
        string table, HttpContext context, StateDb state, DataFolder folder, SourceKinds kinds, AskedSources sources, MetadataCache cache,
        TimeProvider time)
    {
        if (Find(context, table) is not { } found) return Missing(table);
        var (snapshot, caller) = (context.Snapshot(), context.Caller());
        var (row, published) = (found.Row, found.Published);
        var known = (await cache.ViewAsync(context.RequestAborted)).Of(row, sources);
        // As the source said them last: a page waits for no source.
        var columns = row is not null && sources.Of(row) is { } remote
            ? await cache.ColumnsAsync(row.Id, remote, context.RequestAborted)
            : published?.Columns;
        return Page.Show<TablePage>(new TableModel(
            CatalogEntries.Of(snapshot, found, time.GetUtcNow().UtcDateTime, known),
            columns ?? [],
            new TableOrigin(row?.Bucket, row?.SourceTable, row?.SyncSchedule, row?.SyncStrategy, Names(row?.PrimaryKey)),
            published is null ? null : new TablePublication(published.Number, published.Parts.Count, published.PartsDigest, published.ExtractedAt, published.PublishedAt),
            TableCommands.For(found.Name, found.Id ?? found.Name))
        {
            Asked = row is not null && kinds.IsAsked(row) ? SourceOf(kinds.OfType(row.SourceType), known) : null,
            Descriptions = await ColumnMetadataStore.DescriptionsAsync(state, found, context.RequestAborted),
            SetAside = published is not null && row is not null && kinds.PulledBy(snapshot, row) is { } own ? SetAside.Read(folder, own.Name, row.Name, 0).Count : 0,
            Groups = caller.IsAdmin ? Groups(snapshot, found) : null,
        });
    }

    private static TableSourceFacts SourceOf(SourceKind? kind, TableMetadata? known) => new(
        kind?.Title ?? "its source",
        kind is { Dialect: SqlDialect.BigQuery } ? kind.Title : "DuckDB",
        known?.EntityType?.ToLowerInvariant(),
        known?.PartitionBy,
        known?.Clustering ?? [],
        known?.RefreshedAt);

    /// <summary>The table if the caller may read it. One that is hidden and one that never existed are the same here.</summary>
    public static NamedTable? Find(HttpContext context, string sent)
    {
        var (snapshot, caller) = (context.Snapshot(), context.Caller());
        return NamedTable.Resolve(snapshot, caller, sent) is { } found && Access.CanRead(snapshot, caller, found) ? found : null;
    }

    public static IResult Missing(string sent) => Problem.NotFound($"There is no table '{sent}' that you may read. Look for it in the catalog, or ask an admin for access.");

    private static List<string> Groups(Snapshot snapshot, NamedTable table) =>
        table.Id is null
            ? []
            : [.. snapshot.GrantsOn(Access.TableType, table.Id).Keys.Select(id => snapshot.Group(id)?.Name).OfType<string>().Order(StringComparer.OrdinalIgnoreCase)];

    /// <summary>The registry keeps the key as a JSON array in a text; older rows may hold anything.</summary>
    private static IReadOnlyList<string> Names(string? json)
    {
        if (json is null) return [];
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Array
                ? [.. document.RootElement.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)]
                : [];
        }
        catch (JsonException)
        {
            return [json];
        }
    }
}
