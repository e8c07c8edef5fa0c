using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Agnes.Emulators.BigQuery;

/// <summary>An error as BigQuery answers it: a status, a reason of the documented list, and a sentence.</summary>
public sealed class BigQueryError(int code, string reason, string message, string? location = null) : Exception(message)
{
    public int Code => code;

    public string Reason => reason;

    /// <summary>What a job shows as <c>errorResult</c>.</summary>
    public JsonObject ToProto()
    {
        var proto = new JsonObject { ["reason"] = reason, ["message"] = Message };
        if (location is not null) proto["location"] = location;
        return proto;
    }

    public IResult ToResult()
    {
        var first = new JsonObject { ["message"] = Message, ["domain"] = "global", ["reason"] = reason };
        if (location is not null) (first["location"], first["locationType"]) = (location, "parameter");
        var error = new JsonObject
        {
            ["code"] = code,
            ["message"] = Message,
            ["errors"] = new JsonArray(first),
            ["status"] = Status(code, reason)
        };
        return Results.Json(new JsonObject { ["error"] = error }, statusCode: code);
    }

    public static BigQueryError Invalid(string message) => new(400, "invalidQuery", message, "q");

    public static BigQueryError Missing(string what) => new(404, "notFound", $"Not found: {what}");

    private static string Status(int code, string reason) => (code, reason) switch
    {
        (400, _) => "INVALID_ARGUMENT",
        (401, _) => "UNAUTHENTICATED",
        (403, "rateLimitExceeded" or "quotaExceeded" or "jobRateLimitExceeded" or "responseTooLarge") => "RESOURCE_EXHAUSTED",
        (403, _) => "PERMISSION_DENIED",
        (404, _) => "NOT_FOUND",
        (409, _) => "ALREADY_EXISTS",
        (429, _) => "RESOURCE_EXHAUSTED",
        (503, _) => "UNAVAILABLE",
        _ => "INTERNAL",
    };
}
