using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Publications;

namespace Agnes.Server.Features.History;

/// <summary><c>POST /api/admin/registry/{id}/rollback</c></summary>
internal static class RollBack
{
    public static async Task<IResult> HandleAsync(HttpContext context, Rollback rollback, string id)
    {
        var body = await RequestBody.ReadAsync(context);
        var number = 0L;
        if (body.Element("number") is not { ValueKind: System.Text.Json.JsonValueKind.Number } given || !given.TryGetInt64(out number))
            body.Refuse("number", "must be the number of a version, as GET /api/v2/history/{table_id} lists it");
        body.ThrowIfInvalid();
        var version = await rollback.RunAsync(context.Caller(), id, number, context.RequestAborted);
        return JsonBody.Of(ShowHistory.Of(version, null, withParts: false), ProtocolJson.Default.TableVersion);
    }
}
