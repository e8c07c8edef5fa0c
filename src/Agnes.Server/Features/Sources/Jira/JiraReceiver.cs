using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Connectors.Events;
using Agnes.Connectors.Jira;
using Agnes.Server.Features.Sources.Events;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>Deliveries of Jira: the checks and answers of spec/02 §7.1, in their order. Taken means on disk; nothing is asked of Jira meanwhile.</summary>
internal sealed class JiraReceiver : IReceiver
{
    private const string Prefix = "sha256=";
    private const int IdentityCharactersMax = 200;
    private static readonly string[] SignatureHeaders = ["X-Hub-Signature-256", "X-Hub-Signature"];

    public string? NotSetUp(IServiceProvider services) => string.IsNullOrEmpty(services.GetRequiredService<JiraSettings>().Secret) ? "Webhook secret not configured" : null;

    public bool IsGenuine(Delivery delivery, IServiceProvider services)
    {
        var isGenuine = services.GetRequiredService<JiraSettings>().Secret is { Length: > 0 } secret && IsSigned(delivery, secret);
        if (!isGenuine) services.GetRequiredService<JiraTally>().Reject("Invalid signature");
        return isGenuine;
    }

    public async Task<IResult> TakeAsync(Delivery delivery, IServiceProvider services, CancellationToken stop)
    {
        if (delivery.Body.Length == 0) return Refused(services, "Empty payload");
        JiraHead head;
        try
        {
            head = JiraHead.Read(delivery.Body.Span);
        }
        catch (JsonException)
        {
            return Refused(services, "Invalid JSON payload");
        }

        if (head.IsFalsy) return Refused(services, "Empty payload");
        if (!JiraKey.IsKey(head.Key)) return Refused(services, "Malformed or missing issue key");
        return head.HasIssue || services.GetRequiredService<JiraSettings>().Site is not null
            ? await KeepAsync(delivery, head, services, stop)
            : NotConfigured(services); // nobody can be asked for what it leaves out
    }

    private static bool IsSigned(Delivery delivery, string secret)
    {
        var given = SignatureHeaders.Select(name => delivery.Headers[name].ToString()).FirstOrDefault(text => text.Length > 0);
        if (given is null) return false;
        if (given.StartsWith(Prefix, StringComparison.Ordinal)) given = given[Prefix.Length..];
        var expected = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), delivery.Body.Span));
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.UTF8.GetBytes(given));
    }

    private static IResult Refused(IServiceProvider services, string reason)
    {
        services.GetRequiredService<JiraTally>().Reject(reason);
        return Problem.Detail(StatusCodes.Status400BadRequest, reason);
    }

    private static IResult NotConfigured(IServiceProvider services)
    {
        const string reason = "Jira service not configured";
        services.GetRequiredService<JiraTally>().Reject(reason);
        return JsonBody.Of(new JsonObject { ["status"] = "error", ["message"] = reason }, StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> KeepAsync(Delivery delivery, JiraHead head, IServiceProvider services, CancellationToken stop)
    {
        var identity = delivery.Headers["X-Atlassian-Webhook-Identifier"].ToString();
        try
        {
            var intake = services.GetRequiredService<EventIntakes>().Of(services.GetRequiredService<JiraSettings>().Source!);
            await intake.AppendAsync(JiraSchema.Delivery, identity.Length > IdentityCharactersMax ? "" : identity, delivery.Body, stop);
            services.GetRequiredService<JiraTally>().Take(head.Said);
            return JsonBody.Of(new JsonObject { ["status"] = "ok", ["event"] = head.Event, ["issue"] = head.Key });
        }
        catch (Exception fault) when (fault is JournalFullException or IOException)
        {
            services.GetRequiredService<JiraTally>().Reject("No room in the journal");
            return new RetryLater();
        }
    }
}
