using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using Agnes.Server.Features.ColumnMetadata;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Serving;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Catalog;

/// <summary>
/// <c>GET /api/v2/schema/{table_id}</c>: the columns as they were published, or as the source has them where the table stays there, with what is
/// known of them.
/// </summary>
internal static class ShowSchema
{
    public static async Task<IResult> HandleAsync(
        HttpContext context, StateDb state, SourceKinds kinds, Scopes scopes, StatementRunner runner, string table_id)
    {
        if (CatalogTables.Refuse(context, kinds, table_id) is { } refusal) return refusal;
        var table = context.Table()!;
        var isAsked = kinds.IsAsked(table.Row);
        var (columns, layout) = isAsked ? await AskedAsync(context, scopes, runner, table) : (table.Published!.Columns, null);
        var descriptions = await ColumnMetadataStore.DescriptionsAsync(state, table, context.RequestAborted);
        return JsonBody.Of(
            new TableSchema(
                table_id,
                table.Row?.SourceType ?? "",
                !isAsked ? "duckdb" : kinds.OfType(table.Row!.SourceType)!.SqlFlavor,
                [.. columns.Select(column => new SchemaColumn(column.Name, column.Type, column.Nullable, descriptions.GetValueOrDefault(column.Name, "")))],
                layout?.PartitionedBy,
                layout?.ClusteredBy ?? [],
                isAsked ? kinds.OfType(table.Row!.SourceType)!.WhereHints : Connection.Nothing),
            ProtocolJson.Default.TableSchema);
    }

    private static async Task<(IReadOnlyList<TableColumn> Columns, RemoteLayout? Layout)> AskedAsync(
        HttpContext context, Scopes scopes, StatementRunner runner, NamedTable table)
    {
        var scoped = scopes.Of(context.Snapshot(), context.Caller()).Find(table.Name)
            ?? throw new ProblemException(StatusCodes.Status403Forbidden, CatalogFeature.Denied);
        var columns = await RemoteColumns.OfAsync(context, runner, scoped);
        // It came with the columns, so that nothing is asked again.
        return scoped.Source is RowSource.Remote remote
            ? (columns, await remote.System.LayoutAsync(remote.Relation, context.RequestAborted))
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
