using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Catalog;

/// <summary><c>GET /api/v2/catalog</c>; with <c>?table=</c> the one line of that table, or none.</summary>
internal static class ShowCatalog
{
    private const long SmallBytesMax = 100L << 20;
    private const long MediumBytesMax = 1L << 30;
    private const long LargeBytesMax = 10L << 30;

    /// <summary>Each with the columns that its table must have.</summary>
    private static readonly (string[] Columns, string Predicate)[] Examples =
    [
        (["event_date"], "event_date >= DATE_SUB(CURRENT_DATE(), INTERVAL 7 DAY)"),
        (["country_code", "platform"], "country_code = 'CZ' AND platform IN ('web', 'ios')"),
    ];

    public static async Task<IResult> HandleAsync(
        HttpContext context, ScopeBodies bodies, SourceKinds kinds, AskedSources sources, MetadataCache cache, JobRunner jobs, TimeProvider time,
        string? refresh = null, string? table = null)
    {
        if (refresh is "1" or "true" && context.Caller().IsAdmin) await RefreshAsync(context, kinds, jobs);
        var view = await cache.ViewAsync(context.RequestAborted);
        return table is null
            ? bodies.Answer(context, "catalog", (snapshot, caller) => Make(Scopes.Tables(snapshot, caller), EntryOf), view.Version)
            : JsonBody.Of(new Protocol.Catalog([.. Named(context, table).Select(EntryOf)], Timestamps.Offset(time.GetUtcNow())), ProtocolJson.Default.Catalog);

        CatalogTable EntryOf(NamedTable one) =>
            Entry(one, kinds, view.Of(one.Row, sources), cache) with { ColumnsChanged = SchemaDrifts.LastTaken(context.Snapshot(), one.Name) };
    }

    /// <summary>Sources are asked; this answer does not wait for them. Nothing is started where they are being asked already.</summary>
    private static async Task RefreshAsync(HttpContext context, SourceKinds kinds, JobRunner jobs)
    {
        if (!context.Snapshot().TablesById.Values.Any(kinds.IsAsked)) return;
        var caller = context.Caller();
        await jobs.StartAsync(
            MetadataJobs.Request("api", caller.Email), context.RequestAborted,
            (write, id) => write.Audit(caller.UserId, "metadata.refresh", null, new JsonObject { ["run_id"] = id }, "ok"));
    }

    /// <summary>A table that the caller may not read is like one that is not there.</summary>
    private static IEnumerable<NamedTable> Named(HttpContext context, string sent)
    {
        var (snapshot, caller) = (context.Snapshot(), context.Caller());
        if (NamedTable.Resolve(snapshot, caller, sent) is { } table && Access.CanRead(snapshot, caller, table)) yield return table;
    }

    private static byte[] Make(IEnumerable<NamedTable> named, Func<NamedTable, CatalogTable> entry)
    {
        var tables = named.Select(entry).ToList();
        return ScopeBodies.WithoutTime(JsonSerializer.SerializeToUtf8Bytes(new Protocol.Catalog(tables, ""), ProtocolJson.Default.Catalog));
    }

    private static CatalogTable Entry(NamedTable table, SourceKinds kinds, TableMetadata? known, MetadataCache cache)
    {
        var mode = table.Row?.QueryMode ?? table.Published?.QueryMode ?? TableRules.ModeLocal;
        var source = table.Row?.SourceType ?? "";
        var id = table.Id ?? table.Name;
        var remote = mode == TableRules.ModeRemote;
        var kind = remote ? kinds.OfType(source) : null;
        var bytes = remote ? known?.SizeBytes : table.Published?.Bytes;
        return new CatalogTable(
            id,
            table.Name,
            table.Row?.Description ?? table.Published?.Description ?? "",
            source,
            mode,
            SqlFlavor: kind?.SqlFlavor ?? "duckdb",
            WhereExamples: kind is { Dialect: SqlDialect.BigQuery } ? ExamplesOf(known) : [],
            FetchVia: remote ? Fetched(id, kind)
                : $"already local: agnes pull, then agnes query \"SELECT * FROM {table.Name} LIMIT 10\"",
            RoughSizeHint: SizeHint(bytes),
            Rows: remote ? known?.Rows : table.Published?.Rows,
            SizeBytes: bytes,
            PartitionBy: known?.PartitionBy,
            ClusteredBy: known?.Clustering ?? [],
            EntityType: known?.EntityType,
            MetadataFreshness: remote ? cache.FreshnessOf(known) : Freshness.NotApplicable);
    }

    private static List<string> ExamplesOf(TableMetadata? known) =>
    [
        .. Examples.Where(one => one.Columns.All(column => known?.ColumnNames.Contains(column, StringComparer.OrdinalIgnoreCase) == true))
            .Select(one => one.Predicate),
    ];

    private static string Fetched(string id, SourceKind? kind) => kind is { IsAsked: true, Dialect: SqlDialect.BigQuery }
        ? $"agnes snapshot create {id} --where '…' (in {kind.Title}'s SQL; --estimate first)"
        : $"agnes snapshot create {id}";

    private static string? SizeHint(long? bytes) => bytes switch
    {
        null => null,
        <= SmallBytesMax => "small",
        <= MediumBytesMax => "medium",
        <= LargeBytesMax => "large",
        _ => "very_large",
    };
}
