using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Protocol;
using Agnes.Server.Features.ColumnMetadata;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Catalog;

/// <summary>
/// <c>GET /api/v2/schema/{table_id}</c>: the columns as they were published, or as the source has them where the table stays there, with what is
/// known of them.
/// </summary>
internal static class ShowSchema
{
    public static async Task<IResult> HandleAsync(
        HttpContext context, StateDb state, SourceKinds kinds, AskedSources sources, Scopes scopes, RemoteColumns remote, MetadataCache cache,
        string table_id)
    {
        if (CatalogTables.Refuse(context, kinds, table_id) is { } refusal) return refusal;
        var table = context.Table()!;
        var isAsked = sources.IsAsked(table.Row);
        var (columns, known) = isAsked ? await AskedAsync(context, scopes, remote, cache, table) : (table.Published!.Columns, null);
        var descriptions = await ColumnMetadataStore.DescriptionsAsync(state, table, context.RequestAborted);
        return JsonBody.Of(
            new TableSchema(
                table_id,
                table.Row?.SourceType ?? "",
                !isAsked ? "duckdb" : kinds.OfType(table.Row!.SourceType)!.SqlFlavor,
                [.. columns.Select(column => new SchemaColumn(column.Name, column.Type, column.Nullable, descriptions.GetValueOrDefault(column.Name, "")))],
                known?.PartitionBy,
                known?.Clustering ?? [],
                isAsked ? kinds.OfType(table.Row!.SourceType)!.WhereHints : Connection.Nothing),
            ProtocolJson.Default.TableSchema);
    }

    private static async Task<(IReadOnlyList<TableColumn> Columns, TableMetadata? Known)> AskedAsync(
        HttpContext context, Scopes scopes, RemoteColumns remote, MetadataCache cache, NamedTable table)
    {
        var scoped = scopes.Of(context.Snapshot(), context.Caller()).Find(table.Name)
            ?? throw new ProblemException(StatusCodes.Status403Forbidden, CatalogFeature.Denied);
        var columns = await remote.OfAsync(context, scoped);
        return scoped.Source is RowSource.Remote source
            ? (columns, (await cache.ViewAsync(context.RequestAborted)).Of(scoped.Id, source))
            : (columns, null);
    }
}

internal static class CatalogTables
{
    /// <summary>Why a table that the caller may read, or know to be missing, has no columns or rows to show.</summary>
    public static IResult? Refuse(HttpContext context, SourceKinds kinds, string sent)
    {
        if (context.Table() is not { } table)
        {
            return Identifiers.IsQuoted(sent)
                ? Problem.NotFound($"table '{sent}' not found")
                : Problem.Detail(StatusCodes.Status400BadRequest, new JsonObject
                {
                    ["error"] = "unsafe_identifier",
                    ["message"] = "A table's id or name has letters, digits, '_', '.' and '-' only.",
                    ["details"] = new JsonObject(),
                });
        }
        return table.Published is null && !kinds.IsAsked(table.Row) ? Problem.NotFound($"table '{sent}' has not been synced yet; an admin starts that with: agnes admin sync trigger {table.Id}") : null;
    }
}
