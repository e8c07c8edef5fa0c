using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Serving;

namespace Agnes.Server.Features.Query;

/// <summary><c>POST /api/query</c>: one SELECT, answered as it is made.</summary>
internal static class RunQuery
{
    public static async Task<IResult> HandleAsync(
        HttpContext context, Scopes scopes, StatementRunner runner, RemoteQuota quota, AuditLog audit, ServerOptions options)
    {
        var body = await RequestBody.ReadAsync(context);
        var sql = body.String("sql");
        var limit = body.OptionalInteger("limit") ?? QueryRequest.LimitDefault;
        if (limit is < 1 or > QueryRequest.LimitMax) body.Refuse("limit", $"limit must be between 1 and {QueryRequest.LimitMax}");
        body.ThrowIfInvalid();
        return await AnswerAsync(context, sql, limit, scopes, runner, quota, audit, options);
    }

    /// <summary>
    /// Runs the statement in the caller's scope and answers with its rows. A small answer leaves after its audit entry; a large one leaves as it is made,
    /// after an entry of what was asked and before one of how it ended.
    /// </summary>
    public static async Task<IResult> AnswerAsync(
        HttpContext context, string sql, int limit, Scopes scopes, StatementRunner runner, RemoteQuota quota, AuditLog audit, ServerOptions options)
    {
        var caller = context.Caller();
        var response = context.Response;
        response.ContentType = "application/json"; // nothing is sent before the statement has succeeded, or has made its first megabyte
        response.Headers.CacheControl = "no-store";
        using var budget = quota.For(caller.UserId);
        var limits = StatementLimits.Default with { Time = options.QueryTimeLimit, Budget = budget };
        var outcome = await runner.RunAsync(
            context.Lease(), scopes.Of(context.Snapshot(), caller), sql, limit, response.BodyWriter, limits, context.RequestAborted,
            tables => audit.AppendAsync(caller.UserId, "query", null, Describe(sql, tables), AuditLog.Started, cancellation: CancellationToken.None).AsTask());
        await audit.AppendAsync(caller.UserId, "query", null, Describe(sql, outcome, quota), StatementAnswer.AuditedAs(outcome), (int)outcome.Elapsed.TotalMilliseconds, CancellationToken.None);
        if (outcome.IsOk)
        {
            await response.BodyWriter.FlushAsync(context.RequestAborted);
            return Results.Empty;
        }
        if (outcome.BodyStarted)
        {
            context.Abort(); // half a body is out: only a cut connection tells the client
            return Results.Empty;
        }
        return StatementAnswer.Refuse(context, outcome);
    }

    private static JsonObject Describe(string sql, StatementOutcome outcome, RemoteQuota quota)
    {
        var what = Describe(sql, outcome.Tables);
        what["rows"] = outcome.Rows;
        what["bytes"] = outcome.Bytes;
        what["truncated"] = outcome.Truncated;
        quota.Describe(outcome.Asked, what);
        return what;
    }

    private static JsonObject Describe(string sql, IReadOnlyList<string> tables) => new()
    {
        ["sql_sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql))),
        ["tables"] = new JsonArray([.. tables.Select(table => (JsonNode)JsonValue.Create(table))]),
    };
}
