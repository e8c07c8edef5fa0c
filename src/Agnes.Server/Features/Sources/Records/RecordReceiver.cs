using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Connectors.Events;
using Agnes.Connectors.Records;
using Agnes.Server.Features.Sources.Events;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Records;

/// <summary>Takes what one connection's system posts. Taken means on disk.</summary>
internal sealed class RecordReceiver(EventSource source, IReadOnlyDictionary<string, string> settings, string? secret, EventIntakes intakes) : IReceiver
{
    private const string HeaderDefault = "X-Hub-Signature-256";
    private const string BearerPrefix = "Bearer ";
    private const int IdentityCharactersMax = 200;
    private static readonly string[] IdentityHeaders = ["Idempotency-Key", "X-Webhook-Id", "X-GitHub-Delivery", "X-Request-Id"];

    /// <returns>Null: there is no such connection.</returns>
    public static RecordReceiver? Find(IServiceProvider services, string connection)
    {
        var snapshot = services.GetRequiredService<StateDb>().Snapshot;
        if (RecordKind.Find(snapshot, connection) is not { } source) return null;
        var secret = services.GetRequiredService<SecretStore>().Find(ConnectionSecrets.NameOf(connection, RecordKind.SecretSetting));
        return new RecordReceiver(source, snapshot.Connections[connection].Values, secret, services.GetRequiredService<EventIntakes>());
    }

    public string? NotSetUp(IServiceProvider services) => string.IsNullOrEmpty(secret) ? "Webhook secret not configured" : null;

    public bool IsGenuine(Delivery delivery, IServiceProvider services)
    {
        if (string.IsNullOrEmpty(secret)) return false;
        var known = Encoding.UTF8.GetBytes(secret);
        if (settings.GetValueOrDefault(RecordKind.SchemeSetting) == RecordKind.Bearer)
        {
            var sent = delivery.Headers.Authorization.ToString();
            return sent.StartsWith(BearerPrefix, StringComparison.Ordinal)
                && CryptographicOperations.FixedTimeEquals(SHA256.HashData(known), SHA256.HashData(Encoding.UTF8.GetBytes(sent[BearerPrefix.Length..])));
        }

        var header = settings.GetValueOrDefault(RecordKind.HeaderSetting) is { Length: > 0 } named ? named : HeaderDefault;
        var given = delivery.Headers[header].ToString();
        if (given.StartsWith("sha256=", StringComparison.Ordinal)) given = given["sha256=".Length..];
        var expected = HMACSHA256.HashData(known, delivery.Body.Span);
        var bytes = Encoding.UTF8.GetBytes(given);
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(expected)), bytes)
            | CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Convert.ToBase64String(expected)), bytes);
    }

    public async Task<IResult> TakeAsync(Delivery delivery, IServiceProvider services, CancellationToken stop)
    {
        if (!IsJson(delivery.Body.Span)) return Problem.Detail(StatusCodes.Status400BadRequest, "Invalid JSON payload");
        var identity = IdentityHeaders.Select(name => delivery.Headers[name].ToString()).FirstOrDefault(text => text.Length is > 0 and <= IdentityCharactersMax) ?? "";
        try
        {
            await intakes.Of(source).AppendAsync(RecordSchema.Delivery, identity, delivery.Body, stop);
            return JsonBody.Of(new JsonObject { ["status"] = "ok" });
        }
        catch (Exception fault) when (fault is JournalFullException or IOException)
        {
            return new RetryLater();
        }
    }

    private static bool IsJson(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 128 });
        try
        {
            var isRecord = false;
            while (reader.Read()) isRecord |= reader.TokenType == JsonTokenType.StartObject;
            return isRecord;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
