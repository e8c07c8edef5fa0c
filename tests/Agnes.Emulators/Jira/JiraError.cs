using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Agnes.Emulators.Jira;

/// <summary>An error in the shape that Jira's API has for all of its own: messages, and messages by field.</summary>
internal sealed class JiraError(int status, string message) : Exception(message)
{
    public int Status { get; } = status;

    public static JiraError NoIssue() => new(404, "Issue does not exist or you do not have permission to see it.");

    public static JiraError Bad(string message) => new(400, message);

    public IResult ToResult() => ToResult(Status, Message);

    public static IResult ToResult(int status, string message) => Results.Json(
        new JsonObject { ["errorMessages"] = new JsonArray(message), ["errors"] = new JsonObject() }, WebhookEvent.AsJiraWrites,
            statusCode: status);
}
