using System.Text.Json;
using Agnes.Engine.Query;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Catalog;

/// <summary><c>GET /api/v2/catalog</c></summary>
internal static class ShowCatalog
{
    private const long SmallBytesMax = 100L << 20;
    private const long MediumBytesMax = 1L << 30;
    private const long LargeBytesMax = 10L << 30;

    public static IResult Handle(HttpContext context, ScopeBodies bodies, SourceKinds kinds) =>
        bodies.Answer(context, "catalog", (snapshot, caller) => Make(snapshot, caller, kinds));

    private static byte[] Make(Snapshot snapshot, Caller caller, SourceKinds kinds)
    {
        var tables = Scopes.Tables(snapshot, caller).Select(table => Entry(table, kinds)).ToList();
        return ScopeBodies.WithoutTime(JsonSerializer.SerializeToUtf8Bytes(new Protocol.Catalog(tables, ""), ProtocolJson.Default.Catalog));
    }

    private static CatalogTable Entry(NamedTable table, SourceKinds kinds)
    {
        var mode = table.Row?.QueryMode ?? table.Published?.QueryMode ?? TableRules.ModeLocal;
        var source = table.Row?.SourceType ?? "";
        var id = table.Id ?? table.Name;
        var remote = mode == TableRules.ModeRemote;
        return new CatalogTable(
            id,
            table.Name,
            table.Row?.Description ?? table.Published?.Description ?? "",
            source,
            mode,
            SqlFlavor: remote ? kinds.OfType(source)?.SqlFlavor ?? "duckdb" : "duckdb",
            WhereExamples: [],
            FetchVia: remote ? Fetched(id, kinds.OfType(source))
                : $"already local: agnes pull, then agnes query \"SELECT * FROM {table.Name} LIMIT 10\"",
            RoughSizeHint: remote ? null : SizeHint(table.Published?.Bytes),
            Rows: remote ? null : table.Published?.Rows,
            SizeBytes: remote ? null : table.Published?.Bytes,
            PartitionBy: null,
            ClusteredBy: [],
            EntityType: null,
            MetadataFreshness: remote ? "never_fetched" : "not_applicable");
    }

    private static string Fetched(string id, SourceKind? kind) => kind is { IsAsked: true, Dialect: SqlDialect.BigQuery }
        ? $"agnes snapshot create {id} --where '…' (in {kind.Title}'s SQL)"
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
