using System.Text;
using System.Text.Json.Nodes;

namespace Agnes.Connectors.Jira;

/// <summary>The body of an entry that says what the API answered about one issue.</summary>
public static class JiraAnswer
{
    /// <param name="asked">When the question was begun: what was heard since is newer.</param>
    /// <param name="remoteLinks">Null: they were not asked for, or not answered.</param>
    public static byte[] Of(JsonObject issue, JsonArray? remoteLinks, DateTimeOffset asked) => Encoding.UTF8.GetBytes(
        new JsonObject { ["asked"] = asked.ToUnixTimeMilliseconds(), ["issue"] = issue, ["remote_links"] = remoteLinks }.ToJsonString());
}
