using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Tables;

/// <summary><c>POST /api/admin/register-table/precheck</c>: everything that registering checks, what the table would be, and nothing written.</summary>
internal static class PrecheckTable
{
    public static async Task<IResult> HandleAsync(
        HttpContext context, TableRegistry registry, TablePreviews previews, AskedSources sources, SourceKinds kinds)
    {
        var body = await RequestBody.ReadAsync(context);
        var row = registry.Read(body);
        registry.RefuseUnserved(row);
        registry.RefuseTaken(row);
        row = await registry.CheckQueryAsync(body, row, context.RequestAborted);
        var table = new JsonObject
        {
            ["name"] = row.Name,
            ["source_type"] = row.SourceType,
            ["bucket"] = row.Bucket,
            ["source_table"] = row.SourceTable,
            ["rows"] = null,
            ["size_bytes"] = null,
            ["columns"] = new JsonArray(),
            ["note"] = registry.NoteOn(row),
        };
        if (row is { QueryMode: TableRules.ModeMaterialized, SourceQuery: { } query })
            (table["query_mode"], table["source_query"]) = (row.QueryMode, query);
        if (sources.Of(row) is { } remote) await AskAsync(table, remote, ProjectOf(row, sources, kinds), context.RequestAborted);
        else await previews.AddAsync(table, row, context.RequestAborted);
        return JsonBody.Of(new JsonObject { ["ok"] = true, ["table"] = table });
    }

    /// <summary>What the source says now: the admin wants to know whether the table is there.</summary>
    /// <exception cref="ProblemException">404: it is not. 403: it may not be read. 400: the source could not say.</exception>
    private static async Task AskAsync(JsonObject table, RowSource.Remote remote, string? project, CancellationToken stop)
    {
        RemoteDescription said;
        try
        {
            said = await remote.System.DescribeAsync(remote.Relation, stop);
        }
        catch (RemoteException failure)
        {
            var status = failure switch
            {
                { IsMissing: true } => StatusCodes.Status404NotFound,
                { IsForbidden: true } => StatusCodes.Status403Forbidden,
                _ => StatusCodes.Status400BadRequest,
            };
            throw new ProblemException(status, failure.Message);
        }

        table.Remove("note");
        if (project is not null) table.Insert(table.IndexOf("rows"), "project_id", project);
        table["rows"] = said.Rows;
        table["size_bytes"] = said.Bytes;
        table["entity_type"] = said.EntityType;
        table["columns"] = new JsonArray(
            [.. said.Columns.Select(column => (JsonNode)new JsonObject { ["name"] = column.Name, ["type"] = column.Type })]);
        table["column_count"] = said.Columns.Count;
    }

    private static string? ProjectOf(TableRow row, AskedSources sources, SourceKinds kinds) =>
        kinds.OfType(row.SourceType) is { } kind && sources.Find(kind, row.Connection ?? kind.Name) is { } found
            ? kind.CatalogOf(found.Settings)
            : null;
}
