using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Tables;

/// <summary><c>POST /api/admin/register-table/precheck</c>: everything that registering checks, what the table would be, and nothing written.</summary>
internal static class PrecheckTable
{
    public static async Task<IResult> HandleAsync(HttpContext context, TableRegistry registry, TablePreviews previews)
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
        await previews.AddAsync(table, row, context.RequestAborted);
        return JsonBody.Of(new JsonObject { ["ok"] = true, ["table"] = table });
    }
}
