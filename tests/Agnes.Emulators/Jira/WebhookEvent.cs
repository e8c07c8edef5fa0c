using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Emulators.Jira;

/// <summary>What Jira posts for one thing that happened.</summary>
/// <param name="Name">The body's <c>webhookEvent</c>.</param>
/// <param name="IssueId">The issue that it belongs to; events of attachments, links and worklogs do not name its key.</param>
/// <param name="Timestamp">Milliseconds since 1970: the body's <c>timestamp</c>.</param>
/// <param name="Body">As it is signed and sent.</param>
/// <param name="Identifier">
/// The header <c>X-Atlassian-Webhook-Identifier</c>: unique in the site, and the same when the delivery is tried again.
/// </param>
/// <param name="IsPrimary">
/// The header <c>X-Atlassian-Webhook-Flow</c>: what somebody did is primary; what follows from it, such as the comments of a deleted
/// issue, is secondary and may come up to a quarter of an hour later.
/// </param>
public sealed record WebhookEvent(string Name, long IssueId, long Timestamp, byte[] Body, string Identifier, bool IsPrimary)
{
    public JsonObject Json => (JsonObject)JsonNode.Parse(Body)!;

    public override string ToString() => $"{Name} of {IssueId} at {Timestamp}";

    internal static WebhookEvent Of(JsonObject body, long issueId, string identifier, bool isPrimary) =>
        new((string)body["webhookEvent"]!, issueId, (long)body["timestamp"]!, Encoding.UTF8.GetBytes(body.ToJsonString(AsJiraWrites)),
            identifier, isPrimary);

    /// <summary>Jira writes letters as they are, not as escapes.</summary>
    internal static readonly JsonSerializerOptions AsJiraWrites =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
