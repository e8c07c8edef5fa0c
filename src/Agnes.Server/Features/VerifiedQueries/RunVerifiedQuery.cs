using System.Text.Json;
using Agnes.Engine.Query;
using Agnes.Protocol;
using Agnes.Server.Features.Metrics;
using Agnes.Server.Features.Query;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Serving;

namespace Agnes.Server.Features.VerifiedQueries;

/// <summary>
/// <c>POST /api/verified-queries/run</c> <c>{"id","parameters":{…},"limit"}</c>: answered as <c>POST /api/query</c> is, in the asker's own scope.
/// </summary>
internal static class RunVerifiedQuery
{
    public static async Task<IResult> HandleAsync(
        HttpContext context, Definitions definitions, Scopes scopes, StatementRunner runner, RemoteQuota quota, AuditLog audit, ServerOptions options)
    {
        var body = await RequestBody.ReadAsync(context);
        var id = body.String("id");
        var values = Values(body);
        var limit = body.OptionalInteger("limit") ?? QueryRequest.LimitDefault;
        if (limit is < 1 or > QueryRequest.LimitMax) body.Refuse("limit", $"limit must be between 1 and {QueryRequest.LimitMax}");
        body.ThrowIfInvalid();
        if ((await definitions.OfAsync(context)).Query(id) is not { Row: var query }) return ShowVerifiedQuery.NotFound(id);
        try
        {
            var sql = QueryParameters.Compose(query.Sql, query.ReadParameters(), values);
            return await RunQuery.AnswerAsync(context, sql, limit, scopes, runner, quota, audit, options);
        }
        catch (FormatException fault)
        {
            return Problem.Detail(StatusCodes.Status400BadRequest, fault.Message);
        }
    }

    private static Dictionary<string, string> Values(RequestBody body)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var given = body.Element("parameters");
        if (given.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) return values;
        if (given.ValueKind != JsonValueKind.Object)
        {
            body.Refuse("parameters", "must be an object");
            return values;
        }
        foreach (var entry in given.EnumerateObject()) values[entry.Name] = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : entry.Value.GetRawText();
        return values;
    }
}
