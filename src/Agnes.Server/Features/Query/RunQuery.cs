using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Query;

/// <summary><c>POST /api/query</c>: one SELECT, answered as it is made.</summary>
internal static class RunQuery
{
    private const string Revoked = "revoked";

    public static async Task<IResult> HandleAsync(HttpContext context, Scopes scopes, StatementRunner runner, AuditLog audit, ServerOptions options)
    {
        var body = await RequestBody.ReadAsync(context);
        var sql = body.String("sql");
        var limit = body.OptionalInteger("limit") ?? QueryRequest.LimitDefault;
        if (limit is < 1 or > QueryRequest.LimitMax) body.Refuse("limit", $"limit must be between 1 and {QueryRequest.LimitMax}");
        body.ThrowIfInvalid();
        return await AnswerAsync(context, sql, limit, scopes, runner, audit, options);
    }

    /// <summary>Runs the statement in the caller's scope and answers with its rows.</summary>
    public static async Task<IResult> AnswerAsync(HttpContext context, string sql, int limit, Scopes scopes, StatementRunner runner, AuditLog audit, ServerOptions options)
    {
        var caller = context.Caller();
        var response = context.Response;
        response.ContentType = "application/json"; // nothing is sent before the statement has succeeded, or has made its first megabyte
        response.Headers.CacheControl = "no-store";
        var limits = StatementLimits.For(caller.UserId) with { Time = options.QueryTimeLimit };
        var read = new ConcurrentQueue<string>();
        var scope = Noting(scopes.Of(context.Snapshot(), caller), read);
        var (outcome, allowed) = await context.WhileAllowedAsync(
            stop => runner.RunAsync(scope, sql, limit, response.BodyWriter, limits, stop),
            (now, asker) => read.All(id => Access.CanRead(now, asker, id)));
        await audit.AppendAsync(caller.UserId, "query", null, Describe(sql, outcome), !allowed ? Revoked : outcome.IsOk ? "ok" : outcome.Status.ToString(), (int)outcome.Elapsed.TotalMilliseconds, CancellationToken.None);
        if (!allowed && !outcome.BodyStarted) return Problem.Detail(StatusCodes.Status403Forbidden, "Access was taken away while the statement ran.");
        if (outcome.IsOk && allowed)
        {
            await response.BodyWriter.FlushAsync(context.RequestAborted);
            return Results.Empty;
        }
        if (outcome.BodyStarted || !allowed)
        {
            context.Abort(); // half a body is out: only a cut connection tells the client
            return Results.Empty;
        }
        return StatementAnswer.Refuse(context, outcome);
    }

    /// <summary>The same scope, which writes down the ids of the tables that the statement was let at.</summary>
    private static Scope Noting(Scope scope, ConcurrentQueue<string> read) => new(
        scope.Hash,
        scope.NothingHidden,
        name =>
        {
            var table = scope.Find(name);
            if (table is not null) read.Enqueue(table.Id);
            return table;
        },
        scope.All);

    private static JsonObject Describe(string sql, StatementOutcome outcome) => new()
    {
        ["sql_sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql))),
        ["tables"] = new JsonArray([.. outcome.Tables.Select(table => (JsonNode)JsonValue.Create(table))]),
        ["rows"] = outcome.Rows,
        ["bytes"] = outcome.Bytes,
        ["truncated"] = outcome.Truncated,
    };
}
