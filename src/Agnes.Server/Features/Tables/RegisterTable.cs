using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
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

    public static JsonObject Answer(TableRow row) => new() { ["id"] = row.Id, ["name"] = row.Name, ["status"] = "registered" };
}
