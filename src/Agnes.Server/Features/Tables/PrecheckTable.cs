using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;

namespace Agnes.Server.Features.Tables;

/// <summary><c>POST /api/admin/register-table/precheck</c>: everything that registering checks, and nothing written.</summary>
internal static class PrecheckTable
{
    public static async Task<IResult> HandleAsync(HttpContext context, TableRegistry registry)
    {
        var row = registry.Read(await RequestBody.ReadAsync(context));
        registry.RefuseUnserved(row);
        registry.RefuseTaken(row);
        return JsonBody.Of(new JsonObject
        {
            ["ok"] = true,
            ["table"] = new JsonObject
            {
                ["name"] = row.Name,
                ["source_type"] = row.SourceType,
                ["bucket"] = row.Bucket,
                ["source_table"] = row.SourceTable,
                ["rows"] = null,
                ["size_bytes"] = null,
                ["columns"] = new JsonArray(),
                ["note"] = registry.NoteOn(row),
            },
        });
    }
}
