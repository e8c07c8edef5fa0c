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
    private static readonly TimeSpan KnownFor = TimeSpan.FromSeconds(2);
    private static readonly string[] SignatureHeaders = ["X-Hub-Signature-256", "X-Hub-Signature"];

    private Known? _known; // exchanged whole

    public string? NotSetUp(IServiceProvider services) => string.IsNullOrEmpty(KnownNow(services).Secret) ? "Webhook secret not configured" : null;

    public bool IsGenuine(Delivery delivery, IServiceProvider services)
    {
        var given = SignatureHeaders.Select(name => delivery.Headers[name].ToString()).FirstOrDefault(text => text.Length > 0);
        if (given is null || KnownNow(services).Secret is not { Length: > 0 } secret) return false;
        if (given.StartsWith(Prefix, StringComparison.Ordinal)) given = given[Prefix.Length..];
        var expected = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), delivery.Body.Span));
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.UTF8.GetBytes(given));
    }

    public async Task<IResult> TakeAsync(Delivery delivery, IServiceProvider services, CancellationToken stop)
    {
        if (delivery.Body.Length == 0) return Problem.Detail(StatusCodes.Status400BadRequest, "Empty payload");
        JiraHead head;
        try
        {
            head = JiraHead.Read(delivery.Body.Span);
        }
        catch (JsonException)
        {
            return Problem.Detail(StatusCodes.Status400BadRequest, "Invalid JSON payload");
        }

        if (head.IsFalsy) return Problem.Detail(StatusCodes.Status400BadRequest, "Empty payload");
        if (!JiraKey.IsKey(head.Key)) return Problem.Detail(StatusCodes.Status400BadRequest, "Malformed or missing issue key");
        if (!head.HasIssue) return JsonBody.Of(new JsonObject { ["status"] = "error", ["message"] = "Jira service not configured" }, StatusCodes.Status503ServiceUnavailable);
        return await KeepAsync(delivery, head, services, stop);
    }

    private async Task<IResult> KeepAsync(Delivery delivery, JiraHead head, IServiceProvider services, CancellationToken stop)
    {
        var identity = delivery.Headers["X-Atlassian-Webhook-Identifier"].ToString();
        try
        {
            var intake = services.GetRequiredService<EventIntakes>().Of(KnownNow(services).Source!);
            await intake.AppendAsync(JiraSchema.Delivery, identity.Length > IdentityCharactersMax ? "" : identity, delivery.Body, stop);
            return JsonBody.Of(new JsonObject { ["status"] = "ok", ["event"] = head.Event, ["issue"] = head.Key });
        }
        catch (Exception fault) when (fault is JournalFullException or IOException)
        {
            return new RetryLater();
        }
    }

    /// <summary>As it is set: looked up every other second, not for each of thousands of deliveries.</summary>
    private Known KnownNow(IServiceProvider services)
    {
        if (_known is { } known && services.GetRequiredService<TimeProvider>().GetElapsedTime(known.At) < KnownFor) return known;
        var layers = SettingLayers.Open(services.GetRequiredService<ServerOptions>(), services.GetRequiredService<SecretStore>());
        var kind = services.GetRequiredService<SourceKinds>().All.OfType<JiraKind>().Single();
        return _known = new Known(layers.Find(JiraOptions.SecretName), kind.Events(services).FirstOrDefault(), services.GetRequiredService<TimeProvider>().GetTimestamp());
    }

    private sealed record Known(string? Secret, EventSource? Source, long At)
    {
        public override string ToString() => Source?.Name ?? ""; // without the secret
    }
}
