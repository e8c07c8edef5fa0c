using System.Globalization;
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
        if (outcome.Quota is { } used) return Refuse(context, used);
        if (outcome.Path is { } path) return Problem.Detail(StatusCodes.Status403Forbidden, PathRefused(path));
        if (outcome.Failure is { } failure && outcome.Scan is null) return Failed(context, outcome, failure);
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

    /// <summary>429, in the shape of the endpoint's family.</summary>
    public static IResult Refuse(HttpContext context, QuotaExceeded used)
    {
        var seconds = (int)Math.Ceiling(used.RetryAfter.TotalSeconds);
        context.Response.Headers.RetryAfter = Math.Max(1, seconds).ToString(CultureInfo.InvariantCulture);
        var detail = IsV2(context)
            ? new JsonObject { ["error"] = "quota_exceeded" }
            : new JsonObject { ["reason"] = ReasonOf(used.Kind), ["message"] = used.Message };
        detail["kind"] = used.Kind;
        detail["current"] = Number(used.Kind, used.Current);
        detail["limit"] = Number(used.Kind, used.Limit);
        detail["retry_after_seconds"] = seconds;
        return Problem.Detail(StatusCodes.Status429TooManyRequests, detail);
    }

    private static string ReasonOf(string kind) => kind switch
    {
        QuotaExceeded.AtOnce => "concurrent_slot_exceeded",
        QuotaExceeded.DailyBytes => "daily_byte_cap_exceeded",
        QuotaExceeded.DailyStatements => "daily_statement_cap_exceeded",
        _ => "daily_cost_cap_exceeded",
    };

    private static JsonNode Number(string kind, double number) => kind == QuotaExceeded.DailyCost ? number : (long)number;

    private static bool IsV2(HttpContext context) => context.Request.Path.StartsWithSegments("/api/v2", StringComparison.Ordinal);

    private static JsonObject TooLarge(StatementOutcome outcome, RemoteScan scan) => new()
    {
        ["reason"] = "remote_scan_too_large",
        ["message"] = outcome.Message,
        ["scan_bytes"] = scan.Bytes,
        ["limit_bytes"] = scan.BytesMax,
        ["tables"] = new JsonArray([.. scan.Relations.Select(relation => (JsonNode)relation)]),
        ["view_targets"] = new JsonArray([.. scan.Views.Select(view => (JsonNode)view)]),
        ["suggestion"] = $"{(scan.Views.Count > 0 ? "A LIMIT does not make a view read less. " : "")}"
            + $"Ask for less, or take the rows that you need: agnes snapshot create {outcome.Tables[0]} --where '…'",
    };

    /// <summary>
    /// For whoever may not read everything, a path that nobody registered and one that they were not granted are one and the same.
    /// </summary>
    private static JsonObject PathRefused(RefusedPath path) => path switch
    {
        { ExpectedProject: { } project } => new JsonObject
        {
            ["reason"] = "bq_path_cross_project",
            ["path"] = path.Path,
            ["expected_project"] = project,
            ["hint"] = $"Tables are read in the project '{project}'. Name one of the catalog: agnes catalog",
        },
        { IsUnknown: true } => new JsonObject
        {
            ["reason"] = "bq_path_not_registered",
            ["path"] = path.Path,
            ["hint"] = "Register it: agnes admin register-table NAME --source-type bigquery --bucket DATASET --source-table TABLE",
        },
        _ => new JsonObject
        {
            ["reason"] = "bq_path_access_denied",
            ["path"] = path.Path,
            ["hint"] = "It is not registered, or not granted to you. What you may read: agnes catalog",
        },
    };

    /// <summary>The same failure has another shape for each family of endpoints.</summary>
    private static IResult Failed(HttpContext context, StatementOutcome outcome, RemoteFailure failure)
    {
        var details = new JsonObject();
        foreach (var (name, value) in failure.Details) details[name] = value;
        if (IsV2(context))
            return Problem.Detail(
                failure.Status, new JsonObject { ["error"] = failure.Kind, ["message"] = outcome.Message, ["details"] = details });
        if (failure is { IsOfEstimate: true, Kind: "bq_bad_request" })
        {
            details["hint"] = "Mend the statement and ask again; nothing was read for it.";
            details["underlying"] = outcome.Message;
            details["underlying_original"] = outcome.Message;
            failure = failure with { Kind = "remote_estimate_failed" };
        }

        details.Insert(0, "kind", failure.Kind);
        details.Insert(1, "message", outcome.Message);
        var isQuestions = failure.Status == StatusCodes.Status400BadRequest;
        return Problem.Detail(isQuestions ? failure.Status : StatusCodes.Status502BadGateway, details);
    }
}
