using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Tables;

/// <summary><c>POST /api/admin/register-table</c></summary>
internal static class RegisterTable
{
    public static async Task<IResult> HandleAsync(HttpContext context, TableRegistry registry)
    {
        var body = await RequestBody.ReadAsync(context);
        var row = registry.Read(body);
        registry.RefuseUnserved(row);
        registry.RefuseTaken(row);
        row = await registry.CheckQueryAsync(body, row, context.RequestAborted);
        var registered = await registry.RegisterAsync(context.Caller(), [row], context.RequestAborted);
        var answer = Answer(registered[0]);
        if (registry.SaidOf(registered[0]) is { } said) (answer["view_name"], answer["message"]) = (registered[0].Name, said);
        return JsonBody.Of(answer, StatusCodes.Status201Created);
    }

    /// <summary>Of a table that stays at its source, that it does: there is nothing to bring.</summary>
    public static JsonObject Answer(TableRow row)
    {
        var answer = new JsonObject { ["id"] = row.Id, ["name"] = row.Name, ["status"] = "registered" };
        if (row.QueryMode == TableRules.ModeRemote) answer["query_mode"] = row.QueryMode;
        return answer;
    }
}
