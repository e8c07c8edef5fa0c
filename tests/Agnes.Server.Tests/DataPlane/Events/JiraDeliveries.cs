using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Tests.Serving;

namespace Agnes.Server.Tests.DataPlane.Events;

/// <summary>Sends what Jira would send.</summary>
internal static class JiraDeliveries
{
    public const string Secret = "a secret of the site";
    public const string Address = "/webhooks/jira";

    public static Task<Answer> DeliverAsync(this TestServer server, string body, string? signature = null, string header = "X-Hub-Signature", string address = Address) =>
        server.SendAsync("POST", address, body, change: request =>
        {
            var sign = signature ?? "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(body)));
            if (sign.Length > 0) request.Headers.TryAddWithoutValidation(header, sign);
        });

    public static string Updated(string key, int id, string summary, string updated, string created = "2026-01-31T23:30:00.000-0500", string name = "jira:issue_updated") =>
        $$$"""
        {"timestamp":{{{DateTimeOffset.Parse(updated).ToUnixTimeMilliseconds()}}},"webhookEvent":"{{{name}}}","issue":{"id":"{{{id}}}","key":"{{{key}}}","fields":{
        "summary":"{{{summary}}}","created":"{{{created}}}","updated":"{{{updated}}}","status":{"name":"Open","statusCategory":{"name":"To Do"}},"labels":["a","č"],
        "attachment":null,"issuelinks":null} } }
        """;
}
