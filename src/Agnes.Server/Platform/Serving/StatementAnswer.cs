using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Platform.Serving;

/// <summary>What a statement that did not succeed is answered with. The texts come from the engine and are safe to show.</summary>
internal static class StatementAnswer
{
    private const int RetryAfterSeconds = 2;

    /// <summary>What the audit calls the way that a statement ended.</summary>
    public static string AuditedAs(StatementOutcome outcome) => outcome.Status switch
    {
        StatementStatus.Ok => "ok",
        StatementStatus.Revoked => "revoked",
        StatementStatus.Killed => "killed",
        _ => outcome.Status.ToString(),
    };

    public static IResult Refuse(HttpContext context, StatementOutcome outcome)
    {
        var message = outcome.Message ?? "The statement could not be run.";
        switch (outcome.Status)
        {
            case StatementStatus.TableDenied or StatementStatus.Revoked: return Problem.Detail(StatusCodes.Status403Forbidden, message);
            case StatementStatus.TimedOut: return Problem.Detail(StatusCodes.Status504GatewayTimeout, message);
            case StatementStatus.Busy:
                context.Response.Headers.RetryAfter = RetryAfterSeconds.ToString();
                return Problem.Detail(StatusCodes.Status429TooManyRequests, message);
            case StatementStatus.Killed: return Problem.Detail(StatusCodes.Status409Conflict, message);
            case StatementStatus.RemoteTooLarge: return Problem.Detail(StatusCodes.Status400BadRequest, TooLarge(outcome, outcome.Scan!));
            case StatementStatus.RemoteFailed: return Problem.Detail(StatusCodes.Status502BadGateway, message);
            case StatementStatus.PartDamaged: return Problem.Detail(StatusCodes.Status503ServiceUnavailable, message);
            case StatementStatus.ClientGone: return Results.Empty;
            default: return Problem.Detail(StatusCodes.Status400BadRequest, message);
        }
    }

    private static JsonObject TooLarge(StatementOutcome outcome, RemoteScan scan) => new()
    {
        ["reason"] = "remote_scan_too_large",
        ["message"] = outcome.Message,
        ["scan_bytes"] = scan.Bytes,
        ["limit_bytes"] = scan.BytesMax,
        ["tables"] = new JsonArray([.. scan.Relations.Select(relation => (JsonNode)relation)]),
        ["view_targets"] = new JsonArray(),
        ["suggestion"] = $"Ask for less, or take the rows that you need: agnes snapshot create {outcome.Tables[0]} --where '…'",
    };
}
