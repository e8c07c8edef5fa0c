using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Tables;

/// <summary>
/// <c>POST /api/admin/register-tables</c> <c>{"tables":[…]}</c>: many at once, in one transaction. With a fault in one of them none is registered, and the answer
/// names each fault.
/// </summary>
internal static class RegisterTables
{
    private const int TablesMax = 1_000;

    public static async Task<IResult> HandleAsync(HttpContext context, TableRegistry registry)
    {
        var body = await RequestBody.ReadAsync(context);
        var given = body.Element("tables");
        if (given.ValueKind != JsonValueKind.Array || given.GetArrayLength() is 0 or > TablesMax) body.Refuse("tables", $"tables must be a list of 1 to {TablesMax} registrations");
        body.ThrowIfInvalid();

        var rows = new List<TableRow>();
        var faults = new JsonArray();
        foreach (var (item, index) in given.EnumerateArray().Select((item, index) => (item, index)))
        {
            try
            {
                var one = RequestBody.Of(item, index);
                var row = registry.Read(one);
                registry.RefuseUnserved(row);
                registry.RefuseTaken(row);
                rows.Add(await registry.CheckQueryAsync(one, row, context.RequestAborted));
            }
            catch (ProblemException fault)
            {
                faults.Add(new JsonObject { ["index"] = index, ["name"] = Name(item), ["status"] = fault.Status, ["detail"] = fault.Detail });
            }
        }
        if (faults.Count > 0) return Problem.Detail(StatusCodes.Status422UnprocessableEntity, new JsonObject { ["message"] = $"{faults.Count} of {given.GetArrayLength()} registrations are at fault; none was registered.", ["tables"] = faults });

        var registered = await registry.RegisterAsync(context.Caller(), rows, context.RequestAborted);
        return JsonBody.Of(
            new JsonObject { ["tables"] = new JsonArray([.. registered.Select(row => (JsonNode)RegisterTable.Answer(row))]), ["count"] = registered.Count },
            StatusCodes.Status201Created);
    }

    private static string? Name(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String ? name.GetString() : null;
}
